//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Work that may wait, and is done on threads for that reason.

#include <algorithm>
#include <cerrno>
#include <new>

#include "carry_out.hpp"
#include "engine_implementation.hpp"

namespace kaio {
namespace detail {

void engine::implementation::send_off_loop(operation_record& record, road where) noexcept
{
    record.to_submit_ = where == road::thread_submission;
    const bool first = record.file_->off_loop_.empty();
    queue_.push_off_loop(record);

    // One thread submits all of a file's operations, but each that is carried out takes a thread.
    if (first || !record.to_submit_)
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

// Files that aren't open yet share what one file may use: they may all be on one mount.
open_file& engine::implementation::account_of(open_file& file) noexcept
{
    return file.descriptor_ == -1 ? no_file_ : file;
}

bool engine::implementation::may_work_for(const open_file& file) const noexcept
{
    const std::size_t share = std::max<std::size_t>(workers_.most() / 2, 1);
    const open_file& account = file.descriptor_ == -1 ? no_file_ : file;
    return account.workers_ < share && (!file.off_loop_.front()->to_submit_ || has_slot(file));
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
    // If it is a slot that is wanted, the next one that is given back calls a thread.
    worker_wants_slot_ = queue_.off_loop().any_of([this](const open_file& file) {
        return file.off_loop_.front()->to_submit_ && !has_slot(file);
    });
    return nullptr;
}

bool engine::implementation::work_once(std::optional<submission_batch>& batch,
                                       lock_type& lock) noexcept
{
    open_file* file = next_off_loop();
    if (!file)
        return false;

    open_file& account = account_of(*file);
    ++account.workers_;
    ++file->references_;
    operation_record& first = *file->off_loop_.front();
    if (first.to_submit_ && reserve(batch))
    {
        fill_from_thread(*file, *batch);
        if (!file->off_loop_.empty())
            call_worker();
        hand_over(*batch, false, lock);
    }
    else
    {
        queue_.erase(first);
        carry_out(first, lock);
    }
    --account.workers_;
    dereference(*file);
    notify_owner();
    return true;
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
    batch.clear(++batch_number_);
    while (batch.size() != most && has_slot(file) && !file.off_loop_.empty() &&
           file.off_loop_.front()->to_submit_)
    {
        operation_record& record = *file.off_loop_.front();
        queue_.erase(record);
        take_slot(record, batch);
    }
}

void engine::implementation::carry_out(operation_record& record, lock_type& lock) noexcept
{
    open_file& file = *record.file_;
    record.state_ = operation_state::in_flight;
    ++on_threads_;
    ++statistics_.helper_operations;
    if (file.descriptor_ != -1)
        file.refresh();
    add_user(file);

    const int descriptor = file.descriptor_;
    lock.unlock();
    const std::int64_t result = detail::carry_out(record, descriptor);
    lock.lock();

    --on_threads_;
    // A closed file's number stands for nothing: its operation came too late.
    if (result == -EBADF && file.detached_)
        finish_early(record, ECANCELED);
    else
        finish(record, result);
    remove_user(file);
}

void engine::implementation::notify_owner() noexcept
{
    // Room that was made may be as important to the owner as what has finished.
    if (waiting_ && !signalled_ && work_left())
    {
        signalled_ = true;
        wake_event_->signal();
    }
}

} // namespace detail
} // namespace kaio
