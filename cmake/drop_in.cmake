#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

# Target kaio::drop_in, for programs that use boost::asio::random_access_file and stream_file: built
# with it, unchanged, they get kaio's. It is a folder of headers that stand before Asio's, and the
# macro that makes Asio and programs believe in files. It has to reach every translation unit.

add_library(kaio_drop_in INTERFACE)
add_library(kaio::drop_in ALIAS kaio_drop_in)

set(kaio_drop_in_dir include/kaio/drop_in)
file(GLOB_RECURSE kaio_drop_in_headers CONFIGURE_DEPENDS ${kaio_drop_in_dir}/*.hpp)

target_sources(
  kaio_drop_in
  INTERFACE FILE_SET HEADERS BASE_DIRS "${kaio_drop_in_dir}" FILES ${kaio_drop_in_headers})
target_compile_definitions(kaio_drop_in INTERFACE BOOST_ASIO_HAS_FILE=1)
target_link_libraries(kaio_drop_in INTERFACE kaio)

# As a system directory the folder would stand behind a Boost that isn't one.
set_target_properties(
  kaio_drop_in
  PROPERTIES EXPORT_NAME drop_in
             EXPORT_NO_SYSTEM ON
             VERIFY_INTERFACE_HEADER_SETS ${PROJECT_IS_TOP_LEVEL})
