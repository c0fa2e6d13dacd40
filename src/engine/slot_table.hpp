//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_ENGINE_SLOT_TABLE_HPP
#define KAIO_ENGINE_SLOT_TABLE_HPP

#include <algorithm>
#include <cstddef>
#include <utility>

#include "engine/file_table.hpp"
#include "policy/budgets.hpp"

namespace kaio {
namespace detail {

/// The slots of an AIO context: how many operations may be in the kernel, and which files have them.
/** An operation has its slot from the moment at which io_submit may see it until its completion has
 *  been harvested. All functions are called with the engine's lock held.
 */
class slot_table
{
public:
    explicit slot_table(const file_table& files) noexcept : files_(files)
    {
    }

    /// Begin anew, with a number of slots.
    void reset(std::size_t capacity) noexcept
    {
        capacity_ = capacity;
        congested_ = wanted_ = false;
    }

    std::size_t capacity() const noexcept
    {
        return capacity_;
    }

    /// How many operations have a slot.
    std::size_t in_flight() const noexcept
    {
        return in_flight_;
    }

    /// Whether a file may have one more slot.
    bool has_room_for(const open_file& file) const noexcept
    {
        return may_have_slot(usage(), usage_of(file));
    }

    /// How many slots a file may have at once that may have one.
    std::size_t burst_limit(const open_file& file) const noexcept
    {
        return detail::burst_limit(usage(), usage_of(file));
    }

    /// Give slots to operations of a file.
    void take(open_file& file, std::size_t count) noexcept
    {
        file.usage().in_flight_ += count;
        file.mount().in_flight += count;
        in_flight_ += count;
    }

    /// Take back the slot of an operation of a file.
    void release(open_file& file) noexcept
    {
        --file.usage().in_flight_;
        --file.mount().in_flight;
        --in_flight_;
    }

    /// A block device has refused an operation, rather than wait: its queue is full with what is in flight.
    static void device_is_full(open_file& file) noexcept
    {
        file.usage().depth_limit_ = file.usage().in_flight_;
    }

    /// A block device has taken an operation without a wait. Next time it may have one more.
    void device_took_one(open_file& file) noexcept
    {
        if (file.usage().depth_limit_ < capacity_)
            ++file.usage().depth_limit_;
    }

    /// A call of io_submit is given operations that have slots. Returns how many others the kernel has.
    std::size_t begin_call(std::size_t count) noexcept
    {
        const std::size_t others = in_flight_ - count;
        const std::size_t result = others - std::min(others, offered_);
        offered_ += count;
        return result;
    }

    /// The call has returned.
    void end_call(std::size_t count) noexcept
    {
        offered_ -= count;
    }

    /// Whether the kernel has refused an operation for lack of room, and a completion will make room.
    bool congested() const noexcept
    {
        return congested_;
    }

    /// The kernel has no room for operations that had no slots, or have none any more.
    /** Returns whether a completion will make room. */
    bool refused() noexcept
    {
        return congested_ = in_flight_ != 0;
    }

    /// The kernel may have room again.
    void may_have_room() noexcept
    {
        congested_ = false;
    }

    /// If nothing is in flight that could make room, the kernel is asked again.
    void ask_again_if_idle() noexcept
    {
        congested_ = congested_ && in_flight_ != 0;
    }

    /// Say whether a helper waits for a slot.
    void set_wanted(bool wanted) noexcept
    {
        wanted_ = wanted;
    }

    /// Whether a helper waits for a slot.
    bool wanted() const noexcept
    {
        return wanted_;
    }

    /// The same, and it waits no longer.
    bool take_wanted() noexcept
    {
        return std::exchange(wanted_, false);
    }

private:
    slot_usage usage() const noexcept
    {
        return {capacity_, in_flight_, files_.size(), files_.mounts().size(), congested_};
    }

    static file_slots usage_of(const open_file& file) noexcept
    {
        return {file.usage().in_flight_, file.mount().in_flight, file.usage().depth_limit_};
    }

    const file_table& files_;
    std::size_t capacity_ = 0;
    std::size_t in_flight_ = 0;

    // What calls of io_submit have been given and have not answered for.
    std::size_t offered_ = 0;
    bool congested_ = false;
    bool wanted_ = false;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_ENGINE_SLOT_TABLE_HPP
