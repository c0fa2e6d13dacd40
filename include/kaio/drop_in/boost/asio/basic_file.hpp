//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef BOOST_ASIO_BASIC_FILE_HPP
#define BOOST_ASIO_BASIC_FILE_HPP

#include <boost/asio/file_base.hpp>
#include <kaio_drop_in.hpp>

#if defined(KAIO_DROP_IN)
#include <kaio/basic_file.hpp>

namespace boost {
namespace asio {

using kaio::basic_file;

} // namespace asio
} // namespace boost
#endif // defined(KAIO_DROP_IN)

#endif // BOOST_ASIO_BASIC_FILE_HPP
