//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "engine/submitter.hpp"

#include <cerrno>
#include <exception>
#include <utility>

#include "engine/hold_ups.hpp"
#include "offload/file_position.hpp"
#include "queue/record_facts.hpp"

namespace kaio {
namespace detail {

submitter::submitter(const service_options& options, file_table& files, slot_table& slots,
                     operation_table& operations, batch_filler& filler, service_counters& counters)
  : options_(options), files_(files), slots_(slots), operations_(operations), filler_(filler),
    counters_(counters), batches_(options.max_batch)
{
}

void submitter::set_up(bool required)
{
    try
    {
        context_.emplace(options_.max_in_flight);
        slots_.reset(context_->capacity());
        counters_.set_up(true, "");
    }
    catch (const std::exception& failure)
    {
        if (required)
            throw;
        counters_.set_up(false, failure.what());
    }
}

void submitter::abandon() noexcept
{
    // The ring is shared with the parent: it must not even be looked at.
    if (context_)
        context_->abandon();
    context_.reset();
    slots_.reset(0);
}

bool submitter::wait_for_completions() noexcept
{
    return context_ && context_->wait([this](std::uint64_t data, std::int64_t result) {
        operations_.completed(record_of(data), result);
    });
}

void submitter::submit_from_loop(lock_type& lock) noexcept
{
    if (!may_submit_from_loop())
        return;
    batch_pool::pointer batch = batches_.take();
    if (!batch)
        return;
    slots_.ask_again_if_idle();
    // Operations that other threads start meanwhile are for another turn.
    bool with_tries = true;
    for (std::size_t submitted = 0; submitted < options_.max_in_flight;)
    {
        filler_.fill_from_loop(*batch, with_tries);
        hand_over(*batch, true, lock);
        if (batch->size() == 0 || slots_.congested())
            break;
        submitted += batch->size();
        // Their results are for handlers first.
        with_tries = with_tries && batch->tries() == 0;
    }
    batches_.release(std::move(batch));
}

void submitter::hand_over(submission_batch& batch, bool on_loop, lock_type& lock) noexcept
{
    counters_.submitting(on_loop, batch.size());
    counters_.trying(batch.tries());
    if (batch.seeks())
        find_positions(batch, on_loop, lock);
    submit(batch, on_loop, lock);
    make_tries(batch, lock);
    for (const submission_batch::batch_file& entry : batch.files())
        files_.unpin(*entry.file);
}

// For operations that are submitted. One that is tried makes its own seeks.
void submitter::find_positions(submission_batch& batch, bool on_loop, lock_type& lock) noexcept
{
    lock.unlock();
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i != batch.size(); ++i)
    {
        operation_record& record = batch[i];
        if (record.progress().seeks && record.block().offset == -1)
            find_position(record, record.block().file_descriptor);
    }
    const std::chrono::nanoseconds duration = std::chrono::steady_clock::now() - begin;
    lock.lock();
    if (!on_loop)
        return;
    // It isn't known which seek has waited.
    for (const submission_batch::batch_file& entry : batch.files())
        operations_.time_seek(*entry.file, duration);
}

void submitter::submit(submission_batch& batch, bool on_loop, lock_type& lock) noexcept
{
    for (std::size_t next = 0; next != batch.size();)
    {
        // Once the kernel has taken an operation, another thread may harvest and complete it: from
        // here on only those that were refused may be touched.
        const std::size_t offered = batch.size() - next;
        const std::size_t others = slots_.begin_call(offered);
        lock.unlock();
        const auto begin = std::chrono::steady_clock::now();
        const submission result = context_->submit(batch.blocks(next), offered);
        const std::chrono::nanoseconds duration = std::chrono::steady_clock::now() - begin;
        lock.lock();
        slots_.end_call(offered);

        counters_.submitted(result.accepted, others);
        if (on_loop)
            time_on_loop(duration, longest_without_wait, batch,
                         &submission_batch::batch_file::submitted);
        else
            batch.files().front().file->history().set_submission_blocks(duration >
                                                                        longest_without_wait);

        next += result.accepted;
        if (result.accepted != 0)
            continue;
        if (result.error == EAGAIN)
        {
            counters_.not_submitted(on_loop, batch.size() - next);
            no_room(batch, next, on_loop);
            break;
        }
        // The kernel reports the error of the first operation only; the others go on.
        rejected(batch[next++], result.error);
    }
}

// If it took long, the kernel has waited although it was asked not to. For a while, operations of these
// kinds and files go off the loop.
void submitter::time_on_loop(std::chrono::nanoseconds duration, std::chrono::nanoseconds most,
                             const submission_batch& batch,
                             submission_batch::kinds submission_batch::batch_file::*way) noexcept
{
    const bool too_long = duration > most;
    counters_.loop_was_held_up(duration, too_long);
    if (!too_long)
        return;
    for (const submission_batch::batch_file& entry : batch.files())
    {
        for (const operation_kind kind : {operation_kind::read, operation_kind::write})
        {
            if ((entry.*way).has(kind))
                entry.file->learned(kind).refused();
        }
    }
}

// The kernel has no room for more, or no memory. A completion will make room. If none is to come, the
// operations go to helpers.
void submitter::no_room(submission_batch& batch, std::size_t first, bool on_loop) noexcept
{
    for (std::size_t i = batch.size(); i != first; --i)
        operations_.release_slot(batch[i - 1]);

    const bool room_will_come = slots_.refused();
    for (std::size_t i = batch.size(); i != first; --i)
    {
        operation_record& record = batch[i - 1];
        if (operations_.cancelled(record))
            operations_.finish_queued(record, ECANCELED);
        else if (!room_will_come)
            operations_.send_off_loop(record, path::helper);
        else if (on_loop)
            operations_.queue().put_back(record);
        else
            operations_.queue().put_back_off_loop(record);
    }
    if (room_will_come && !on_loop)
        slots_.set_wanted(true);
}

void submitter::rejected(operation_record& record, int error) noexcept
{
    operations_.release_slot(record);
    operations_.ended(record, attempt::refused_submission, -error);
}

} // namespace detail
} // namespace kaio
