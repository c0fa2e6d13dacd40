//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_THROW_ERROR_HPP
#define KAIO_DETAIL_THROW_ERROR_HPP

#include <boost/throw_exception.hpp>
#include <kaio/detail/asio.hpp>

namespace kaio {
namespace detail {

inline error_code system_error_code(int error) noexcept
{
    return error_code(error, boost::system::system_category());
}

inline void throw_error(const error_code& ec, const char* location)
{
    if (ec)
        boost::throw_exception(system_error(ec, location));
}

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_THROW_ERROR_HPP
