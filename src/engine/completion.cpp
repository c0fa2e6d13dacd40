//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// What becomes of operations that the kernel has let go of, or that it never got.

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "engine/engine_implementation.hpp"
#include "offload/file_position.hpp"
#include "queue/record_facts.hpp"

namespace kaio {
namespace detail {

// The end of an attempt that has done what was wanted, as most do: judge() says the same of it.
inline void engine::implementation::completed_as_wanted(operation_record& record,
                                                        std::int64_t result) noexcept
{
    slots_.give_back(*record.file_);
    if (record.nowait_added_)
        learn(record, lesson::succeeded);
    finish(record, result);
}

inline void engine::implementation::learn(operation_record& record, lesson what) noexcept
{
    open_file& file = *record.file_;
    switch (what)
    {
    case lesson::none:
        break;
    case lesson::succeeded:
        file.learned(record).succeeded();
        if (file.depth_limit_ < slots_.capacity() && is_direct_to_device(record))
            ++file.depth_limit_;
        break;
    case lesson::refused:
        file.learned(record).refused();
        break;
    case lesson::unknown_flag:
        file.learned(record).unknown_flag();
        break;
    case lesson::full_device:
        file.depth_limit_ = file.in_flight_;
        break;
    case lesson::refused_by_aio:
        record.refused_by_aio_ = true;
        break;
    }
}

std::size_t engine::implementation::harvest() noexcept
{
    if (!context_)
        return 0;
    const std::size_t count = context_->harvest([this](std::uint64_t data, std::int64_t result) {
        operation_record& record = record_of(data);
        const bool as_wanted =
            record.vector_count_ == 0 && result == static_cast<std::int64_t>(record.block_.length);
        if (as_wanted && !slots_.wanted())
            completed_as_wanted(record, result);
        else
            completed(record, result);
    });
    if (count == 0)
        return 0;

    turns_.harvested();
    slots_.may_have_room();
    counters_.harvested(context_->has_ring(), count);
    return count;
}

void engine::implementation::completed(operation_record& record, std::int64_t result) noexcept
{
    give_back_slot(record);
    ended(record, attempt::submission, result);
}

void engine::implementation::ended(operation_record& record, attempt made,
                                   std::int64_t result) noexcept
{
    attempt_facts facts = facts_of_end(record, made, result);
    facts.cancelled = cancelled(record);
    const attempt_end end = judge(facts);
    learn(record, end.learned);
    switch (end.next)
    {
    case next_try::none:
        finish(record, result);
        break;
    case next_try::cancelled:
        finish_early(record, ECANCELED);
        break;
    case next_try::on_loop:
        counters_.retried_on_loop();
        queue_.put_back(record);
        break;
    case next_try::off_loop:
        if (end.reason == retry_reason::cut_short)
            record.result_ = result;
        continue_off_loop(record, end.reason);
        break;
    case next_try::by_system_call:
        counters_.retried_off_loop(end.reason);
        send_off_loop(record, path::helper);
        break;
    }
}

void engine::implementation::give_back_slot(operation_record& record) noexcept
{
    slots_.give_back(*record.file_);
    if (slots_.take_wanted())
        call_worker();
}

// An attempt not to wait had no or only part of a result.
void engine::implementation::continue_off_loop(operation_record& record,
                                               retry_reason reason) noexcept
{
    record.nowait_added_ = false;
    if (stopping_ || cancelled(record))
    {
        finish_early(record, ECANCELED);
        return;
    }
    counters_.retried_off_loop(reason);
    const bool submits = record.result_ == 0 && record.file_->direct_;
    send_off_loop(record, submits ? path::helper_submission : path::helper);
}

// What has been transferred at the position of the file lies before it when the operation has
// finished, and the next begins: the position is moved before that, by the owner. A descriptor that was
// closed or released is nobody's business here any more.
bool engine::implementation::ends_serial_turn(operation_record& record) noexcept
{
    if (record.position_due_ && record.result_ > 0 && !record.file_->detached_)
    {
        record.state_ = operation_state::in_flight;
        to_be_moved_.push_back(record);
        return false;
    }
    queue_.serial_finished(*record.file_);
    return true;
}

// Moves the positions behind what was transferred, without the lock.
void engine::implementation::move_positions(lock_type& lock) noexcept
{
    while (operation_record* record = to_be_moved_.pop_front())
    {
        open_file& file = *record->file_;
        if (file.detached_)
        {
            record->position_due_ = false;
        }
        else
        {
            files_.add_user(file);
            ++on_threads_;
            lock.unlock();
            const auto begin = std::chrono::steady_clock::now();
            move_position(*record, file.descriptor(), record->result_);
            const std::chrono::nanoseconds duration = std::chrono::steady_clock::now() - begin;
            lock.lock();
            --on_threads_;
            time_seek(file, duration);
            files_.remove_user(file);
        }
        finish(*record, record->result_);
    }
}

// What an operation has transferred already is its result, whatever stopped it.
void engine::implementation::finish_early(operation_record& record, int error) noexcept
{
    finish(record, record.result_ != 0 ? record.result_ : -error);
}

// It ends here, and not by an answer of the kernel or of a thread.
void engine::implementation::finish_queued(operation_record& record, int error) noexcept
{
    counters_.completed_while_queued();
    finish_early(record, error);
}

void engine::implementation::abort(operation_record& record) noexcept
{
    const bool had_turn = record.state_ == operation_state::waiting_off_loop;
    queue_.erase(record);
    // One that waits for the loop has not had its serial turn: another may be having it.
    record.serial_ = record.serial_ && had_turn;
    // In a child process the position is the parent's, where the operation goes on.
    if (record.result_ != 0 && process_ != process_identity::current())
        record.position_due_ = false;
    finish_queued(record, ECANCELED);
}

void engine::implementation::abort_waiting(open_file& file) noexcept
{
    while (operation_record* record = file.any_waiting())
        abort(*record);
}

void engine::implementation::abort_all_waiting() noexcept
{
    while (open_file* file = queue_.ready().front())
        abort_waiting(*file);
    while (open_file* file = queue_.off_loop().front())
        abort_waiting(*file);
}

bool engine::implementation::cancelled(const operation_record& record) const noexcept
{
    return record.cancelled_ || record.cancellations_ != record.file_->cancellations_;
}

} // namespace detail
} // namespace kaio
