//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_FAILING_KERNEL_HPP
#define KAIO_TEST_SUPPORT_FAILING_KERNEL_HPP

#include <atomic>
#include <cerrno>
#include <cstddef>

#include "interposed_io.hpp"

namespace kaio {
namespace test {

/// Lets each call by which operations come to the kernel fail.
class failing_kernel
{
public:
    explicit failing_kernel(int error) : error_(error)
    {
    }

    std::size_t calls() const
    {
        return calls_;
    }

private:
    const int error_;
    std::atomic<std::size_t> calls_{0};
    const interposed_submit submit_{[this](::aio_context_t, long, ::iocb**) {
        ++calls_;
        return -error_;
    }};
    const interposed_call call_{[this](long, int, const ::iovec*, long, ::off_t, int) {
        ++calls_;
        errno = error_;
        return -1L;
    }};
};

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_FAILING_KERNEL_HPP
