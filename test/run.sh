#!/usr/bin/env bash
#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

set -euo pipefail

usage() {
    cat <<'END'
usage: test/run.sh [OPTION ...]

Installs what is missing, then builds kaio and runs its tests: format, scripts and layers, the release
build, the benchmarks in short, every type of build, warnings in programs, every header by
itself, the builds with sanitizers, programs that use kaio from outside.

  --on DIR        the release build, and the tests that any file system should pass, with their files
                  in DIR
  --preset NAME   only this build and its suite: release, debug, asan, tsan or clang
  --quick         without the sanitizers and the programs from outside
  --boost DIR     with the Boost in DIR: an installed one, or headers in DIR/boost or
                  DIR/include/boost
  --jobs N        so many compilers and tests at once (default: the number of processors)
  --tidy          clang-tidy too
  --help          this text

KAIO_TEST_SCALE, a percentage, sets the length of the long tests: 100 if not set, 10 in the builds
with sanitizers. The exit status is 0 if all steps passed, 1 if one failed, 2 if something is
missing.
END
}

complain() {
    echo "test/run.sh: $1" >&2
    echo "test/run.sh --help tells what there is" >&2
    exit 2
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=cmake/dependencies.sh
source cmake/dependencies.sh

preset='' on='' quick='' boost='' tidy='' jobs=$(nproc)
while (($#)); do
    case $1 in
        --on | --preset | --boost | --jobs)
            (($# >= 2)) || complain "$1 needs a value"
            declare "${1#--}=$2"
            shift
            ;;
        --quick) quick=1 ;;
        --tidy) tidy=1 ;;
        --help)
            usage
            exit
            ;;
        *) complain "unknown option: $1" ;;
    esac
    shift
done
[[ $preset =~ ^(|release|debug|asan|tsan|clang)$ ]] || complain "no such preset: $preset"
[[ ! $on || -d $on ]] || complain "no such directory: $on"
[[ ! $on || ! $preset ]] || complain "--on takes the release build"
[[ $jobs =~ ^[1-9][0-9]*$ ]] || complain "not a number of jobs: $jobs"

boost_options=()
if [[ $boost ]]; then
    [[ -d $boost ]] || complain "no such directory: $boost"
    boost=$(realpath -- "$boost")
    boost_options=(-DBoost_ROOT="$boost")
    # Read by the presets: another Boost gets build trees of its own.
    KAIO_BUILD_SUFFIX=-boost-$(cksum <<<"$boost" | cut -d ' ' -f 1)
    export KAIO_BUILD_SUFFIX
fi

# Steps.

deadline=$((SECONDS + 55 * 60))
names=() outcomes=() times=()
running='' watchdog=''
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'stop_step; exit 130' INT TERM

# step NAME SECONDS FUNCTION [ARGUMENT ...]: runs FUNCTION within SECONDS and within what is left of
# the whole run's time; the status is FUNCTION's.
step() {
    local name=$1 limit=$2 begin=$SECONDS status=0
    shift 2
    ((limit <= deadline - SECONDS)) || limit=$((deadline - SECONDS))
    printf '\n=== %s (at %s, at most %s)\n' "$name" "$(clock "$SECONDS")" "$(clock "$limit")"

    # Each in a process group of its own, which can be killed with all that it started.
    set -m
    "$@" </dev/null &
    running=$!
    (
        sleep "$limit"
        kill -TERM -- "-$running"
        sleep 10
        kill -KILL -- "-$running"
    ) </dev/null >/dev/null 2>&1 &
    watchdog=$!
    set +m
    wait "$running" || status=$?
    stop_step

    names+=("$name")
    times+=($((SECONDS - begin)))
    if ((status == 0)); then
        outcomes+=(passed)
    elif ((SECONDS - begin >= limit)); then
        outcomes+=("FAILED: took too long")
    else
        outcomes+=(FAILED)
    fi
    echo "=== $name: ${outcomes[-1]} after $(clock "${times[-1]}")"
    return "$status"
}

stop_step() {
    [[ ! $watchdog ]] || kill -TERM -- "-$watchdog" 2>/dev/null || true
    [[ ! $running ]] || kill -TERM -- "-$running" 2>/dev/null || true
    watchdog='' running=''
}

skip() {
    names+=("$1")
    times+=(0)
    outcomes+=("FAILED: not run, $2")
}

clock() {
    printf '%d:%02d' $(($1 / 60)) $(($1 % 60))
}

# quiet COMMAND [ARGUMENT ...]: shows the output only if COMMAND fails.
quiet() {
    local log=$scratch/quiet.$BASHPID status=0
    "$@" >"$log" 2>&1 || status=$?
    ((status == 0)) || cat "$log"
    rm -f "$log"
    return "$status"
}

summary() {
    local i failed=0
    printf '\n=== summary, %s in all\n' "$(clock "$SECONDS")"
    for i in "${!names[@]}"; do
        printf '  %-28s %6s  %s\n' "${names[i]}" "$(clock "${times[i]}")" "${outcomes[i]}"
        [[ ${outcomes[i]} == passed ]] || failed=1
    done
    return "$failed"
}

# What the steps do. Each chains its commands with &&: `set -e` is off where a status is looked at.

sources() {
    find include src example test cmake -name '*.hpp' -o -name '*.cpp'
}

check_format() {
    sources | xargs clang-format-14 --dry-run --Werror
}

check_scripts() {
    shellcheck --external-sources test/run.sh test/soak.sh test/layers.sh test/bench/run.sh \
        test/bench/test.sh example/demo.sh cmake/dependencies.sh .ci/run
}

build() {
    quiet cmake --preset "$1" "${boost_options[@]}" &&
        quiet cmake --build --preset "$1" --parallel "$jobs" "${@:2}"
}

suite() {
    local -a launcher=()
    case $1 in
        asan | tsan) export KAIO_TEST_SCALE=${KAIO_TEST_SCALE:-10} ;;
    esac
    # gcc 12's ThreadSanitizer can't live with as much address randomisation as newer kernels have.
    if [[ $1 == tsan ]] && (($(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0) > 28)); then
        launcher=(setarch "$(uname -m)" --addr-no-randomize)
    fi
    "${launcher[@]}" ctest --preset "$1" --parallel "$jobs"
}

# suite_on DIRECTORY
suite_on() {
    local directory status=0
    directory=$(mktemp -d "$(realpath -- "$1")/kaio-test.XXXXXX") || return
    KAIO_TEST_DIR=$directory ctest --preset release --parallel "$jobs" -L any_file_system ||
        status=$?
    rm -rf "$directory"
    return "$status"
}

check_tidy() {
    run-clang-tidy-14 -quiet -j "$jobs" -p "build/release${KAIO_BUILD_SUFFIX-}" \
        -extra-arg=-Wno-unknown-warning-option '/src/|verify_interface_header_sets'
}

# run_consumer SOURCE BUILD [OPTION ...]
run_consumer() {
    quiet cmake -G Ninja -S "$1" -B "$2" -DCMAKE_BUILD_TYPE=Release \
        "${boost_options[@]}" "${@:3}" &&
        quiet cmake --build "$2" --parallel "$jobs" &&
        (cd "$2" && ./consumer && ./drop_in_consumer)
}

consume_installed() {
    local tree=$scratch/$1 shared=OFF
    [[ $1 != shared ]] || shared=ON
    # As the README says it: who wants the library alone gets it, optimised.
    quiet cmake -G Ninja -S . -B "$tree/kaio" "${boost_options[@]}" -DBUILD_SHARED_LIBS="$shared" &&
        quiet cmake --build "$tree/kaio" --parallel "$jobs" &&
        quiet cmake --install "$tree/kaio" --prefix "$tree/prefix" &&
        [[ ! -e $tree/kaio/test && ! -e $tree/kaio/example ]] &&
        grep -q -- "-O3 -DNDEBUG" "$tree/kaio/build.ninja" &&
        run_consumer test/consumer/find_package "$tree/consumer" -DCMAKE_PREFIX_PATH="$tree/prefix"
}

consume_sources() {
    run_consumer test/consumer/add_subdirectory "$scratch/subdirectory"
}

# In these ways, beside the presets' own, projects are built.
build_types() {
    build_type debug -DCMAKE_BUILD_TYPE=Debug &&
        build_type debug-information -DCMAKE_BUILD_TYPE=RelWithDebInfo &&
        build_type small -DCMAKE_BUILD_TYPE=MinSizeRel &&
        build_type none -DCMAKE_BUILD_TYPE= &&
        build_type unity -DCMAKE_BUILD_TYPE=Release -DCMAKE_UNITY_BUILD=ON \
            -DCMAKE_UNITY_BUILD_BATCH_SIZE=0 &&
        build_type link-time -DCMAKE_BUILD_TYPE=Release -DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON &&
        build_type hidden -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=ON \
            -DCMAKE_CXX_VISIBILITY_PRESET=hidden -DCMAKE_VISIBILITY_INLINES_HIDDEN=ON
}

# build_type NAME OPTION ...
build_type() {
    local tree=$scratch/type-$1
    echo "$1"
    quiet cmake -G Ninja -S test/consumer/build_type -B "$tree" -DKAIO_WERROR=ON \
        -DCMAKE_CXX_COMPILER_LAUNCHER=ccache "${boost_options[@]}" "${@:2}" &&
        quiet cmake --build "$tree" --parallel "$jobs" &&
        (cd "$tree" && quiet ./consumer)
}

# Warnings of kaio's headers in programs that have switched on more of them than kaio.
check_warnings() {
    warnings_of g++ -DCMAKE_CXX_COMPILER=g++ &&
        if has_command clang++; then
            warnings_of clang++ -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/clang.cmake"
        else
            echo "no clang++: its warnings are not seen"
        fi
}

# warnings_of COMPILER OPTION ...
warnings_of() {
    local tree=$scratch/warnings-$1
    quiet cmake -G Ninja -S test/consumer/warnings -B "$tree" "${boost_options[@]}" "${@:2}" &&
        if ! cmake --build "$tree" --parallel "$jobs" >"$tree/said" 2>&1; then
            cat "$tree/said"
            return 1
        fi
    ! grep -A 5 '/include/kaio/[^: ]*:.* \(warning\|error\): ' "$tree/said"
}

# That they still run, and what they print can be read; a machine busy with this isn't measured.
run_benchmarks() {
    quiet test/bench/run.sh --quick --json "$scratch/benchmarks.json" &&
        quiet python3 -m json.tool "$scratch/benchmarks.json"
}

# build_and_test PRESET
build_and_test() {
    if step "$1: build" 1500 build "$1"; then
        step "$1: tests" 900 suite "$1" || true
    else
        skip "$1: tests" "no build"
    fi
}

# run STEP ARGUMENT ...: a step whose failure doesn't end the run.
run() {
    step "$@" || true
}

packages=("${test_packages[@]}")
[[ $preset != clang ]] || has_command clang++ || packages+=(clang)
[[ ! $tidy ]] || packages+=(clang-tidy-14)
require_packages "${packages[@]}"

if [[ $on ]]; then
    if step "release: build" 1500 build release; then
        run "tests on $on" 1800 suite_on "$on"
    fi
elif [[ $preset ]]; then
    build_and_test "$preset"
else
    run format 60 check_format
    run scripts 60 check_scripts
    run layers 60 test/layers.sh
    build_and_test release
    run benchmarks 300 run_benchmarks
    run "build types" 300 build_types
    run warnings 300 check_warnings
    run headers 600 build release --target all_verify_interface_header_sets
    [[ ! $tidy ]] || run tidy 1200 check_tidy
    if [[ ! $quick ]]; then
        build_and_test asan
        build_and_test tsan
        run "consumer: static" 300 consume_installed static
        run "consumer: shared" 300 consume_installed shared
        run "consumer: add_subdirectory" 300 consume_sources
    fi
fi
summary
