#!/bin/sh
# Lets a stable rustdoc write JSON. If cargo had this variable set too, build scripts would see it and all dependencies
# would be built again.
RUSTC_BOOTSTRAP=1 exec rustdoc "$@"
