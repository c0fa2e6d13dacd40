//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_KERNEL_WAKE_EVENT_HPP
#define KAIO_KERNEL_WAKE_EVENT_HPP

#include <utility>

namespace kaio {
namespace detail {

/// The eventfd that the kernel signals for each completion, and threads for their results.
class wake_event
{
public:
    /// Throws setup_failure.
    wake_event();
    ~wake_event();

    wake_event(const wake_event&) = delete;
    wake_event& operator=(const wake_event&) = delete;

    int descriptor() const noexcept
    {
        return descriptor_;
    }

    void swap(wake_event& other) noexcept
    {
        std::swap(descriptor_, other.descriptor_);
    }

    void signal() noexcept;

    /// Forget the signals so far.
    void drain() noexcept;

private:
    int descriptor_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_KERNEL_WAKE_EVENT_HPP
