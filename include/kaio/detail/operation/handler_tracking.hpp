//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_HANDLER_TRACKING_HPP
#define KAIO_DETAIL_OPERATION_HANDLER_TRACKING_HPP

#include <boost/asio/io_context.hpp>
#include <cstdint>

#include <kaio/detail/asio.hpp>

// Asio's macros for handler tracking, which are nothing unless a program asks for it. What each of
// them means is part of Asio's documentation of custom handler tracking.

/// Say what it is that kaio is going to post, or to wait for.
#define KAIO_HANDLER_LOCATION(what) BOOST_ASIO_HANDLER_LOCATION((__FILE__, __LINE__, "kaio: " what))

/// Record that something is done with a file that calls no handler.
#define KAIO_HANDLER_OPERATION(handle, name)                                       \
    BOOST_ASIO_HANDLER_OPERATION(((handle).service().context(), "file", &(handle), \
                                  static_cast<std::uintmax_t>((handle).descriptor()), name))

/// Record that an operation on a file has been created.
#define KAIO_HANDLER_CREATION(operation, handle)                                             \
    BOOST_ASIO_HANDLER_CREATION(((handle).service().context(), operation, "file", &(handle), \
                                 static_cast<std::uintmax_t>((handle).descriptor()),         \
                                 (operation).details().name(operation)))

#endif // KAIO_DETAIL_OPERATION_HANDLER_TRACKING_HPP
