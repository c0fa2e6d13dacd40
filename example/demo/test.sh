#!/usr/bin/env bash
#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

# Checks what the demo does with files of all kinds: example/demo/test.sh KAIO_DEMO
# Works in a new folder within the current one.

set -uo pipefail

demo=$(realpath "$1")
folder=$(mktemp -d -p .)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit

failures=0

# is_right TEXT ARGUMENT...: the demo ends well and says TEXT
is_right() {
    local text=$1 output
    shift
    if ! output=$("$demo" --seconds 0.05 "$@" 2>&1) || [[ $output != *"$text"* ]]; then
        printf 'kaio_demo %s: expected success and "%s", got\n%s\n' "$*" "$text" "$output"
        ((++failures))
    fi
}

# is_refused TEXT ARGUMENT...: the demo fails, and its last line says TEXT
is_refused() {
    local text=$1 output code
    shift
    output=$("$demo" --seconds 0.05 "$@" 2>&1)
    code=$?
    if ((code != 1)) || [[ ${output##*$'\n'} != "kaio_demo: "*"$text"* ]]; then
        printf 'kaio_demo %s: expected exit code 1 and "%s", got %s and\n%s\n' "$*" "$text" "$code" \
            "$output"
        ((++failures))
    fi
}

# The demo's own file, overwritten by somebody while it is being read.
notices_wrong_byte() {
    local line descriptor
    coproc "$demo" --size 1 --seconds 20 2>&1
    local pid=$COPROC_PID
    # bash drops its own end when the demo is gone.
    exec 3<&"${COPROC[0]}"
    while read -r line && [[ $line != "kaio, on a thread"* ]]; do :; done <&3
    for descriptor in "/proc/$pid/fd/"*; do
        if [[ $(readlink "$descriptor") == *kaio-demo-* ]]; then
            dd if=/dev/zero of="$descriptor" bs=4096 count=1 conv=notrunc,fsync status=none
            break
        fi
    done
    line=$(tail -n 1 <&3)
    if wait "$pid" || [[ $line != "kaio_demo: wrong byte at offset "* ]]; then
        printf 'an overwritten block: got\n%s\n' "$line"
        ((++failures))
    fi
}

right="All reads were right."
is_right "$right" --size 4
is_right "$right" --size 1 --depth 300

printf 'small' >small
is_right "$right" small
head -c 10001 /dev/urandom >odd
is_right "$right" odd
ln -s odd link
is_right "$right" link

: >empty
is_refused "is empty" empty
mkfifo pipe
is_refused "neither a regular file nor a block device" pipe
is_refused "neither a regular file nor a block device" /dev/zero
is_refused "is a directory" .
is_refused "No such file or directory" missing
is_refused "No such file or directory" --dir missing
if ((EUID != 0)); then
    printf 'secret' >secret
    chmod 000 secret
    is_refused "Permission denied" secret
fi

notices_wrong_byte

if [[ -n $(compgen -G 'kaio-demo-*') ]]; then
    echo "a file of the demo is left"
    ((++failures))
fi
exit $((failures != 0))
