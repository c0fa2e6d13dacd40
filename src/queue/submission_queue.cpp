//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "queue/submission_queue.hpp"

namespace kaio {
namespace detail {

void submission_queue::put_back(operation_record& record) noexcept
{
    if (record.progress().has_turn)
    {
        record.progress().has_turn = false;
        record.file().serial_busy_ = false;
    }
    record.file().lane(record).push_front(record);
    record.progress().state = operation_state::queued;
    ++size_;
    update(record.file());
}

void submission_queue::push_off_loop(operation_record& record) noexcept
{
    open_file& file = record.file();
    file.off_loop_.push_back(record);
    record.progress().prefetched = false;
    if (!file.next_to_prefetch_ && record.request().kind == operation_kind::read &&
        file.prefetches())
        file.next_to_prefetch_ = &record;
    record.progress().state = operation_state::queued_for_helper;
    ++file.mount_->waiting;
    ++off_loop_size_;
    update(file);
}

void submission_queue::put_back_off_loop(operation_record& record) noexcept
{
    open_file& file = record.file();
    file.off_loop_.push_front(record);
    record.progress().prefetched = false;
    record.progress().state = operation_state::queued_for_helper;
    ++file.mount_->waiting;
    ++off_loop_size_;
    update(file);
}

void submission_queue::erase(operation_record& record) noexcept
{
    open_file& file = record.file();
    if (record.progress().state == operation_state::queued_for_helper)
    {
        if (file.next_to_prefetch_ == &record)
            file.next_to_prefetch_ = record.next();
        --file.mount_->waiting;
        file.mount_->prefetched -= record.progress().prefetched;
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
    file.next_to_prefetch_ = record.next();
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
    record.progress().has_turn = true;
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
