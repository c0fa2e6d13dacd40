//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "queue/mount_table.hpp"

#include <algorithm>
#include <new>

namespace kaio {
namespace detail {

mount_usage& mount_table::join(std::uint64_t device) noexcept
{
    const auto known = std::find_if(mounts_.begin(), mounts_.end(),
                                    [&](const auto& mount) { return mount->device == device; });
    if (known != mounts_.end())
    {
        ++(*known)->files;
        return **known;
    }
    try
    {
        mounts_.push_back(std::make_unique<mount_usage>(mount_usage{device, 1}));
        return *mounts_.back();
    }
    catch (const std::bad_alloc&)
    {
        return unopened_; // It says less, and does no harm.
    }
}

void mount_table::leave(mount_usage& mount) noexcept
{
    if (&mount == &unopened_ || --mount.files != 0)
        return;
    mounts_.erase(std::find_if(mounts_.begin(), mounts_.end(),
                               [&](const auto& other) { return other.get() == &mount; }));
}

} // namespace detail
} // namespace kaio
