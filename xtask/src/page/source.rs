//! Where a page comes from.

use std::io::{self, Read};
use std::time::Duration;

/// The largest page that is read, in bytes.
const LARGEST: u64 = 32 << 20;

/// Reads a file, standard input (`-`), or an http(s) URL. The error names the source.
pub fn fetch(source: &str) -> Result<Vec<u8>, String> {
    let result = if source == "-" {
        bounded(io::stdin().lock())
    } else if source.starts_with("http://") || source.starts_with("https://") {
        download(source)
    } else {
        std::fs::File::open(source).map_err(|error| error.to_string()).and_then(bounded)
    };
    result.map_err(|problem| format!("{}: {problem}", name(source)))
}

/// The source as findings call it.
pub fn name(source: &str) -> &str {
    if source == "-" { "standard input" } else { source }
}

fn bounded(reader: impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    reader.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("it is larger than {} MiB", LARGEST >> 20));
    }
    Ok(bytes)
}

fn download(url: &str) -> Result<Vec<u8>, String> {
    let client = reqwest::blocking::Client::builder()
        .user_agent(concat!("datafy-xtask/", env!("CARGO_PKG_VERSION")))
        .timeout(Duration::from_secs(30))
        .build()
        .map_err(whole)?;
    // GitBook answers with either shape at the same URL.
    let request = client.get(url).header("accept", "text/markdown, text/plain;q=0.9, */*;q=0.1");
    let answer = request.send().map_err(whole)?;
    if !answer.status().is_success() {
        return Err(format!("the server answers {}", answer.status()));
    }
    bounded(answer)
}

/// An error of reqwest with its causes, in one line.
fn whole(error: reqwest::Error) -> String {
    let error = error.without_url();
    let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
