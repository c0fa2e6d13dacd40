//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "queue/submission_queue.hpp"

namespace kaio {
namespace detail {

void submission_queue::put_back(operation_record& record) noexcept
{
    record.file().waiting().put_back(record);
    record.progress().state = operation_state::queued;
    ++size_;
    update(record.file());
}

void submission_queue::push_off_loop(operation_record& record, operation_state state) noexcept
{
    open_file& file = record.file();
    const bool reads = record.request().kind == operation_kind::read;
    file.waiting().push_off_loop(record, reads && file.prefetches());
    record.progress().prefetched = false;
    record.progress().state = state;
    ++file.mount().waiting;
    ++off_loop_size_;
    update(file);
}

void submission_queue::put_back_off_loop(operation_record& record) noexcept
{
    open_file& file = record.file();
    file.waiting().put_back_off_loop(record);
    record.progress().prefetched = false;
    record.progress().state = operation_state::queued_for_submission;
    ++file.mount().waiting;
    ++off_loop_size_;
    update(file);
}

void submission_queue::erase(operation_record& record) noexcept
{
    open_file& file = record.file();
    if (record.progress().state != operation_state::queued)
    {
        --file.mount().waiting;
        file.mount().prefetched -= record.progress().prefetched;
        file.waiting().erase_off_loop(record);
        --off_loop_size_;
    }
    else
    {
        file.waiting().erase(record);
        --size_;
    }
    update(file);
}

operation_record& submission_queue::pass_prefetchable(open_file& file) noexcept
{
    operation_record& record = file.waiting().pass_prefetchable();
    update(file);
    return record;
}

operation_record& submission_queue::pop_next(open_file& file) noexcept
{
    operation_record& record = file.waiting().pop_next();
    --size_;
    update(file);
    return record;
}

void submission_queue::serial_finished(operation_record& record) noexcept
{
    open_file& file = record.file();
    file.waiting().serial_finished(record);
    update(file);
}

void submission_queue::update(open_file& file) noexcept
{
    ready_.update(file, file.waiting().ready());
    off_loop_.update(file, file.waiting().first_off_loop());
    prefetchable_.update(file, file.waiting().has_prefetchable());
}

} // namespace detail
} // namespace kaio
