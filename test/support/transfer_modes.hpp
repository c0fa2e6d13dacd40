//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_TRANSFER_MODES_HPP
#define KAIO_TEST_SUPPORT_TRANSFER_MODES_HPP

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <iostream>
#include <string>
#include <vector>

#include <kaio/file_base.hpp>
#include <kaio/io_options.hpp>

#include "temporary_file.hpp"

namespace kaio {
namespace test {

/// Through the page cache, or past it.
enum class transfer_mode
{
    buffered,
    direct
};

inline std::ostream& operator<<(std::ostream& os, transfer_mode mode)
{
    return os << (mode == transfer_mode::direct ? "direct" : "buffered");
}

/// Flags to open a file for a mode.
inline file_base::flags operator|(file_base::flags flags, transfer_mode mode)
{
    return mode == transfer_mode::direct ? flags | file_base::direct : flags;
}

/// The modes that the test directory allows.
inline std::vector<transfer_mode> transfer_modes()
{
    if (direct_io_available())
        return {transfer_mode::buffered, transfer_mode::direct};
    std::cerr << "no direct I/O in " << directory() << ": its tests are left out\n";
    return {transfer_mode::buffered};
}

/// The precondition of tests that need files opened with O_DIRECT.
inline boost::test_tools::assertion_result needs_direct_io(boost::unit_test::test_unit_id id)
{
    if (!direct_io_available())
        std::cerr << "SKIPPED: "
                  << boost::unit_test::framework::get<boost::unit_test::test_unit>(id).full_name()
                  << ": no direct I/O in " << directory() << std::endl;
    return direct_io_available();
}

/// Options that send a transfer of the page cache through io_submit: only that takes a priority.
inline io_options by_io_submit()
{
    io_options result;
    result.priority = io_priority{io_priority_class::best_effort, 4};
    return result;
}

/// Whether reads from the page cache are tried on the loop: the file system knows RWF_NOWAIT.
inline boost::test_tools::assertion_result tries_reads(boost::unit_test::test_unit_id)
{
    static const bool result = [] {
        const temporary_file file(std::string("x"));
        const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
        char byte;
        const ::iovec buffer = {&byte, 1};
        const bool known =
            ::preadv2(descriptor, &buffer, 1, 0, RWF_NOWAIT) != -1 || errno != EOPNOTSUPP;
        ::close(descriptor);
        if (!known)
            std::cerr << directory() << " is on a file system without RWF_NOWAIT: skipped\n";
        return known;
    }();
    return result;
}

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_TRANSFER_MODES_HPP
