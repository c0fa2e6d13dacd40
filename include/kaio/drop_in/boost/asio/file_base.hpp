//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef BOOST_ASIO_FILE_BASE_HPP
#define BOOST_ASIO_FILE_BASE_HPP

#include <kaio_drop_in.hpp>

#if defined(KAIO_DROP_IN)
#include <kaio/file_base.hpp>

namespace boost {
namespace asio {

using kaio::file_base;

} // namespace asio
} // namespace boost
#endif // defined(KAIO_DROP_IN)

#endif // BOOST_ASIO_FILE_BASE_HPP
