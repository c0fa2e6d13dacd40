//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "queue/submission_queue.hpp"

namespace kaio {
namespace detail {

void submission_queue::put_back(operation_record& record) noexcept
{
    if (record.serial_)
        record.file_->serial_busy_ = false;
    record.file_->lane(record).push_front(record);
    record.state_ = operation_state::queued;
    ++size_;
    update(*record.file_);
}

void submission_queue::push_off_loop(operation_record& record) noexcept
{
    open_file& file = *record.file_;
    file.off_loop_.push_back(record);
    record.prefetched_ = false;
    if (!file.next_to_prefetch_ && record.kind_ == operation_kind::read && file.prefetches())
        file.next_to_prefetch_ = &record;
    record.state_ = operation_state::queued_for_helper;
    ++file.mount_->waiting;
    ++off_loop_size_;
    update(file);
}

void submission_queue::put_back_off_loop(operation_record& record) noexcept
{
    open_file& file = *record.file_;
    file.off_loop_.push_front(record);
    record.prefetched_ = false;
    record.state_ = operation_state::queued_for_helper;
    ++file.mount_->waiting;
    ++off_loop_size_;
    update(file);
}

void submission_queue::erase(operation_record& record) noexcept
{
    open_file& file = *record.file_;
    if (record.state_ == operation_state::queued_for_helper)
    {
        if (file.next_to_prefetch_ == &record)
            file.next_to_prefetch_ = record.next_;
        --file.mount_->waiting;
        file.mount_->prefetched -= record.prefetched_;
        file.off_loop_.erase(record);
        --off_loop_size_;
    }
    else
    {
        file.lane(record).erase(record);
        --size_;
    }
    update(file);
}

operation_record& submission_queue::pass_prefetchable(open_file& file) noexcept
{
    operation_record& record = *file.next_to_prefetch_;
    file.next_to_prefetch_ = record.next_;
    update(file);
    return record;
}

operation_record& submission_queue::pop_next(open_file& file) noexcept
{
    const bool serial = file.next_is_serial();
    file.serial_next_ = !serial;
    if (!serial)
        return pop_concurrent(file);
    operation_record& record = *file.serial_.pop_front();
    file.serial_busy_ = true;
    --size_;
    update(file);
    return record;
}

void submission_queue::serial_finished(open_file& file) noexcept
{
    file.serial_busy_ = false;
    update(file);
}

void submission_queue::update(open_file& file) noexcept
{
    ready_.update(file, file.ready());
    off_loop_.update(file, !file.off_loop_.empty());
    next_to_prefetch_.update(file, file.next_to_prefetch_ != nullptr);
}

} // namespace detail
} // namespace kaio
