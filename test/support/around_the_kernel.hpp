//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_AROUND_THE_KERNEL_HPP
#define KAIO_TEST_SUPPORT_AROUND_THE_KERNEL_HPP

#include <cerrno>
#include <functional>
#include <utility>

#include "interposed_io.hpp"

namespace kaio {
namespace test {

/// Does something before and after each call by which operations come to the kernel, be it
/// io_submit or a transfer of the loop.
class around_the_kernel
{
public:
    explicit around_the_kernel(
        std::function<void()> before, std::function<void()> after = [] {})
      : before_(std::move(before)), after_(std::move(after))
    {
    }

private:
    const std::function<void()> before_;
    const std::function<void()> after_;
    const interposed_submit submit_{[this](::aio_context_t kernel, long count, ::iocb** blocks) {
        before_();
        const int result = kernel_submit(kernel, count, blocks);
        after_();
        return result;
    }};
    const interposed_call call_{[this](long number, int descriptor, const ::iovec* buffers,
                                       long count, ::off_t offset, int flags) {
        before_();
        const long result = kernel_call(number, descriptor, buffers, count, offset, flags);
        const int error = errno;
        after_();
        errno = error;
        return result;
    }};
};

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_AROUND_THE_KERNEL_HPP
