#!/usr/bin/env bash
#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

# That each contender does the work it is measured by: test.sh PROGRAM CONTENDER ...
# Right data passes; wrong data and a file that ends too early don't.

set -euo pipefail

program=$1
shift
scratch=$(mktemp -d -p .)
trap 'rm -rf "$scratch"' EXIT
size=$((1024 * 1024))
status=0

complain() {
    echo "$contender: $1" >&2
    status=1
}

create() {
    rm -f "$scratch/file"
    "$program" --create --file "$scratch/file" --file-size "$size"
}

# measure [OPTION ...]: the output, both streams, in $output; the exit status.
measure() {
    output=$("$program" --contender "$contender" --file "$scratch/file" --file-size "$size" \
        --cache warm --depth 4 --operations 500 "$@" 2>&1)
}

# must_fail MESSAGE WHAT [OPTION ...]
must_fail() {
    if measure "${@:3}"; then
        complain "$2: not noticed"
    elif [[ $output != *"$1"* ]]; then
        complain "$2: said '$output'"
    fi
}

for contender; do
    create
    for access in read mixed write extend write_sync; do
        measure --access "$access" || {
            (($? != 3)) || {
                echo "$contender: not available: $output"
                continue 2
            }
            complain "$access: $output"
        }
        # What was written stands at its place, but is other data than is read.
        [[ $access != write ]] || must_fail "wrong data" "overwritten data"
        [[ $access == read ]] || create
    done

    truncate --size=$((size / 2)) "$scratch/file"
    must_fail "0 bytes instead of 4096" "a file that is too short"
done
exit "$status"
