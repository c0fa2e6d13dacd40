//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_SKIP_HPP
#define KAIO_TEST_SUPPORT_SKIP_HPP

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <iostream>
#include <string>

namespace kaio {
namespace test {

/// Say loudly that something can't be tested here, and why.
inline void skip(const std::string& why)
{
    std::cerr << "SKIPPED: " << boost::unit_test::framework::current_test_case().full_name() << ": "
              << why << std::endl;
    BOOST_TEST(true); // Not a test without checks.
}

inline bool is_root()
{
    return ::geteuid() == 0;
}

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_SKIP_HPP
