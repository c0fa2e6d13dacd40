#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#
# shellcheck shell=bash

# What building kaio needs from the system, for the scripts that build it. Sourced, not run.
#
#   require_packages NAME ...   sees to it that what these Debian packages bring is there: installs
#                               with apt what is missing, and where there is no apt, or it can't,
#                               says what is missing and ends the script with status 2

build_packages=(g++ cmake ninja-build libboost1.81-dev libaio-dev)
demo_packages=("${build_packages[@]}" libcli11-dev liburing-dev)
# shellcheck disable=SC2034 # used by test/bench/run.sh
bench_packages=("${demo_packages[@]}" python3)
# shellcheck disable=SC2034 # used by test/bench/run.sh
bench_extra_packages=(fio strace valgrind xfsprogs btrfs-progs)
# shellcheck disable=SC2034 # used by test/run.sh
test_packages=("${demo_packages[@]}" libboost-test1.81-dev libboost-context1.81-dev
    libboost-coroutine1.81-dev xfsprogs btrfs-progs ccache clang-format-14 shellcheck)

# Looks for the thing itself, not for the package, so that it works on every distribution.
package_is_there() {
    case $1 in
        g++) has_command g++ ;;
        cmake) has_command cmake ;;
        ninja-build) has_command ninja ;;
        ccache) has_command ccache ;;
        python3 | fio | strace | valgrind) has_command "$1" ;;
        xfsprogs) has_command mkfs.xfs ;;
        btrfs-progs) has_command mkfs.btrfs ;;
        shellcheck) has_command shellcheck ;;
        clang-format-14) has_command clang-format-14 ;;
        clang-tidy-14) has_command clang-tidy-14 ;;
        libaio-dev) compiles '#include <libaio.h>' -laio ;;
        liburing-dev) compiles '#include <liburing.h>' -luring ;;
        libcli11-dev) compiles '#include <CLI/Version.hpp>' ;;
        libboost1.81-dev)
            compiles '#include <boost/version.hpp>
                      static_assert(BOOST_VERSION >= 108100, "too old");' ;;
        libboost-test1.81-dev) compiles '' -lboost_unit_test_framework ;;
        libboost-context1.81-dev) compiles '' -lboost_context ;;
        libboost-coroutine1.81-dev) compiles '' -lboost_coroutine ;;
        *) dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>&1 | grep -qx installed ;;
    esac
}

has_command() {
    command -v "$1" >/dev/null
}

# compiles DECLARATIONS [LINKER OPTION ...]
compiles() {
    printf '%s\nint main() {}\n' "$1" |
        g++ -x c++ - -x none -o /dev/null "${@:2}" >/dev/null 2>&1
}

missing_packages() {
    local package
    for package; do
        package_is_there "$package" || printf '%s\n' "$package"
    done
}

require_packages() {
    local -a missing as_root=()
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]})) || return 0

    has_command apt-get || lacking "this system has no apt-get" "${missing[@]}"
    if ((EUID != 0)); then
        has_command sudo || lacking "neither root nor sudo to install it with" "${missing[@]}"
        as_root=(sudo)
    fi
    as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300)

    echo "installing: ${missing[*]}"
    local log
    log=$(mktemp)
    # --no-remove: libboost1.81-dev would take the place of another version's headers, and that is
    # for the user to decide.
    if ! { "${as_root[@]}" update &&
        "${as_root[@]}" install --yes --no-remove --no-install-recommends "${missing[@]}"; } \
        >"$log" 2>&1 </dev/null; then
        tail -n 30 "$log" >&2
        rm -f "$log"
        lacking "apt-get could not install it (see above)" "${missing[@]}"
    fi
    rm -f "$log"

    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]} == 0)) || lacking "installed, but not usable" "${missing[@]}"
}

# lacking REASON PACKAGE ...
lacking() {
    {
        echo
        echo "kaio needs what these packages bring, by their names in Debian 12:"
        printf '    %s\n' "${@:2}"
        echo "$1"
    } >&2
    exit 2
}
