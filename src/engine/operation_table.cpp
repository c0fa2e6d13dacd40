//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "engine/operation_table.hpp"

#include <cerrno>

#include "engine/hold_ups.hpp"
#include "offload/file_position.hpp"
#include "queue/record_facts.hpp"

namespace kaio {
namespace detail {

void operation_table::send_off_loop(operation_record& record, path where) noexcept
{
    const bool submits = where == path::helper_submission;
    open_file& file = record.file();
    const bool first = !file.waiting().first_off_loop();
    queue_.push_off_loop(record, submits ? operation_state::queued_for_submission
                                         : operation_state::queued_for_helper);

    // One helper submits all operations of a file. Each system call takes a helper of its own, if the
    // file may have one more.
    if (submits ? first : !helpers_.one_is_coming() && helpers_.may_have_one(file))
        wake_helper();
}

void operation_table::wake_helper() noexcept
{
    const int error = helpers_.wake_one();
    if (error == 0)
        return;
    while (open_file* file = queue_.off_loop().front())
    {
        operation_record& record = *file->waiting().first_off_loop();
        queue_.erase(record);
        finish_queued(record, error);
    }
}

// The end of an attempt that has done all that was wanted, as most do. judge() decides the same.
inline void operation_table::completed_as_wanted(operation_record& record,
                                                 std::int64_t result) noexcept
{
    slots_.release(record.file());
    if (record.progress().nowait_added)
        learn(record, lesson::succeeded);
    finish(record, result);
}

inline void operation_table::learn(operation_record& record, lesson what) noexcept
{
    open_file& file = record.file();
    switch (what)
    {
    case lesson::none:
        break;
    case lesson::succeeded:
        file.learned(record.request().kind).succeeded();
        if (file.is_direct_to_device())
            slots_.device_took_one(file);
        break;
    case lesson::refused:
        file.learned(record.request().kind).refused();
        break;
    case lesson::unknown_flag:
        file.learned(record.request().kind).unknown_flag();
        break;
    case lesson::full_device:
        slots_.device_is_full(file);
        break;
    case lesson::refused_by_aio:
        record.progress().refused_by_aio = true;
        break;
    }
}

std::size_t operation_table::harvest(aio_context& context) noexcept
{
    const std::size_t count = context.harvest([this](std::uint64_t data, std::int64_t result) {
        operation_record& record = record_of(data);
        const bool as_wanted = record.request().vector_count == 0 &&
                               result == static_cast<std::int64_t>(record.block().length);
        if (as_wanted && !slots_.wanted())
            completed_as_wanted(record, result);
        else
            completed(record, result);
    });
    if (count != 0)
    {
        slots_.may_have_room();
        counters_.harvested(context.has_ring(), count);
    }
    return count;
}

void operation_table::completed(operation_record& record, std::int64_t result) noexcept
{
    release_slot(record);
    ended(record, attempt::submission, result);
}

void operation_table::ended(operation_record& record, attempt made, std::int64_t result) noexcept
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
            record.progress().transferred = static_cast<std::uint32_t>(result);
        continue_off_loop(record, end.reason);
        break;
    case next_try::by_system_call:
        counters_.retried_off_loop(end.reason);
        send_off_loop(record, path::helper);
        break;
    }
}

void operation_table::release_slot(operation_record& record) noexcept
{
    slots_.release(record.file());
    if (slots_.take_wanted())
        wake_helper();
}

// An attempt that was not to wait had no result, or only a part of it.
void operation_table::continue_off_loop(operation_record& record, retry_reason reason) noexcept
{
    record.progress().nowait_added = false;
    if (stopping_ || cancelled(record))
    {
        finish_early(record, ECANCELED);
        return;
    }
    counters_.retried_off_loop(reason);
    const bool submits = record.progress().transferred == 0 && record.file().is_direct();
    send_off_loop(record, submits ? path::helper_submission : path::helper);
}

// The position of the file is moved behind what was transferred before the operation has finished, and
// before the next one begins. The owner does that. It leaves a descriptor alone that was closed or
// released.
bool operation_table::ends_serial_turn(operation_record& record) noexcept
{
    if (record.progress().position_due && record.progress().result > 0 &&
        !record.file().is_detached())
    {
        record.progress().state = operation_state::moving_position;
        to_be_moved_.push_back(record);
        return false;
    }
    queue_.serial_finished(record);
    return true;
}

void operation_table::move_positions(lock_type& lock) noexcept
{
    while (operation_record* record = to_be_moved_.pop_front())
    {
        open_file& file = record->file();
        if (file.is_detached())
        {
            record->progress().position_due = false;
        }
        else
        {
            files_.pin(file);
            helpers_.operation_begins();
            lock.unlock();
            const auto begin = std::chrono::steady_clock::now();
            move_position(*record, file.descriptor(), record->progress().result);
            const std::chrono::nanoseconds duration = std::chrono::steady_clock::now() - begin;
            lock.lock();
            helpers_.operation_ends();
            time_seek(file, duration);
            files_.unpin(file);
        }
        finish(*record, record->progress().result);
    }
}

void operation_table::time_seek(open_file& file, std::chrono::nanoseconds duration) noexcept
{
    counters_.loop_was_held_up(duration, false);
    if (duration > longest_without_wait)
        file.history().seeks().refused();
    else
        file.history().seeks().succeeded();
}

// What an operation has transferred already is its result, whatever stopped it.
void operation_table::finish_early(operation_record& record, int error) noexcept
{
    const std::int64_t transferred = record.progress().transferred;
    finish(record, transferred != 0 ? transferred : -error);
}

void operation_table::finish_queued(operation_record& record, int error) noexcept
{
    counters_.completed_while_queued();
    finish_early(record, error);
}

void operation_table::abort(operation_record& record) noexcept
{
    queue_.erase(record);
    finish_queued(record, ECANCELED);
}

void operation_table::abort_waiting(open_file& file) noexcept
{
    while (operation_record* record = file.waiting().any())
        abort(*record);
}

void operation_table::abort_all_waiting() noexcept
{
    while (open_file* file = queue_.ready().front())
        abort_waiting(*file);
    while (open_file* file = queue_.off_loop().front())
        abort_waiting(*file);
}

void operation_table::abort_all_as_child() noexcept
{
    while (open_file* file = queue_.off_loop().front())
    {
        // The position of a file belongs to the parent, where its operation goes on.
        operation_record& record = *file->waiting().first_off_loop();
        record.progress().position_due = false;
        abort(record);
    }
    abort_all_waiting();
}

bool operation_table::cancel(operation_record& record) noexcept
{
    switch (record.progress().state)
    {
    case operation_state::queued:
    case operation_state::queued_for_helper:
    case operation_state::queued_for_submission:
        abort(record);
        return true;
    case operation_state::in_kernel:
    case operation_state::tried_on_loop:
    case operation_state::on_helper:
    case operation_state::moving_position:
        record.progress().cancelled = true;
        return false;
    case operation_state::created:
    case operation_state::finished:
        break;
    }
    return false;
}

} // namespace detail
} // namespace kaio
