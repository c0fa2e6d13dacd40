#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

# Runs the program built with Asio's own files and the one built with kaio::drop_in, and compares what
# they print: cmake -DASIO=program -DKAIO=program -P compare.cmake

foreach(name IN ITEMS ASIO KAIO)
  execute_process(COMMAND "${${name}}" "drop_in_compare_${name}.data" TIMEOUT 50
                  OUTPUT_VARIABLE output_${name} RESULT_VARIABLE result_${name})
endforeach()

if(output_ASIO MATCHES "exception: io_uring_queue_init")
  message(STATUS "io_uring is refused here: nothing to compare with")
  return()
endif()
if(NOT result_ASIO EQUAL 0 OR NOT result_KAIO EQUAL 0 OR NOT output_ASIO STREQUAL output_KAIO)
  message(FATAL_ERROR "with Asio's files (${result_ASIO}):\n${output_ASIO}\n"
                      "with kaio's (${result_KAIO}):\n${output_KAIO}")
endif()
