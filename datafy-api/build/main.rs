//! Generates the client from a spec: `openapi.yaml`, or the file that the environment variable `DATAFY_API_SPEC` names.
//! Without the feature `codegen` it does nothing: the crate then compiles the committed `src/generated.rs`.

#[cfg(feature = "codegen")]
#[path = "codegen.rs"]
mod codegen;

use std::env::{self, VarError};

/// The environment variable that names the spec of a dependent.
const VARIABLE: &str = "DATAFY_API_SPEC";

/// The spec of the crate.
#[cfg(feature = "codegen")]
const OWN: &str = "openapi.yaml";

fn main() {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    let named = match env::var(VARIABLE) {
        Err(VarError::NotUnicode(_)) => Err(format!("{VARIABLE} is not valid Unicode")),
        named => Ok(named.ok()),
    };
    if let Err(message) = named.and_then(|named| generate(named.as_deref())) {
        // Stops the build with this message only.
        println!("cargo::error={message}");
    }
}

#[cfg(feature = "codegen")]
fn generate(named: Option<&str>) -> Result<(), String> {
    use std::{fs, path::Path};

    let read = |file: &str| fs::read_to_string(file).map_err(|error| format!("{file}: {error}"));
    println!("cargo::rerun-if-changed={OWN}");
    let own = read(OWN)?;
    let source = match named {
        None => codegen::generate(&own).map_err(|refusal| refusal.in_file(OWN))?,
        Some(spec) if Path::new(spec).is_absolute() => {
            println!("cargo::rerun-if-changed={spec}");
            codegen::generate_other(&read(spec)?, &own).map_err(|refusal| refusal.in_file(spec))?
        }
        Some(spec) => return Err(format!("{VARIABLE} is {spec:?}; it must be an absolute path")),
    };
    let out = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let path = Path::new(&out).join("generated.rs");
    fs::write(&path, source).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(not(feature = "codegen"))]
fn generate(named: Option<&str>) -> Result<(), String> {
    match named {
        Some(_) => Err(format!("{VARIABLE} is set, which needs the feature `codegen`")),
        None => Ok(()),
    }
}
