//! Writes the client as it is compiled: with the feature `codegen` generated from `openapi.yaml`, or the file that the
//! environment variable `DATAFY_API_SPEC` names, and without it the committed `src/generated.rs`.

#[cfg(feature = "codegen")]
#[path = "codegen.rs"]
mod codegen;

use std::env::{self, VarError};
use std::fs;
use std::path::Path;

/// The environment variable that names the spec of a dependent.
const VARIABLE: &str = "DATAFY_API_SPEC";

fn main() {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    let named = match env::var(VARIABLE) {
        Err(VarError::NotUnicode(_)) => Err(format!("{VARIABLE} is not valid Unicode")),
        named => Ok(named.ok()),
    };
    let path = Path::new(&env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("generated.rs");
    let written = named.and_then(|named| client(named.as_deref())).and_then(|client| {
        fs::write(&path, client).map_err(|error| format!("{}: {error}", path.display()))
    });
    if let Err(message) = written {
        // Stops the build with this message only.
        println!("cargo::error={message}");
    }
}

fn read(file: &str) -> Result<String, String> {
    println!("cargo::rerun-if-changed={file}");
    fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))
}

#[cfg(feature = "codegen")]
fn client(named: Option<&str>) -> Result<String, String> {
    let own = "openapi.yaml";
    let text = read(own)?;
    match named {
        None => codegen::generate(&text).map_err(|refusal| refusal.in_file(own)),
        Some(spec) if Path::new(spec).is_absolute() => {
            codegen::generate_other(&read(spec)?, &text).map_err(|refusal| refusal.in_file(spec))
        }
        Some(spec) => Err(format!("{VARIABLE} is {spec:?}; it must be an absolute path")),
    }
}

#[cfg(not(feature = "codegen"))]
fn client(named: Option<&str>) -> Result<String, String> {
    match named {
        Some(_) => Err(format!("{VARIABLE} is set, which needs the feature `codegen`")),
        None => read("src/generated.rs"),
    }
}
