//! Generates the client from `openapi.yaml`. Without the feature `codegen` it does nothing: the crate then
//! compiles the committed `src/generated.rs`.

#[cfg(feature = "codegen")]
#[path = "codegen.rs"]
mod codegen;

#[cfg(feature = "codegen")]
fn main() {
    use std::{env, fs, path::Path};

    println!("cargo::rerun-if-changed=openapi.yaml");
    println!("cargo::rerun-if-changed=build");
    let out = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let result = fs::read_to_string("openapi.yaml")
        .map_err(|error| format!("openapi.yaml: {error}; restore the file"))
        .and_then(|yaml| {
            codegen::generate(&yaml).map_err(|refusal| refusal.in_file("openapi.yaml"))
        })
        .and_then(|source| {
            let path = Path::new(&out).join("generated.rs");
            fs::write(&path, source).map_err(|error| format!("{}: {error}", path.display()))
        });
    if let Err(message) = result {
        // Stops the build with this message only.
        println!("cargo::error={message}");
    }
}

#[cfg(not(feature = "codegen"))]
fn main() {
    println!("cargo::rerun-if-changed=build");
}
