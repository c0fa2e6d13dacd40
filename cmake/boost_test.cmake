#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

# The compiled parts of Boost that the tests need, whatever Boost was found:
#
#   kaio_boost_test       Boost.Test with a main(); a test just includes <boost/test/unit_test.hpp>
#   kaio_boost_stackful   what boost::asio::yield_context needs
#
# A Boost of headers alone goes together with the system's libboost_context, whose binary interface
# has stayed the same; Boost.Test is compiled into the tests then, and Boost.Coroutine, which the
# newer Asio does without, is left out.

add_library(kaio_boost_test STATIC "${CMAKE_CURRENT_LIST_DIR}/boost_test_main.cpp")
add_library(kaio_boost_stackful INTERFACE)

if(kaio_boost_HEADERS_ONLY)
  target_link_libraries(kaio_boost_test PUBLIC Boost::headers)
  target_compile_definitions(kaio_boost_test PRIVATE KAIO_BOOST_TEST_INCLUDED)

  find_library(KAIO_BOOST_CONTEXT boost_context REQUIRED)
  mark_as_advanced(KAIO_BOOST_CONTEXT)
  target_link_libraries(kaio_boost_stackful INTERFACE Boost::headers "${KAIO_BOOST_CONTEXT}")
  target_compile_definitions(kaio_boost_stackful INTERFACE BOOST_ASIO_DISABLE_BOOST_COROUTINE)
else()
  find_package(Boost ${kaio_boost_VERSION} EXACT CONFIG REQUIRED
               COMPONENTS unit_test_framework context coroutine)

  target_link_libraries(kaio_boost_test PUBLIC Boost::unit_test_framework)
  get_target_property(kaio_boost_test_type Boost::unit_test_framework TYPE)
  if(kaio_boost_test_type STREQUAL "SHARED_LIBRARY")
    target_compile_definitions(kaio_boost_test PUBLIC BOOST_TEST_DYN_LINK)
  endif()
  target_link_libraries(kaio_boost_stackful INTERFACE Boost::context Boost::coroutine)
endif()
