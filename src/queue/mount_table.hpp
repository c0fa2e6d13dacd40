//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_QUEUE_MOUNT_TABLE_HPP
#define KAIO_QUEUE_MOUNT_TABLE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace kaio {
namespace detail {

/// What the files of one mount use together. If the mount hangs, that doesn't come back.
struct mount_usage
{
    std::uint64_t device = 0;
    std::size_t files = 0;

    // Operations in the kernel. Helpers that work for these files.
    std::size_t in_flight = 0;
    std::size_t helpers = 0;

    // Operations that wait for a helper.
    std::size_t waiting = 0;

    // Reads that were prefetched and wait for a helper.
    std::size_t prefetched = 0;
};

/// The mounts and devices of the files that are known.
class mount_table
{
public:
    /// How many there are, without the one for files that are not open.
    std::size_t size() const noexcept
    {
        return mounts_.size();
    }

    /// Whether a predicate holds for any of them, or for the one for files that are not open.
    template <typename Predicate>
    bool any_of(Predicate&& holds) const noexcept
    {
        return holds(unopened_) || std::any_of(mounts_.begin(), mounts_.end(),
                                               [&](const auto& mount) { return holds(*mount); });
    }

    /// The usage of all files that are not open: they may be of one mount.
    mount_usage& unopened() noexcept
    {
        return unopened_;
    }

    /// The usage of a device, for one more file.
    mount_usage& join(std::uint64_t device) noexcept;

    /// One file fewer.
    void leave(mount_usage& mount) noexcept;

private:
    // By pointers, so that the addresses of the usages last.
    std::vector<std::unique_ptr<mount_usage>> mounts_;
    mount_usage unopened_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_QUEUE_MOUNT_TABLE_HPP
