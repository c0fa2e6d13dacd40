//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_ASIO_HPP
#define KAIO_DETAIL_ASIO_HPP

// All that differs between the versions of Asio, and the names that kaio takes from it.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/version.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <kaio/detail/config.hpp>

#if BOOST_ASIO_VERSION < 102600
#error "kaio needs Boost 1.81 (Asio 1.26) or newer"
#endif

#if BOOST_ASIO_VERSION >= 102800
#define KAIO_HAS_IMMEDIATE_EXECUTOR 1
#endif

// Asio's functions that report through an error_code also return it, unless deprecated parts are
// switched off. Programs rely on either.
#if defined(BOOST_ASIO_NO_DEPRECATED)
#define KAIO_SYNC_OP_VOID void
#define KAIO_SYNC_OP_VOID_RETURN(e) return
#else
#define KAIO_SYNC_OP_VOID boost::system::error_code
#define KAIO_SYNC_OP_VOID_RETURN(e) return e
#endif

namespace kaio {

namespace asio = boost::asio;

using boost::system::error_code;
using boost::system::system_error;

} // namespace kaio

#endif // KAIO_DETAIL_ASIO_HPP
