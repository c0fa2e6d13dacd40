//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_ENGINE_OPERATION_TABLE_HPP
#define KAIO_ENGINE_OPERATION_TABLE_HPP

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "engine/file_table.hpp"
#include "engine/helper_table.hpp"
#include "engine/service_counters.hpp"
#include "engine/slot_table.hpp"
#include "kernel/aio_context.hpp"
#include "policy/attempt_end.hpp"
#include "policy/path.hpp"
#include "queue/record_list.hpp"
#include "queue/submission_queue.hpp"

namespace kaio {
namespace detail {

/// All operations from their start until they are taken as finished, and each step between.
/** All functions are called with the engine's lock held. */
class operation_table
{
public:
    using lock_type = file_table::lock_type;

    operation_table(file_table& files, slot_table& slots, helper_table& helpers,
                    service_counters& counters) noexcept
      : files_(files), slots_(slots), helpers_(helpers), counters_(counters)
    {
    }

    operation_table(const operation_table&) = delete;
    operation_table& operator=(const operation_table&) = delete;

    /// The operations that wait.
    submission_queue& queue() noexcept
    {
        return queue_;
    }

    const submission_queue& queue() const noexcept
    {
        return queue_;
    }

    std::size_t queued() const noexcept
    {
        return queue_.size() + queue_.off_loop_size();
    }

    /// Whether there are operations to be taken by take_finished().
    bool has_finished() const noexcept
    {
        return !finished_.empty();
    }

    /// Whether there are operations for move_positions().
    bool has_position_to_move() const noexcept
    {
        return !to_be_moved_.empty();
    }

    bool has_several_positions_to_move() const noexcept
    {
        return to_be_moved_.has_several();
    }

    // From the start to the end.

    void start(operation_record& record, open_file& file) noexcept
    {
        record.begin(file, file.cancellations());
        files_.reference(file);
        if (record.request().kind == operation_kind::write && file.appends())
            record.set_serial(true);
        if (record.request().kind == operation_kind::job)
            send_off_loop(record, path::helper);
        else
            queue_.push(record);
        counters_.started();
    }

    /// The next finished operation, which is its owner's from now on, or nullptr.
    operation_record* take_finished() noexcept
    {
        operation_record* record = finished_.pop_front();
        if (!record)
            return nullptr;
        record->release_link();
        files_.dereference(record->file());
        counters_.completed(record->request().kind, record->progress().result);
        return record;
    }

    /// Send an operation off the loop, by one of the two paths of helpers.
    void send_off_loop(operation_record& record, path where) noexcept;

    /// Wake a helper for operations that wait for one. They fail if there is none.
    void wake_helper() noexcept;

    /// Take what has completed. Returns how much that was.
    std::size_t harvest(aio_context& context) noexcept;

    /// The kernel has completed an operation that has a slot.
    void completed(operation_record& record, std::int64_t result) noexcept;

    /// Take back the slot of an operation, for a helper if one waits for a slot.
    void release_slot(operation_record& record) noexcept;

    /// An attempt has ended: the operation has finished, or goes on elsewhere.
    void ended(operation_record& record, attempt made, std::int64_t result) noexcept;

    /// An operation is done. It has finished when the position of its file has been moved.
    void finish(operation_record& record, std::int64_t result) noexcept
    {
        record.progress().result = static_cast<std::int32_t>(result);
        if (record.progress().has_turn && !ends_serial_turn(record))
            return;
        record.progress().state = operation_state::finished;
        finished_.push_back(record);
    }

    /// An operation ends while it is queued, and not by an answer of the kernel or of a helper.
    void finish_queued(operation_record& record, int error) noexcept;

    /// Move the positions of files behind what was transferred, without the lock.
    void move_positions(lock_type& lock) noexcept;

    /// A seek in a file has taken so long.
    void time_seek(open_file& file, std::chrono::nanoseconds duration) noexcept;

    // Cancellation.

    /// Whether the user was told that an operation is cancelled.
    static bool cancelled(const operation_record& record) noexcept
    {
        return record.progress().cancelled ||
               record.progress().cancellations != record.file().cancellations();
    }

    /// Abort an operation that is queued. Any other is not tried again. True if it was aborted.
    bool cancel(operation_record& record) noexcept;

    /// Abort the operations of a file that wait.
    void abort_waiting(open_file& file) noexcept;

    /// Abort all that waits.
    void abort_all_waiting() noexcept;

    /// The same in a child process: what they began goes on in the parent.
    void abort_all_as_child() noexcept;

    /// From now on nothing is tried again elsewhere.
    void stop() noexcept
    {
        stopping_ = true;
    }

    bool stopping() const noexcept
    {
        return stopping_;
    }

private:
    inline void completed_as_wanted(operation_record& record, std::int64_t result) noexcept;
    inline void learn(operation_record& record, lesson what) noexcept;
    void continue_off_loop(operation_record& record, retry_reason reason) noexcept;
    bool ends_serial_turn(operation_record& record) noexcept;
    void finish_early(operation_record& record, int error) noexcept;
    void abort(operation_record& record) noexcept;

    file_table& files_;
    slot_table& slots_;
    helper_table& helpers_;
    service_counters& counters_;
    submission_queue queue_;
    record_queue finished_;

    // What will have finished when the position of its file has been moved.
    record_queue to_be_moved_;
    bool stopping_ = false;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_ENGINE_OPERATION_TABLE_HPP
