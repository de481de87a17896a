//! Takes the programs out of the README and the pages of the guide, as `PAGE_N.rs`, for the tests that run them, and
//! generates the client of another spec, for `tests/specs`.

#[allow(dead_code, unreachable_pub)]
#[path = "../datafy-api/build/codegen.rs"]
mod codegen;

use std::error::Error;
use std::path::Path;
use std::{env, fs};

const README: &str = "../README.md";
const GUIDE: &str = "../datafy-api-ext/guide";
const SPEC: &str = "fixtures/spec.yaml";

fn main() -> Result<(), Box<dyn Error>> {
    for file in [README, GUIDE, SPEC, "../datafy-api/build"] {
        println!("cargo::rerun-if-changed={file}");
    }
    let out = env::var("OUT_DIR")?;
    // Those of an earlier build may have left the pages.
    fs::remove_dir_all(&out)?;
    fs::create_dir(&out)?;
    let client = codegen::generate(&fs::read_to_string(SPEC)?);
    let client = client.map_err(|refusal| refusal.in_file(SPEC))?;
    fs::write(Path::new(&out).join("other_spec.rs"), client)?;
    let guide = fs::read_dir(GUIDE)?.map(|page| page.map(|page| page.path()));
    for page in guide.chain([Ok(README.into())]) {
        let page = page?;
        let name = page.file_stem().and_then(|name| name.to_str()).ok_or("a page has no name")?;
        let text = fs::read_to_string(&page)?;
        let blocks = text.split("\n```rust").skip(1);
        let programs = blocks.filter_map(|block| block.split("\n```").next()?.split_once('\n'));
        for (at, (_, program)) in programs.enumerate() {
            fs::write(Path::new(&out).join(format!("{name}_{}.rs", at + 1)), program)?;
        }
    }
    Ok(())
}
