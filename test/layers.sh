#!/usr/bin/env bash
#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

# Fails on an include that the layers of the engine forbid. doc/design.md tells what each may touch.

set -euo pipefail
shopt -s nullglob
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# From the top down. A layer may include those behind it, and itself.
layers=(engine offload queue policy kernel)

failures=0

# refuse TEXT: takes what grep has found, a line for each.
refuse() {
    local line
    while IFS= read -r line; do
        echo "$line: $1"
        failures=$((failures + 1))
    done
}

# join WORD ...: an expression of grep for any of them.
join() {
    local IFS='|'
    echo "$*"
}

above=()
for layer in "${layers[@]}"; do
    unwanted=("${above[@]}")
    # Decisions are values.
    [[ $layer != policy ]] || unwanted+=(kernel)
    if ((${#unwanted[@]})); then
        refuse "src/$layer must not include that" < <(
            grep -nrE "^#include \"($(join "${unwanted[@]}"))/" "src/$layer" || true
        )
    fi
    refuse "includes of src/ begin with the layer" < <(
        grep -nrE '^#include "' "src/$layer" | grep -vE "\"($(join "${layers[@]}"))/" || true
    )
    above+=("$layer")
done

# These carry out public functions, and are no part of the engine.
public=(src/*.cpp)
refuse "a public function may use the kernel layer alone" < <(
    grep -nE "^#include \"" "${public[@]}" | grep -v '"kernel/' || true
)

refuse "policies are values: no system header, no lock, no clock, no thread" < <(
    grep -nrE '^#include <(sys/|linux/|unistd|fcntl|mutex|thread|chrono|condition_variable)' src/policy || true
)
refuse "the engine knows nothing of Asio" < <(grep -nr 'boost/asio' src || true)
refuse "libaio.h declares names that programs use" < <(grep -nrE 'include <libaio' include || true)
refuse "only Asio's public interface" < <(
    grep -nrE 'asio::detail|boost/asio/detail' include src | grep -v 'kaio::detail' || true
)

((failures == 0)) || exit 1
