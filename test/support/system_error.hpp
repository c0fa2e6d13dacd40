//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_SYSTEM_ERROR_HPP
#define KAIO_TEST_SUPPORT_SYSTEM_ERROR_HPP

#include <boost/system/error_code.hpp>

namespace kaio {
namespace test {

/// The error code of an errno.
inline boost::system::error_code system_error(int number)
{
    return {number, boost::system::system_category()};
}

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_SYSTEM_ERROR_HPP
