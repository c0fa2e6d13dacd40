//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "kernel/parking_place.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include <kaio/detail/context/setup_failure.hpp>

namespace kaio {
namespace detail {

// A descriptor opened with O_PATH can't be read or written, and closing it never waits.
parking_place::parking_place() : placeholder_(::open("/", O_PATH | O_CLOEXEC))
{
    const int error = errno;
    if (placeholder_ == -1)
        throw setup_failure(error, "open(\"/\", O_PATH), a placeholder for closed files");
    reserve();
    if (spare_ == -1)
    {
        const int refused = errno;
        ::close(placeholder_);
        throw setup_failure(refused, "F_DUPFD_CLOEXEC, a descriptor in reserve");
    }
}

parking_place::~parking_place()
{
    if (spare_ != -1)
        ::close(spare_);
    ::close(placeholder_);
}

bool parking_place::park(int descriptor, int& error) noexcept
{
    // dup3 hides the error of the close that it makes. So a duplicate is closed first, to get the error.
    int duplicate = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (duplicate == -1 && errno == EBADF)
        error = EBADF;
    else if (duplicate == -1)
        duplicate = duplicate_to_spare(descriptor);
    if (duplicate != -1 && ::close(duplicate) == -1)
        error = errno;
    if (spare_ == -1)
        reserve();
    return ::dup3(placeholder_, descriptor, O_CLOEXEC) != -1;
}

void parking_place::reserve() noexcept
{
    const int reserved = ::fcntl(placeholder_, F_DUPFD_CLOEXEC, 0);
    if (reserved != -1)
        keep(reserved);
}

int parking_place::duplicate_to_spare(int descriptor) noexcept
{
    const int spare = spare_.exchange(-1);
    const int result = spare != -1 ? ::dup3(descriptor, spare, O_CLOEXEC) : -1;
    if (result == -1 && spare != -1)
        keep(spare);
    return result;
}

void parking_place::keep(int spare) noexcept
{
    int none = -1;
    if (!spare_.compare_exchange_strong(none, spare))
        ::close(spare);
}

} // namespace detail
} // namespace kaio
