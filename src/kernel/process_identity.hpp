//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_KERNEL_PROCESS_IDENTITY_HPP
#define KAIO_KERNEL_PROCESS_IDENTITY_HPP

namespace kaio {
namespace detail {

/// Tells a process from the copies of it that a fork makes.
/**
 * Process ids don't: a child in a new PID namespace may have its parent's, and a raw clone runs no
 * handlers of pthread_atfork. So a page is used that the kernel clears in the child.
 */
class process_identity
{
public:
    /// The identity of no process.
    constexpr process_identity() = default;

    static process_identity current() noexcept;

    friend bool operator==(process_identity a, process_identity b) noexcept
    {
        return a.value_ == b.value_;
    }

    friend bool operator!=(process_identity a, process_identity b) noexcept
    {
        return a.value_ != b.value_;
    }

private:
    explicit process_identity(unsigned value) noexcept : value_(value)
    {
    }

    unsigned value_ = 0;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_KERNEL_PROCESS_IDENTITY_HPP
