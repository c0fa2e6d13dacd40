//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "kernel/aio_context.hpp"

#include <libaio.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fstream>
#include <string>

#include <kaio/detail/context/setup_failure.hpp>
#include <kaio/detail/schedule_point.hpp>

namespace kaio {
namespace detail {
namespace {

static_assert(sizeof(::io_event) == sizeof(completion_event),
              "the event of libaio is the kernel's");

constexpr std::size_t most_events_at_once = 64;

std::string limit(const char* name)
{
    std::string value = "unknown";
    std::ifstream(std::string("/proc/sys/fs/") + name) >> value;
    return value;
}

[[noreturn]] void throw_refused(int error, std::size_t needed)
{
    throw setup_failure(error, "io_setup for " + std::to_string(needed) +
                                   " operations, fs.aio-nr " + limit("aio-nr") +
                                   " of fs.aio-max-nr " + limit("aio-max-nr"));
}

} // namespace

aio_context::aio_context(std::size_t operations)
  : capacity_(operations), events_(std::min<std::size_t>(operations, most_events_at_once))
{
    ::io_context_t context = nullptr;
    for (;;)
    {
        const std::size_t events = std::min<std::size_t>(capacity_, INT_MAX);
        const int result = ::io_setup(static_cast<int>(events), &context);
        if (result == 0)
            break;
        const bool fewer_may_do = result == -EAGAIN || result == -ENOMEM || result == -EINVAL;
        if (!fewer_may_do || capacity_ <= 1)
            throw_refused(-result, operations);
        capacity_ = events / 2;
    }
    context_ = context;
    ring_ = completion_ring(context_);
    // A filter of system calls may refuse this one alone.
    const long events = get_events(0);
    if (events < 0)
    {
        ::io_destroy(context);
        throw setup_failure(static_cast<int>(-events), "io_getevents");
    }
}

aio_context::~aio_context()
{
    if (context_)
        ::io_destroy(static_cast<::io_context_t>(context_));
}

submission aio_context::submit(control_block* const* blocks, std::size_t count) noexcept
{
    schedule_point();
    const int result = ::io_submit(static_cast<::io_context_t>(context_), static_cast<long>(count),
                                   reinterpret_cast<::iocb**>(const_cast<control_block**>(blocks)));
    schedule_point();
    if (result > 0)
        return {static_cast<std::size_t>(result), 0};
    return {0, result < 0 ? -result : EAGAIN};
}

long aio_context::get_events(long minimum) noexcept
{
    ::timespec now = {0, 0};
    const int result = ::io_getevents(
        static_cast<::io_context_t>(context_), minimum, static_cast<long>(events_.size()),
        reinterpret_cast<::io_event*>(events_.data()), minimum == 0 ? &now : nullptr);
    return result == -EINTR ? 0 : result;
}

} // namespace detail
} // namespace kaio
