//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Work that may wait, and is done on threads for that reason.

#include <algorithm>
#include <cerrno>
#include <new>

#include "engine/engine_implementation.hpp"
#include "engine/working_for.hpp"
#include "offload/carry_out.hpp"
#include "queue/record_facts.hpp"

namespace kaio {
namespace detail {

void engine::implementation::send_off_loop(operation_record& record, path where) noexcept
{
    record.to_submit_ = where == path::helper_submission;
    open_file& file = *record.file_;
    const bool first = file.off_loop_.empty();
    queue_.push_off_loop(record);

    // One thread submits all of a file's operations, but each that is carried out takes a thread, as
    // far as the file may have more.
    if (record.to_submit_ ? first : !enough_called() && has_thread(files_.holder_of_helpers(file)))
        call_worker();
}

void engine::implementation::call_worker() noexcept
{
    const int error = workers_.most() != 0 ? workers_.call() : 0;
    if (error == 0)
        return;
    while (open_file* file = queue_.off_loop().front())
    {
        operation_record& record = *file->off_loop_.front();
        queue_.erase(record);
        finish_queued(record, error);
    }
}

void engine::implementation::work(lock_type& lock, std::size_t most) noexcept
{
    std::optional<submission_batch> batch;
    while (most != 0 && !workers_.stopping() && work_once(batch, lock))
        --most;
}

bool engine::implementation::has_thread(const open_file& file) const noexcept
{
    return may_have_helper(helper_usage_now(), file.workers_, file.account_->workers);
}

bool engine::implementation::may_work_for(const open_file& file) const noexcept
{
    return has_thread(files_.holder_of_helpers(file)) &&
           (!file.off_loop_.front()->to_submit_ || slots_.has_room_for(file) || is_starved(file));
}

// The next file in turn for which a thread may work, or nullptr.
open_file* engine::implementation::next_off_loop() noexcept
{
    for (std::size_t i = queue_.off_loop().size(); i != 0; --i)
    {
        open_file* file = queue_.off_loop().front();
        queue_.off_loop().rotate();
        if (may_work_for(*file))
            return file;
    }
    wait_for_slot();
    return nullptr;
}

// If it is a slot that is wanted, the next one that is given back calls a thread.
void engine::implementation::wait_for_slot() noexcept
{
    slots_.set_wanted(queue_.off_loop().any_of([this](const open_file& file) {
        return file.off_loop_.front()->to_submit_ && !slots_.has_room_for(file);
    }));
}

bool engine::implementation::work_once(std::optional<submission_batch>& batch,
                                       lock_type& lock) noexcept
{
    read_ahead(lock);
    open_file* file = next_off_loop();
    if (!file)
        return false;

    std::optional<working_for> work(std::in_place, *this, *file);
    operation_record& first = *file->off_loop_.front();
    const bool submits = first.to_submit_ && slots_.has_room_for(*file) && reserve(batch);
    if (submits)
        fill_from_thread(*file, *batch);
    else
        queue_.erase(first);
    call_another();
    if (submits)
        hand_over(*batch, false, lock);
    else
        carry_out(first, lock);
    work.reset();
    notify_owner();
    return true;
}

// Whether a thread is about to look for work. If there is more than it takes, it calls another.
bool engine::implementation::enough_called() const noexcept
{
    return workers_.called() != 0;
}

// Whether has_thread() may hold for any file that waits, without a look at each.
bool engine::implementation::threads_are_left() const noexcept
{
    return any_may_have_helper(helper_usage_now()) ||
           files_.mounts().any_of([](const mount_account& account) {
               return account.waiting != 0 && account.workers == 0;
           });
}

// What this thread is about to do may never end. The calls of other files may have been used up
// while nobody could work for them.
void engine::implementation::call_another() noexcept
{
    if (enough_called() || !threads_are_left())
        return;
    if (queue_.off_loop().any_of([this](const open_file& file) { return may_work_for(file); }))
        call_worker();
    else
        wait_for_slot();
}

// Threads make their batch when they first submit something. Without memory they carry out.
bool engine::implementation::reserve(std::optional<submission_batch>& batch) const noexcept
{
    try
    {
        if (!batch)
            batch.emplace(options_.max_batch);
        return true;
    }
    catch (const std::bad_alloc&)
    {
        return false;
    }
}

void engine::implementation::fill_from_thread(open_file& file, submission_batch& batch) noexcept
{
    // Where submissions wait, several threads get further with one operation each.
    const std::size_t most = file.submission_blocks_ ? 1 : options_.max_batch;
    batch.clear(++batch_number_, false);
    while (batch.size() != most && slots_.has_room_for(file) && !file.off_loop_.empty() &&
           file.off_loop_.front()->to_submit_)
    {
        operation_record& record = *file.off_loop_.front();
        queue_.erase(record);
        if (!take_slot(record, batch))
        {
            queue_.put_back_off_loop(record);
            break;
        }
    }
    // A file system that is frozen holds the call at the first write.
    batch.put_writes_last();
}

void engine::implementation::carry_out(operation_record& record, lock_type& lock) noexcept
{
    open_file& file = *record.file_;
    record.state_ = operation_state::in_flight;
    ++on_threads_;
    counters_.carrying_out();
    if (file.descriptor() != -1)
        file.refresh();
    files_.add_user(file);

    const int descriptor = file.descriptor();
    lock.unlock();
    const std::int64_t result = detail::carry_out(record, descriptor);
    lock.lock();

    --on_threads_;
    // What would end a lack of room may hang: from time to time the kernel is asked again.
    slots_.may_have_room();
    if (record.refused_by_aio_ && result >= 0)
        file.takes_aio_ = false;
    ended(record, attempt::helper, result);
    take_next_append(file);
    files_.remove_user(file);
}

// The next append needs a thread as well: this one comes to it without a turn of the loop.
void engine::implementation::take_next_append(open_file& file) noexcept
{
    if (file.direct_ || !file.next_is_serial())
        return;
    const operation_record& next = file.next();
    if (!appends(next) || wants_no_wait(next))
        return;
    operation_record& record = queue_.pop(file);
    record.nowait_added_ = record.to_submit_ = false;
    queue_.push_off_loop(record);
}

void engine::implementation::notify_owner() noexcept
{
    // Room that was made may be as important to the owner as what has finished.
    if (work_left())
        turns_.notify();
}

} // namespace detail
} // namespace kaio
