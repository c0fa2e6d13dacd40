#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

# Finds the headers of Boost: target Boost::headers.
#
# Without a hint it is the Boost whose CMake package the system has. Boost_ROOT or BOOST_ROOT (CMake
# or environment variable) names the directory of another one, and then that one is taken or none:
# an installed Boost with its CMake package, or nothing but headers, in DIR/boost or
# DIR/include/boost, as in an unpacked release. kaio_boost_HEADERS_ONLY is true for the latter.
#
# Installed beside kaio's CMake package, so that a program finds Boost the way kaio did. A project
# that has a target Boost::headers already keeps it.

set(kaio_boost_HEADERS_ONLY FALSE)
set(kaio_boost_root "")
foreach(hint IN ITEMS "${Boost_ROOT}" "${BOOST_ROOT}" "$ENV{Boost_ROOT}" "$ENV{BOOST_ROOT}")
  if(hint)
    set(kaio_boost_root "${hint}")
    break()
  endif()
endforeach()

if(TARGET Boost::headers)
  set(kaio_boost_SOURCE "target Boost::headers")
  set(kaio_boost_VERSION "${Boost_VERSION}")
elseif(kaio_boost_root)
  find_package(Boost CONFIG QUIET COMPONENTS headers PATHS "${kaio_boost_root}" NO_DEFAULT_PATH)
  if(Boost_FOUND)
    set(kaio_boost_SOURCE "${Boost_DIR}")
    set(kaio_boost_VERSION "${Boost_VERSION}")
  else()
    find_path(kaio_boost_INCLUDE_DIR boost/version.hpp PATHS "${kaio_boost_root}"
              PATH_SUFFIXES include NO_DEFAULT_PATH)
    mark_as_advanced(kaio_boost_INCLUDE_DIR)
    if(kaio_boost_INCLUDE_DIR)
      set(kaio_boost_HEADERS_ONLY TRUE)
      set(kaio_boost_SOURCE "${kaio_boost_INCLUDE_DIR}")
      file(STRINGS "${kaio_boost_INCLUDE_DIR}/boost/version.hpp" kaio_boost_VERSION
           REGEX "^#define BOOST_LIB_VERSION ")
      string(REGEX REPLACE ".*\"([0-9_]+)\".*" "\\1" kaio_boost_VERSION "${kaio_boost_VERSION}")
      string(REPLACE "_" "." kaio_boost_VERSION "${kaio_boost_VERSION}")
    endif()
  endif()
else()
  find_package(Boost CONFIG QUIET COMPONENTS headers)
  if(Boost_FOUND)
    set(kaio_boost_SOURCE "${Boost_DIR}")
    set(kaio_boost_VERSION "${Boost_VERSION}")
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  kaio_boost
  REQUIRED_VARS kaio_boost_SOURCE
  VERSION_VAR kaio_boost_VERSION
  REASON_FAILURE_MESSAGE
    "Boost 1.81 or newer is needed: libboost1.81-dev on Debian 12, or another by -DBoost_ROOT=DIR")

if(kaio_boost_FOUND AND kaio_boost_HEADERS_ONLY AND NOT TARGET Boost::headers)
  add_library(Boost::headers INTERFACE IMPORTED)
  target_include_directories(Boost::headers SYSTEM INTERFACE "${kaio_boost_INCLUDE_DIR}")
endif()
