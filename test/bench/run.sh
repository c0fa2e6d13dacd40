#!/usr/bin/env bash
#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

# Installs what is missing, builds the benchmarks and runs them: test/bench/run.sh [OPTION ...]
# test/bench/run.sh --help tells the options.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=cmake/dependencies.sh
source "$root/cmake/dependencies.sh"
tree=$root/build/release${KAIO_BUILD_SUFFIX-}
suite=(python3 -B "$root/test/bench/suite" --build "$tree")

has_command python3 || require_packages python3
quick=''
for option; do
    case $option in
        --help | -h | --list) exec "${suite[@]}" "$@" ;;
        --quick) quick=1 ;;
    esac
done
require_packages "${bench_packages[@]}"
# What lacks these is named in the tables.
[[ $quick ]] || (require_packages "${bench_extra_packages[@]}") || true

build() {
    cd "$root" || return
    # The tests need more packages than this. A tree that has them already keeps them.
    if [[ -e $tree/build.ninja ]]; then
        cmake -DKAIO_BUILD_BENCHMARKS=ON "$tree" || return
    else
        cmake --preset release -DKAIO_BUILD_TESTS=OFF -DKAIO_BUILD_EXAMPLES=OFF || return
    fi
    cmake --build --preset release --target kaio_benchmarks
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
[[ ! -t 2 ]] || echo "building..." >&2
if ! (build) >"$log" 2>&1; then
    cat "$log" >&2
    echo "test/bench/run.sh: the benchmarks could not be built, see above" >&2
    exit 1
fi
rm -f "$log"

# What is mounted then goes with the process, however that ends.
own_mounts=()
if ((EUID == 0)) && unshare --mount true 2>/dev/null; then
    own_mounts=(unshare --mount)
fi
exec "${own_mounts[@]}" "${suite[@]}" "$@"
