#!/usr/bin/env bash
#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

# Runs the random tests again and again, each time with other seeds: test/soak.sh [HOURS]
# An hour if not given. Ends with the first failure, whose seed is at the end of the output. The tests
# themselves look for lost operations, wrong data, and descriptors, threads and AIO contexts left over.

set -euo pipefail

hours=${1-1}
[[ $hours =~ ^[0-9]+(\.[0-9]+)?$ ]] || {
    echo "usage: test/soak.sh [HOURS]" >&2
    exit 2
}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tree=build/release${KAIO_BUILD_SUFFIX-}/test
programs=(simulation stress stress_perturbed one_context_perturbed outstanding_work_perturbed
    random_operations random_operations_perturbed shared_position close_race fork)
# shellcheck source=cmake/dependencies.sh
source cmake/dependencies.sh
require_packages "${test_packages[@]}"
cmake --preset release >/dev/null
cmake --build --preset release --target "${programs[@]}"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
seconds=$(awk "BEGIN { print int($hours * 3600) }")
runs=0
SECONDS=0
cd "$tree"
while ((SECONDS < seconds)); do
    for program in "${programs[@]}"; do
        if ! timeout 600 "./$program" --color_output=no >"$log" 2>&1; then
            cat "$log"
            echo "$program failed in run $((runs + 1)), after $SECONDS s"
            exit 1
        fi
        runs=$((runs + 1))
        ((SECONDS < seconds)) || break
    done
done
echo "$runs runs of ${#programs[@]} programs in $SECONDS s, and no failure"
