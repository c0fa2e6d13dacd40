//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_ENGINE_IMPLEMENTATION_HPP
#define KAIO_ENGINE_IMPLEMENTATION_HPP

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include <kaio/detail/engine.hpp>

#include "engine/file_table.hpp"
#include "engine/service_counters.hpp"
#include "engine/slot_table.hpp"
#include "engine/turn_signals.hpp"
#include "kernel/aio_context.hpp"
#include "kernel/mutex.hpp"
#include "kernel/process_identity.hpp"
#include "offload/worker_pool.hpp"
#include "policy/attempt_end.hpp"
#include "policy/path.hpp"
#include "queue/batch_stock.hpp"
#include "queue/submission_queue.hpp"

namespace kaio {
namespace detail {

/// The state of an engine, and the steps of its work. All of it is called with the lock held.
class engine::implementation
{
public:
    using lock_type = std::unique_lock<mutex>;
    using guard_type = std::lock_guard<mutex>;

    explicit implementation(const service_options& options);

    // Turns: engine.cpp.
    void set_up_context(bool required);

    std::size_t queued() const noexcept;
    bool work_left() const noexcept;
    bool may_take_long() const noexcept;
    bool hand_on() noexcept;
    void submit_started(lock_type& lock) noexcept;

    // What has to be done so that no completion and no operation is left to itself.
    next_step plan() noexcept
    {
        return turns_.turn_is_certain() ? next_step::none : plan_anew();
    }

    next_step plan_anew() noexcept;

    // What is done with an operation that waits: submission.cpp.
    path path_of(operation_record& record, bool starved) noexcept;
    common_path common_path_of(const open_file& file, operation_kind kind) const noexcept;
    bool submits_on_loop(operation_kind kind) const noexcept;
    static bool seeks(const operation_record& record) noexcept;
    bool is_starved(const open_file& file) const noexcept;
    bool must_wait(const open_file& file) const noexcept;
    bool may_submit() const noexcept;
    void look_before(open_file& file) noexcept;
    void fill_from_loop(submission_batch& batch, bool with_calls) noexcept;
    std::size_t take_straight(open_file& file, submission_batch& batch) noexcept;
    bool take_carefully(open_file& file, bool starved, submission_batch& batch) noexcept;
    bool take_slot(operation_record& record, submission_batch& batch) noexcept;
    bool take_call(operation_record& record, submission_batch& batch) noexcept;

    void submit_from_loop(lock_type& lock) noexcept;
    void hand_over(submission_batch& batch, bool on_loop, lock_type& lock) noexcept;
    void find_positions(submission_batch& batch, bool on_loop, lock_type& lock) noexcept;
    void submit(submission_batch& batch, bool on_loop, lock_type& lock) noexcept;
    void time_seek(open_file& file, std::chrono::nanoseconds duration) noexcept;
    void time_on_loop(std::chrono::nanoseconds duration, std::chrono::nanoseconds most,
                      const submission_batch& batch,
                      submission_batch::kinds submission_batch::user::*way) noexcept;
    void no_room(submission_batch& batch, std::size_t first, bool on_loop) noexcept;
    void rejected(operation_record& record, int error) noexcept;

    // Operations with a system call of their own: calls.cpp.
    void make_calls(submission_batch& batch, lock_type& lock) noexcept;
    void returned(operation_record& record, std::int64_t result) noexcept;
    void not_called(operation_record& record) noexcept;
    void look_again(open_file& file) noexcept;

    // What became of operations: completion.cpp.
    std::size_t harvest() noexcept;
    void completed(operation_record& record, std::int64_t result) noexcept;
    inline void completed_as_wanted(operation_record& record, std::int64_t result) noexcept;
    inline void learn(operation_record& record, lesson what) noexcept;
    void ended(operation_record& record, attempt made, std::int64_t result) noexcept;

    void give_back_slot(operation_record& record) noexcept;
    void continue_off_loop(operation_record& record, retry_reason reason) noexcept;
    bool ends_serial_turn(operation_record& record) noexcept;
    void move_positions(lock_type& lock) noexcept;

    void finish(operation_record& record, std::int64_t result) noexcept
    {
        record.result_ = result;
        if (record.serial_ && !ends_serial_turn(record))
            return;
        record.state_ = operation_state::finished;
        finished_.push_back(record);
    }

    void finish_early(operation_record& record, int error) noexcept;
    void finish_queued(operation_record& record, int error) noexcept;
    void abort(operation_record& record) noexcept;
    void abort_waiting(open_file& file) noexcept;
    void abort_all_waiting() noexcept;
    bool cancelled(const operation_record& record) const noexcept;

    // Work that may wait: off_loop.cpp.
    class working_for;
    void send_off_loop(operation_record& record, path where) noexcept;
    void call_worker() noexcept;
    void work(lock_type& lock, std::size_t most) noexcept;
    bool work_once(std::optional<submission_batch>& batch, lock_type& lock) noexcept;

    helper_usage helper_usage_now() const noexcept
    {
        return {workers_.most(), working_};
    }

    bool has_thread(const open_file& file) const noexcept;
    bool may_work_for(const open_file& file) const noexcept;
    open_file* next_off_loop() noexcept;
    void wait_for_slot() noexcept;
    bool enough_called() const noexcept;
    bool threads_are_left() const noexcept;
    void call_another() noexcept;
    bool reserve(std::optional<submission_batch>& batch) const noexcept;
    void fill_from_thread(open_file& file, submission_batch& batch) noexcept;
    void carry_out(operation_record& record, lock_type& lock) noexcept;
    void take_next_append(open_file& file) noexcept;
    void notify_owner() noexcept;

    // What the kernel is told of: read_ahead.cpp.
    operation_record* next_to_announce() noexcept;
    void read_ahead(lock_type& lock) noexcept;

    // Waiting until nobody holds an operation: quiescence.cpp.
    void wait_until_idle(lock_type& lock) noexcept;

    mutex mutex_;
    turn_signals turns_;
    std::optional<aio_context> context_;
    submission_queue queue_;
    record_queue finished_;

    // What will have finished when the position of its file has been moved.
    record_queue to_be_moved_;
    service_counters counters_;
    const service_options options_;
    process_identity process_ = process_identity::current();

    // Operations that threads are carrying out. Threads that carry out or submit.
    std::size_t on_threads_ = 0;
    std::size_t working_ = 0;

    // What the owner's threads hand to the kernel.
    batch_stock batches_;
    std::uint64_t batch_number_ = 0;

    // Nothing is started any more.
    bool stopping_ = false;

    file_table files_;
    slot_table slots_{files_};

    // Last, as its threads use all the rest.
    worker_pool workers_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_ENGINE_IMPLEMENTATION_HPP
