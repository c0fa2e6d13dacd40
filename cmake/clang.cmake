#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

# Toolchain file: the newest clang++ that is installed.

find_program(KAIO_CLANG NAMES clang++-22 clang++-21 clang++-20 clang++-19 clang++-18 clang++-17
                              clang++-16 clang++ REQUIRED)
mark_as_advanced(KAIO_CLANG)
set(CMAKE_CXX_COMPILER "${KAIO_CLANG}")
