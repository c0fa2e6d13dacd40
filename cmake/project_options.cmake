#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

# How kaio's own code is compiled. Nothing of this reaches the programs that use kaio.

add_library(kaio_project_options INTERFACE)

target_compile_options(
  kaio_project_options
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Wcast-align
            -Wconversion
            -Wextra-semi
            -Wnon-virtual-dtor
            -Wold-style-cast
            -Woverloaded-virtual
            -Wshadow
            -Wsign-conversion
            -Wundef
            -Wunused
            $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond>
            $<$<CXX_COMPILER_ID:GNU>:-Wlogical-op>
            $<$<BOOL:${KAIO_WERROR}>:-Werror>)

if(KAIO_SANITIZE)
  string(REPLACE ";" "," kaio_sanitizers "${KAIO_SANITIZE}")
  add_compile_options(-fsanitize=${kaio_sanitizers} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${kaio_sanitizers})
  if(KAIO_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Asio has fences, which gcc's ThreadSanitizer can't follow and warns of.
    target_compile_options(kaio_project_options INTERFACE -Wno-tsan)
  endif()
endif()

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(KAIO_CCACHE ccache)
  mark_as_advanced(KAIO_CCACHE)
  if(KAIO_CCACHE)
    # Without the sloppiness and the options ccache doesn't cache what uses a precompiled header.
    set(CMAKE_CXX_COMPILER_LAUNCHER
        ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${KAIO_CCACHE})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      add_compile_options(-fpch-preprocess)
    elseif(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
      add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
    endif()
  endif()
endif()
