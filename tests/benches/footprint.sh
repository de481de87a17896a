#!/usr/bin/env bash
# The cost of depending on datafy-api-ext, compared with bare reqwest, for the smallest program that creates a
# snapshot: the user CPU time of a cold build, the least of three, and the size of the stripped release binary. It builds
# everything eleven times, which takes a quarter of an hour, so `cargo bench` doesn't run it.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
TIMEFORMAT=%U
# Cargo would otherwise prepare the crates below for incremental builds, unlike those of a registry.
export CARGO_INCREMENTAL=0

# program NAME DEPENDENCIES < SOURCE: writes a package and fetches its dependencies
program() {
    mkdir -p "$work/$1/src"
    cat > "$work/$1/src/main.rs"
    cp "$root/Cargo.lock" "$work/$1"
    cat > "$work/$1/Cargo.toml" <<TOML
[package]
name = "$1"
edition = "2024"
[workspace]
[profile.release]
strip = true
[dependencies]
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
$2
TOML
    cargo fetch --quiet --manifest-path "$work/$1/Cargo.toml"
}

# build NAME FLAGS..: prints the user CPU time of a cold build, in seconds
build() {
    rm -rf "$work/target"
    { time cargo build --quiet --manifest-path "$work/$1/Cargo.toml" --target-dir "$work/target" "${@:2}" 2>/dev/null; } 2>&1
}

program bare 'reqwest = { version = "0.13", default-features = false, features = ["json", "rustls"] }
serde = { version = "1", features = ["derive"] }' <<'RUST'
#[derive(serde::Serialize)]
struct Request<'a> {
    description: &'a str,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Snapshot {
    datafy_snapshot_id: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = "https://api.datafy.io/api/v1/volumes/vol-0b9176567fe16f0bc/create-snapshot";
    let request = reqwest::Client::new().post(url).bearer_auth(std::env::var("DATAFY_TOKEN")?);
    let request = request.json(&Request { description: "nightly" });
    let snapshot: Snapshot = request.send().await?.error_for_status()?.json().await?;
    println!("created {:?}", snapshot.datafy_snapshot_id);
    Ok(())
}
RUST
for features in '"rustls"' '"rustls", "codegen"'; do
    name=ext
    [[ $features == *codegen* ]] && name=ext-codegen
    program "$name" "datafy-api-ext = { path = \"$root/datafy-api-ext\", default-features = false, features = [$features] }" <<'RUST'
use datafy_api_ext::{Datafy, VolumeId};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let datafy = Datafy::from_env()?;
    let volume = VolumeId::new("vol-0b9176567fe16f0bc")?;
    let snapshot = datafy.volume(volume).create_snapshot().description("nightly").await?;
    println!("created {}", snapshot.id);
    Ok(())
}
RUST
done

declare -A cpu size
for name in bare ext; do
    build "$name" --release > /dev/null
    size[$name]=$(stat -c %s "$work/target/release/$name")
done
# In turns, since the speed of a machine changes.
for _ in 1 2 3; do
    for name in bare ext ext-codegen; do
        cpu[$name]=$(printf '%s\n' ${cpu[$name]:-} "$(build "$name")" | sort -n | head -n 1)
    done
done
ratio() { awk "BEGIN { printf \"%.2f\", $1 / $2 }"; }
echo '| | user CPU of a cold build | stripped release binary |'
echo '|---|---|---|'
echo "| bare reqwest with serde | 1.00 (${cpu[bare]} s) | 1.00 (${size[bare]} bytes) |"
echo "| \`datafy-api-ext\` | $(ratio "${cpu[ext]}" "${cpu[bare]}") | $(ratio "${size[ext]}" "${size[bare]}") |"
echo "| \`datafy-api-ext\` with \`codegen\` | $(ratio "${cpu[ext-codegen]}" "${cpu[bare]}") | the same |"
