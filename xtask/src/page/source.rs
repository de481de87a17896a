//! Reads a page from a file, a URL or standard input.

use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

/// The largest page that is read, in bytes.
const LARGEST: u64 = 32 << 20;

/// Reads a file, standard input (`-`), or an http(s) URL. The error names the source.
pub fn fetch(source: &str) -> Result<Vec<u8>> {
    let result = if source == "-" {
        bounded(io::stdin().lock())
    } else if source.starts_with("http://") || source.starts_with("https://") {
        download(source)
    } else {
        File::open(source).map_err(Into::into).and_then(bounded)
    };
    result.with_context(|| name(source).to_owned())
}

/// The source as findings call it.
pub fn name(source: &str) -> &str {
    if source == "-" { "standard input" } else { source }
}

fn bounded(reader: impl Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(LARGEST + 1).read_to_end(&mut bytes)?;
    ensure!(bytes.len() as u64 <= LARGEST, "it is larger than {} MiB", LARGEST >> 20);
    Ok(bytes)
}

fn download(url: &str) -> Result<Vec<u8>> {
    let client = reqwest::blocking::Client::builder()
        .user_agent(concat!("datafy-xtask/", env!("CARGO_PKG_VERSION")))
        .timeout(Duration::from_secs(30))
        .build()?;
    // GitBook answers with either shape at the same URL.
    let request = client.get(url).header("accept", "text/markdown, text/plain;q=0.9, */*;q=0.1");
    let answer = request.send().map_err(reqwest::Error::without_url)?;
    ensure!(answer.status().is_success(), "the server answers {}", answer.status());
    bounded(answer)
}
