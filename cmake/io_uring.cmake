#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

# Target kaio_io_uring, for the programs that compare kaio with Asio's own files: where it exists,
# Asio in a target linked to it has boost::asio::random_access_file.

find_package(liburing QUIET)

if(liburing_FOUND)
  add_library(kaio_io_uring INTERFACE)
  target_compile_definitions(kaio_io_uring INTERFACE BOOST_ASIO_HAS_IO_URING)
  target_link_libraries(kaio_io_uring INTERFACE liburing::liburing)
else()
  message(STATUS "liburing not found (Debian: liburing-dev):"
                 " no comparison with boost::asio::random_access_file, no test beside io_uring")
endif()
