//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// How an operation that waits finds its way to the kernel.

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <utility>

#include "engine/engine_implementation.hpp"
#include "offload/file_position.hpp"
#include "queue/record_facts.hpp"

namespace kaio {
namespace detail {
namespace {

// A submission that takes longer has waited for something: a batch that finds everything at hand
// takes 3-5 us for each operation (virtio disk, Linux 6.18).
constexpr std::chrono::milliseconds blocked_submission(1);

// Behind so many files that wait for calls, no other is looked for that has something to submit.
constexpr std::size_t most_passed_over = 16;

} // namespace

path engine::implementation::path_of(operation_record& record, bool starved) noexcept
{
    open_file& file = *record.file_;
    path_facts facts = facts_of(record);
    facts.has_aio = context_ && file.takes_aio_;
    facts.allowed_on_loop = submits_on_loop(record.kind_);
    facts.starved = starved;
    const path_choice choice = choose_path(facts, file.seeks_, file.learned(record));
    record.nowait_added_ = choice.adds_nowait;
    if (choice.skipped)
        counters_.skipped_attempt();
    return choice.where;
}

bool engine::implementation::submits_on_loop(operation_kind kind) const noexcept
{
    if (kind == operation_kind::write)
        return options_.submission == submission_mode::on_loop;
    return options_.submission != submission_mode::on_thread;
}

// The path of all plain transfers of a file in one direction.
common_path engine::implementation::common_path_of(const open_file& file,
                                                   operation_kind kind) const noexcept
{
    const bool writes = kind == operation_kind::write;
    path_facts facts{};
    facts.transfers = true;
    facts.has_aio = context_ && file.takes_aio_;
    facts.direct = file.direct_;
    facts.direct_to_device = is_direct_to_device(file);
    facts.cached = file.is_cached();
    facts.allowed_on_loop = submits_on_loop(kind);
    facts.waits_anyway = writes && writes_wait(file);
    facts.appends = writes && file.appends_;
    return choose_common_path(facts, writes ? file.writes_ : file.reads_);
}

// Whether a transfer is given the position of its file as its offset, and the position is moved by a
// seek. Only where the offset isn't what counts does the system call have to move it on.
bool engine::implementation::seeks(const operation_record& record) noexcept
{
    return record.at_position_ && record.file_->type_ != file_type::other && !appends(record);
}

// Whether a file waits for a slot that other mounts would have to give back. They may hang: its
// operations then go by the threads, which carry out what they find no slot for.
bool engine::implementation::is_starved(const open_file& file) const noexcept
{
    return file.account_->in_flight == 0 && workers_.most() != 0 && !slots_.has_room_for(file);
}

// Whether what comes next of a file that has no slot needs one.
bool engine::implementation::must_wait(const open_file& file) const noexcept
{
    return !is_starved(file) && !goes_without_submission(file.next());
}

bool engine::implementation::may_submit() const noexcept
{
    if (!batches_.available())
        return false;
    return queue_.ready().any_of([&](const open_file& file) {
        return !context_ || slots_.has_room_for(file) || !must_wait(file);
    });
}

// What fcntl can change decides where a write at the position goes. All that is decided of an
// operation has to be decided on the same facts: so it is looked up before anything else.
void engine::implementation::look_before(open_file& file) noexcept
{
    if (!file.next_is_serial())
        return;
    const operation_record& record = file.next();
    if (record.at_position_ && record.kind_ == operation_kind::write)
        file.refresh();
}

void engine::implementation::fill_from_loop(submission_batch& batch, bool with_calls) noexcept
{
    batch.clear(++batch_number_, with_calls);
    std::size_t skipped = 0;
    std::size_t passed_over = 0;
    while (!batch.full() && skipped < queue_.ready().size() && passed_over != most_passed_over)
    {
        open_file& file = *queue_.ready().front();
        look_before(file);
        const bool no_slot = context_ && !slots_.has_room_for(file);
        const bool no_call = !batch.takes_calls() && goes_without_submission(file.next());
        passed_over += no_call;
        if (no_call || (no_slot && must_wait(file)))
        {
            ++skipped;
            queue_.ready().rotate();
            continue;
        }
        if ((no_slot || take_straight(file, batch) == 0) && !take_carefully(file, no_slot, batch))
            ++skipped;
        else
            skipped = passed_over = 0;
        if (queue_.ready().front() == &file)
            queue_.ready().rotate();
    }
}

// Most operations are plain transfers of files that have refused nothing lately. A file may have
// several of them in its turn if no other file waits. Returns how many it had.
std::size_t engine::implementation::take_straight(open_file& file, submission_batch& batch) noexcept
{
    if (!file.serial_.empty())
        return 0;
    static_assert(static_cast<int>(operation_kind::read) == 0 &&
                      static_cast<int>(operation_kind::write) == 1,
                  "the order of what follows");
    const common_path paths[] = {common_path_of(file, operation_kind::read),
                                 common_path_of(file, operation_kind::write)};
    const std::size_t most = queue_.ready().size() == 1 ? slots_.room_for(file) : 1;
    const bool by_call = file.is_cached();
    const int descriptor = file.descriptor();
    const int wake_descriptor = turns_.descriptor();
    submission_batch::kinds kinds;
    std::size_t taken = 0;
    operation_record* record = file.concurrent_.front();
    for (; taken != most && record; record = record->next_)
    {
        const auto kind = static_cast<unsigned>(record->kind_);
        if (kind >= std::size(paths) || !paths[kind].open || record->rw_flags_ != 0 ||
            record->vector_count_ != 0 || (by_call && record->block_.priority != 0) ||
            !(by_call ? batch.add_call(*record, record->block_.length) : batch.add(*record)))
            break;
        record->state_ = operation_state::in_flight;
        record->nowait_added_ = paths[kind].adds_nowait;
        record->block_.rw_flags = paths[kind].adds_nowait ? rwf_nowait : 0;
        if (!by_call)
        {
            record->block_.file_descriptor = descriptor;
            record->block_.wake_descriptor = wake_descriptor;
        }
        kinds.add(record->kind_);
        ++taken;
    }
    if (taken == 0)
        return 0;

    queue_.popped(file, record, taken);
    if (!by_call)
        slots_.take(file, taken);
    using user = submission_batch::user;
    if (batch.add_user(file, by_call ? &user::called : &user::submitted, kinds))
        files_.add_user(file);
    return taken;
}

// Returns false if the batch has no place for the operation, which waits on.
bool engine::implementation::take_carefully(open_file& file, bool starved,
                                            submission_batch& batch) noexcept
{
    operation_record& record = queue_.pop(file);
    if (record.at_position_)
    {
        record.seeks_ = seeks(record);
        record.block_.offset = -1;
    }
    bool taken = true;
    if (const path where = path_of(record, starved); where == path::loop_submission)
        taken = take_slot(record, batch);
    else if (where == path::call)
        taken = take_call(record, batch);
    else
        send_off_loop(record, where);
    if (!taken)
        queue_.put_back(record);
    return taken;
}

bool engine::implementation::take_slot(operation_record& record, submission_batch& batch) noexcept
{
    if (!batch.add(record))
        return false;
    open_file& file = *record.file_;
    record.state_ = operation_state::in_flight;
    record.block_.rw_flags = record.rw_flags_ | (record.nowait_added_ ? rwf_nowait : 0);
    record.block_.file_descriptor = file.descriptor();
    record.block_.wake_descriptor = turns_.descriptor();
    slots_.take(file, 1);
    if (record.seeks_ && record.block_.offset == -1)
        batch.add_seek();
    if (batch.add_user(file, &submission_batch::user::submitted, record.kind_))
        files_.add_user(file);
    return true;
}

bool engine::implementation::take_call(operation_record& record, submission_batch& batch) noexcept
{
    if (!batch.add_call(record, most_of_one_call(record)))
        return false;
    record.state_ = operation_state::in_flight;
    record.block_.rw_flags = record.rw_flags_ | rwf_nowait;
    if (batch.add_user(*record.file_, &submission_batch::user::called, record.kind_))
        files_.add_user(*record.file_);
    return true;
}

void engine::implementation::submit_from_loop(lock_type& lock) noexcept
{
    if (!may_submit())
        return;
    batch_stock::pointer batch = batches_.take();
    if (!batch)
        return;
    slots_.ask_again_if_idle();
    // What other threads start meanwhile is for another turn.
    bool with_calls = true;
    for (std::size_t submitted = 0; submitted < options_.max_in_flight;)
    {
        fill_from_loop(*batch, with_calls);
        hand_over(*batch, true, lock);
        if (batch->size() == 0 || slots_.congested())
            break;
        submitted += batch->size();
        // Their results are for handlers first.
        with_calls = with_calls && batch->calls() == 0;
    }
    batches_.give_back(std::move(batch));
}

void engine::implementation::hand_over(submission_batch& batch, bool on_loop,
                                       lock_type& lock) noexcept
{
    counters_.submitting(on_loop, batch.size());
    counters_.calling(batch.calls());
    if (batch.seeks())
        find_positions(batch, on_loop, lock);
    submit(batch, on_loop, lock);
    make_calls(batch, lock);
    for (const submission_batch::user& user : batch.users())
        files_.remove_user(*user.file);
}

// For what goes to io_submit. A call of its own has its seeks around it.
void engine::implementation::find_positions(submission_batch& batch, bool on_loop,
                                            lock_type& lock) noexcept
{
    lock.unlock();
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i != batch.size(); ++i)
    {
        operation_record& record = batch[i];
        if (record.seeks_ && record.block_.offset == -1)
            find_position(record, record.block_.file_descriptor);
    }
    const std::chrono::nanoseconds duration = std::chrono::steady_clock::now() - begin;
    lock.lock();
    if (!on_loop)
        return;
    // Whose seek it was that waited isn't known.
    for (const submission_batch::user& user : batch.users())
        time_seek(*user.file, duration);
}

void engine::implementation::time_seek(open_file& file, std::chrono::nanoseconds duration) noexcept
{
    counters_.loop_was_held_up(duration, false);
    if (duration > blocked_submission)
        file.seeks_.refused();
    else
        file.seeks_.succeeded();
}

void engine::implementation::submit(submission_batch& batch, bool on_loop, lock_type& lock) noexcept
{
    for (std::size_t next = 0; next != batch.size();)
    {
        // Once the kernel has taken an operation, another thread may harvest and complete it: from
        // here on only those that were refused may be touched.
        const std::size_t offered = batch.size() - next;
        const std::size_t others = slots_.begin_call(offered);
        lock.unlock();
        const auto begin = std::chrono::steady_clock::now();
        const submission result = context_->submit(batch.blocks(next), batch.size() - next);
        const std::chrono::nanoseconds duration = std::chrono::steady_clock::now() - begin;
        lock.lock();
        slots_.end_call(offered);

        counters_.submitted(result.accepted, others);
        if (on_loop)
            time_on_loop(duration, blocked_submission, batch, &submission_batch::user::submitted);
        else
            batch.users().front().file->submission_blocks_ = duration > blocked_submission;

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

// If it took long, the kernel has waited although it was asked not to: for a while, what these files do
// of these kinds goes off the loop.
void engine::implementation::time_on_loop(
    std::chrono::nanoseconds duration, std::chrono::nanoseconds most, const submission_batch& batch,
    submission_batch::kinds submission_batch::user::*way) noexcept
{
    const bool too_long = duration > most;
    counters_.loop_was_held_up(duration, too_long);
    if (!too_long)
        return;
    for (const submission_batch::user& user : batch.users())
    {
        if ((user.*way).has(operation_kind::read))
            user.file->reads_.refused();
        if ((user.*way).has(operation_kind::write))
            user.file->writes_.refused();
    }
}

// The kernel has no room for more, or no memory. A completion will make room; if none will come,
// the operations need another way.
void engine::implementation::no_room(submission_batch& batch, std::size_t first,
                                     bool on_loop) noexcept
{
    for (std::size_t i = batch.size(); i != first; --i)
        give_back_slot(batch[i - 1]);

    const bool room_will_come = slots_.refused();
    for (std::size_t i = batch.size(); i != first; --i)
    {
        operation_record& record = batch[i - 1];
        if (cancelled(record))
            finish_queued(record, ECANCELED);
        else if (!room_will_come)
            send_off_loop(record, path::helper);
        else if (on_loop)
            queue_.put_back(record);
        else
            queue_.put_back_off_loop(record);
    }
    if (room_will_come && !on_loop)
        slots_.set_wanted(true);
}

void engine::implementation::rejected(operation_record& record, int error) noexcept
{
    give_back_slot(record);
    ended(record, attempt::refused_submission, -error);
}

} // namespace detail
} // namespace kaio
