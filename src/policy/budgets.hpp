//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_POLICY_BUDGETS_HPP
#define KAIO_POLICY_BUDGETS_HPP

#include <algorithm>
#include <cstddef>

namespace kaio {
namespace detail {

// A mount that hangs never gives back what it holds: slots of the AIO context, and helper threads. So no
// file and no mount may hold all of them while there are others.

/// The slots of an AIO context, and who uses them.
struct slot_usage
{
    std::size_t slots;
    std::size_t in_flight;
    std::size_t open_files;
    std::size_t mounts;

    /// The kernel has refused more, and a completion will make room.
    bool congested;
};

/// The slots that a file and its mount use.
struct file_slots
{
    std::size_t in_flight;
    std::size_t in_flight_of_mount;

    /// How many operations a block device takes without waiting.
    std::size_t depth_limit;
};

/// A file, and all files of a mount together, may hold so many times the slots that are left.
constexpr std::size_t share_of_file = 8;
constexpr std::size_t share_of_mount = 16;

/// Whether a file may have one more slot.
inline bool may_have_slot(const slot_usage& all, const file_slots& file) noexcept
{
    const std::size_t left = all.slots - all.in_flight;
    const bool no_room = all.congested && all.in_flight != 0;
    if (no_room || left == 0 || file.in_flight >= file.depth_limit)
        return false;
    if (all.in_flight < share_of_file * left)
        return true; // Not even all of them together hold that much.
    return (all.open_files < 2 || file.in_flight < share_of_file * left) &&
           (all.mounts < 2 || file.in_flight_of_mount < share_of_mount * left);
}

/// How many slots a file may take at once, if it may have one.
/** Several, as long as all files together hold less than one file may. */
inline std::size_t burst_limit(const slot_usage& all, const file_slots& file) noexcept
{
    const std::size_t left = all.slots - all.in_flight;
    if (all.in_flight >= share_of_file * left)
        return 1;
    const std::size_t all_together = (share_of_file * left - all.in_flight) / (share_of_file + 1);
    return std::clamp<std::size_t>(all_together, 1, file.depth_limit - file.in_flight);
}

/// The helper threads, and who uses them.
struct helper_usage
{
    std::size_t helpers;
    std::size_t working;
};

/// A mount that has a helper leaves so many to others: one for each of two other mounts.
constexpr std::size_t helpers_left_to_others = 2;

/// Whether a file may have one more helper, when it and its mount have so many.
/** The first helper of a mount is always allowed. For another one, some must be left to others, and as
 *  many as the file then has.
 */
inline bool may_have_helper(const helper_usage& all, std::size_t of_file,
                            std::size_t of_mount) noexcept
{
    const std::size_t others = std::max(of_file + 1, helpers_left_to_others);
    return of_mount == 0 || all.working + 1 + others <= all.helpers;
}

/// Whether there can be any file that may have one more helper, though its mount has one.
inline bool any_may_have_helper(const helper_usage& all) noexcept
{
    return may_have_helper(all, 0, 1);
}

} // namespace detail
} // namespace kaio

#endif // KAIO_POLICY_BUDGETS_HPP
