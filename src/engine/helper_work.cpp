//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "engine/helper_work.hpp"

#include <new>

#include "offload/carry_out.hpp"
#include "queue/record_facts.hpp"

namespace kaio {
namespace detail {

bool helper_work::any() const noexcept
{
    return operations_.queue().off_loop().any_of(
        [this](const open_file& file) { return may_work_for(file); });
}

bool helper_work::may_work_for(const open_file& file) const noexcept
{
    return helpers_.may_have_one(file) && (!file.waiting().helper_submits_next() ||
                                           slots_.has_room_for(file) || filler_.is_starved(file));
}

// The next file in turn for which a helper may work, or nullptr.
open_file* helper_work::next_file() noexcept
{
    auto& waiting = operations_.queue().off_loop();
    for (std::size_t i = waiting.size(); i != 0; --i)
    {
        open_file* file = waiting.front();
        waiting.rotate();
        if (may_work_for(*file))
            return file;
    }
    wait_for_slot();
    return nullptr;
}

// If an operation waits for a slot, the next one that is given back wakes a helper.
void helper_work::wait_for_slot() noexcept
{
    slots_.set_wanted(operations_.queue().off_loop().any_of([this](const open_file& file) {
        return file.waiting().helper_submits_next() && !slots_.has_room_for(file);
    }));
}

bool helper_work::work_once(std::optional<submission_batch>& batch, lock_type& lock) noexcept
{
    prefetch(lock);
    open_file* file = next_file();
    if (!file)
        return false;

    std::optional<helper_table::assignment> work(std::in_place, helpers_, *file);
    operation_record& first = *file->waiting().first_off_loop();
    const bool submits =
        file->waiting().helper_submits_next() && slots_.has_room_for(*file) && reserve(batch);
    if (submits)
        filler_.fill_from_helper(*file, *batch);
    else
        operations_.queue().erase(first);
    wake_another();
    if (submits)
        submitter_.hand_over(*batch, false, lock);
    else
        carry_out(first, lock);
    work.reset();
    return true;
}

// What this helper is about to do may never end. Other files may have woken one while nobody could
// work for them.
void helper_work::wake_another() noexcept
{
    if (helpers_.one_is_coming() || !helpers_.any_may_have_one())
        return;
    if (any())
        operations_.wake_helper();
    else
        wait_for_slot();
}

// Helpers make their batch when they first submit something. Without memory they make system calls.
bool helper_work::reserve(std::optional<submission_batch>& batch) const noexcept
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

void helper_work::carry_out(operation_record& record, lock_type& lock) noexcept
{
    open_file& file = record.file();
    record.progress().state = operation_state::on_helper;
    helpers_.operation_begins();
    counters_.carrying_out();
    if (file.descriptor() != -1)
        file.refresh();
    files_.pin(file);

    const int descriptor = file.descriptor();
    lock.unlock();
    const std::int64_t result = detail::carry_out(record, descriptor);
    lock.lock();

    helpers_.operation_ends();
    // The completion that would make room may never come, so ask the kernel again.
    slots_.may_have_room();
    if (record.progress().refused_by_aio && result >= 0)
        file.history().set_takes_aio(false);
    operations_.ended(record, attempt::helper, result);
    take_next_append(file);
    files_.unpin(file);
}

// The next append needs a helper as well: this one comes to it without a turn of the loop.
void helper_work::take_next_append(open_file& file) noexcept
{
    if (file.is_direct() || !file.waiting().next_is_serial())
        return;
    const operation_record& next = file.waiting().next();
    if (!appends(next) || wants_no_wait(next))
        return;
    operation_record& record = operations_.queue().pop(file);
    record.progress().nowait_added = false;
    operations_.queue().push_off_loop(record, operation_state::queued_for_helper);
}

} // namespace detail
} // namespace kaio
