#!/usr/bin/env bash
#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

# Installs what is missing, builds the demo and runs it: example/demo.sh [FILE] [OPTION ...]
# Without FILE it makes a file of its own; example/demo.sh --help tells the options.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=cmake/dependencies.sh
source "$root/cmake/dependencies.sh"
require_packages "${demo_packages[@]}"

log=$(mktemp)
trap 'rm -f "$log"' EXIT

build() {
    # The user stays where he is, because FILE may be relative.
    cd "$root" || return
    # The tests need more packages than the demo. A tree that has them already keeps them.
    if [[ -e build/release/build.ninja ]]; then
        cmake -DKAIO_BUILD_EXAMPLES=ON build/release || return
    else
        cmake --preset release -DKAIO_BUILD_TESTS=OFF -DKAIO_BUILD_BENCHMARKS=OFF || return
    fi
    cmake --build --preset release --target kaio_demo
}

[[ ! -t 2 ]] || echo "building..." >&2
if ! (build) >"$log" 2>&1; then
    cat "$log" >&2
    echo "example/demo.sh: the demo could not be built, see above" >&2
    exit 1
fi

rm -f "$log"
exec "$root/build/release/example/kaio_demo" "$@"
