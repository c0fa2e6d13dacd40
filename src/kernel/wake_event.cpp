//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "kernel/wake_event.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include <kaio/detail/context/setup_failure.hpp>
#include <kaio/detail/schedule_point.hpp>

namespace kaio {
namespace detail {

wake_event::wake_event() : descriptor_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))
{
    if (descriptor_ == -1)
        throw setup_failure(errno, "eventfd");
}

wake_event::~wake_event()
{
    ::close(descriptor_);
}

void wake_event::signal() noexcept
{
    schedule_point();
    ::eventfd_write(descriptor_, 1);
    schedule_point();
}

void wake_event::drain() noexcept
{
    ::eventfd_t count;
    ::eventfd_read(descriptor_, &count);
    schedule_point();
}

} // namespace detail
} // namespace kaio
