//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_NEEDS_AIO_HPP
#define KAIO_TEST_SUPPORT_NEEDS_AIO_HPP

#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <iostream>

namespace kaio {
namespace test {

/// Whether the kernel knows and allows Linux AIO.
inline bool aio_available()
{
    static const bool result = [] {
        ::aio_context_t context = 0;
        if (::syscall(SYS_io_setup, 1, &context) == -1)
            return errno == EAGAIN; // Others have all there is: that is no reason to be silent.
        ::syscall(SYS_io_destroy, context);
        return true;
    }();
    return result;
}

/// The precondition of tests of what only Linux AIO can show.
inline boost::test_tools::assertion_result needs_aio(boost::unit_test::test_unit_id id)
{
    if (!aio_available())
        std::cerr << "SKIPPED: "
                  << boost::unit_test::framework::get<boost::unit_test::test_unit>(id).full_name()
                  << ": needs AIO" << std::endl;
    return aio_available();
}

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_NEEDS_AIO_HPP
