//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_QUEUE_MOUNT_ACCOUNTS_HPP
#define KAIO_QUEUE_MOUNT_ACCOUNTS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace kaio {
namespace detail {

/// What the files of one mount are using together: if it hangs, that comes back no more.
struct mount_account
{
    std::uint64_t device = 0;
    std::size_t files = 0;

    // Operations in the kernel. Threads of the pool that work for these files.
    std::size_t in_flight = 0;
    std::size_t workers = 0;

    // Operations that wait for a thread.
    std::size_t waiting = 0;

    // Reads of which the kernel has been told, and that wait for a thread.
    std::size_t announced = 0;
};

/// The mounts, and the devices, of which files are known.
class mount_accounts
{
public:
    /// How many there are, without the one for files that are not open.
    std::size_t size() const noexcept
    {
        return accounts_.size();
    }

    /// Whether a predicate holds for any of them, or for the one for files that are not open.
    template <typename Predicate>
    bool any_of(Predicate&& holds) const noexcept
    {
        return holds(unopened_) ||
               std::any_of(accounts_.begin(), accounts_.end(),
                           [&](const auto& account) { return holds(*account); });
    }

    /// The account of all files that are not open: they may be of one mount.
    mount_account& unopened() noexcept
    {
        return unopened_;
    }

    /// The account of a device, for one more file.
    mount_account& join(std::uint64_t device) noexcept;

    /// One file fewer.
    void leave(mount_account& account) noexcept;

private:
    // Their addresses last.
    std::vector<std::unique_ptr<mount_account>> accounts_;
    mount_account unopened_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_QUEUE_MOUNT_ACCOUNTS_HPP
