//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "engine/batch_filler.hpp"

#include <algorithm>
#include <iterator>

#include "policy/pacing.hpp"
#include "queue/record_facts.hpp"

namespace kaio {
namespace detail {
namespace {

// A search for something to submit ends after so many files that can only be tried.
constexpr std::size_t most_passed_over = 16;

// Whether a transfer gets the position of its file as its offset, and a seek moves the position. Appends
// and special files don't go by an offset: there the system call has to move the position.
bool seeks(const operation_record& record) noexcept
{
    return record.request().at_position && !record.file().is_special() && !appends(record);
}

} // namespace

path batch_filler::path_of(operation_record& record, bool starved) noexcept
{
    open_file& file = record.file();
    path_facts facts = facts_of(record);
    facts.has_aio = has_aio() && file.history().takes_aio();
    facts.allowed_on_loop = submits_on_loop(record.request().kind);
    facts.starved = starved;
    const path_choice choice =
        choose_path(facts, file.history().seeks(), file.learned(record.request().kind));
    record.progress().nowait_added = choice.adds_nowait;
    if (choice.skipped)
        counters_.skipped_attempt();
    return choice.where;
}

bool batch_filler::submits_on_loop(operation_kind kind) const noexcept
{
    if (kind == operation_kind::write)
        return options_.submission == submission_mode::on_loop;
    return options_.submission != submission_mode::on_thread;
}

// The path of all plain transfers of a file in one direction.
common_path batch_filler::common_path_of(const open_file& file, operation_kind kind) const noexcept
{
    const bool writes = kind == operation_kind::write;
    path_facts facts{};
    facts.transfers = true;
    facts.has_aio = has_aio() && file.history().takes_aio();
    facts.direct = file.is_direct();
    facts.direct_to_device = file.is_direct_to_device();
    facts.cached = file.is_cached();
    facts.allowed_on_loop = submits_on_loop(kind);
    facts.waits_anyway = writes && file.writes_wait();
    facts.appends = writes && file.appends();
    return choose_common_path(facts, file.learned(kind));
}

bool batch_filler::is_starved(const open_file& file) const noexcept
{
    return file.mount().in_flight == 0 && helpers_.allowed() && !slots_.has_room_for(file);
}

// Whether the next operation of a file without a slot has to wait for one.
bool batch_filler::must_wait(const open_file& file) const noexcept
{
    return !is_starved(file) && !goes_without_submission(file.waiting().next());
}

bool batch_filler::may_fill_from_loop() const noexcept
{
    return operations_.queue().ready().any_of([&](const open_file& file) {
        return !has_aio() || slots_.has_room_for(file) || !must_wait(file);
    });
}

// fcntl can change where a write at the position goes. All decisions about an operation must see the same
// facts. So these are looked up before the first decision.
void batch_filler::look_before(open_file& file) noexcept
{
    if (!file.waiting().next_is_serial())
        return;
    const operation_record& record = file.waiting().next();
    if (record.request().at_position && record.request().kind == operation_kind::write)
        file.refresh();
}

void batch_filler::fill_from_loop(submission_batch& batch, bool with_tries) noexcept
{
    pacing_facts facts{};
    facts.max_batch = options_.max_batch;
    facts.on_loop = true;
    batch.clear(++last_number_, largest_group(facts), with_tries);
    auto& ready = operations_.queue().ready();
    std::size_t skipped = 0;
    std::size_t passed_over = 0;
    while (!batch.full() && skipped < ready.size() && passed_over != most_passed_over)
    {
        open_file& file = *ready.front();
        look_before(file);
        const bool no_slot = has_aio() && !slots_.has_room_for(file);
        const bool no_call = !batch.takes_tries() && goes_without_submission(file.waiting().next());
        passed_over += no_call;
        if (no_call || (no_slot && must_wait(file)))
        {
            ++skipped;
            ready.rotate();
            continue;
        }
        if ((no_slot || take_fast_path(file, batch) == 0) && !take_slow_path(file, no_slot, batch))
            ++skipped;
        else
            skipped = passed_over = 0;
        if (ready.front() == &file)
            ready.rotate();
    }
}

// Whether an operation is as most are: a plain transfer, one buffer, no flags. What else matters is known
// of its file. A try has no priority, so an operation with a priority is not tried.
static bool is_common(const operation_record& record, bool by_try) noexcept
{
    static_assert(static_cast<int>(operation_kind::read) == 0 &&
                      static_cast<int>(operation_kind::write) == 1,
                  "the order of the paths of a file");
    return static_cast<unsigned>(record.request().kind) < 2 && record.request().rw_flags == 0 &&
           record.request().vector_count == 0 && !(by_try && record.block().priority != 0);
}

// Takes common operations of files that have refused nothing lately. A file may have several of them in
// its turn if no other file waits. Returns how many it had.
std::size_t batch_filler::take_fast_path(open_file& file, submission_batch& batch) noexcept
{
    if (file.waiting().has_serial())
        return 0;
    const common_path paths[] = {common_path_of(file, operation_kind::read),
                                 common_path_of(file, operation_kind::write)};
    const std::size_t most = operations_.queue().ready().size() == 1 ? slots_.burst_limit(file) : 1;
    const bool by_try = file.is_cached();
    const int descriptor = file.descriptor();
    const int wake_descriptor = turns_.descriptor();
    submission_batch::kinds kinds;
    std::size_t taken = 0;
    operation_record* record = file.waiting().first_concurrent();
    for (; taken != most && record && is_common(*record, by_try); record = record->next(), ++taken)
    {
        const common_path path = paths[static_cast<std::size_t>(record->request().kind)];
        if (!path.open ||
            !(by_try ? batch.add_try(*record, record->block().length) : batch.add(*record)))
            break;
        record->progress().state =
            by_try ? operation_state::tried_on_loop : operation_state::in_kernel;
        record->progress().nowait_added = path.adds_nowait;
        record->block().rw_flags = path.adds_nowait ? rwf_nowait : 0;
        record->block().file_descriptor = descriptor;
        record->block().wake_descriptor = wake_descriptor;
        kinds.add(record->request().kind);
    }
    if (taken == 0)
        return 0;

    operations_.queue().popped(file, record, taken);
    if (!by_try)
        slots_.take(file, taken);
    using entry = submission_batch::batch_file;
    if (batch.add_file(file, by_try ? &entry::tried : &entry::submitted, kinds))
        files_.pin(file);
    return taken;
}

// Returns false if the batch has no place for the operation, which then stays queued.
bool batch_filler::take_slow_path(open_file& file, bool starved, submission_batch& batch) noexcept
{
    operation_record& record = operations_.queue().pop(file);
    if (record.request().at_position)
    {
        record.progress().seeks = seeks(record);
        record.block().offset = -1;
    }
    bool taken = true;
    if (const path where = path_of(record, starved); where == path::loop_submission)
        taken = take_slot(record, batch);
    else if (where == path::loop_try)
        taken = take_try(record, batch);
    else
        operations_.send_off_loop(record, where);
    if (!taken)
        operations_.queue().put_back(record);
    return taken;
}

bool batch_filler::take_slot(operation_record& record, submission_batch& batch) noexcept
{
    if (!batch.add(record))
        return false;
    open_file& file = record.file();
    record.progress().state = operation_state::in_kernel;
    record.block().rw_flags =
        record.request().rw_flags | (record.progress().nowait_added ? rwf_nowait : 0);
    record.block().file_descriptor = file.descriptor();
    record.block().wake_descriptor = turns_.descriptor();
    slots_.take(file, 1);
    if (record.progress().seeks && record.block().offset == -1)
        batch.add_seek();
    if (batch.add_file(file, &submission_batch::batch_file::submitted, record.request().kind))
        files_.pin(file);
    return true;
}

bool batch_filler::take_try(operation_record& record, submission_batch& batch) noexcept
{
    if (!batch.add_try(record, most_of_one_call(record)))
        return false;
    record.progress().state = operation_state::tried_on_loop;
    record.block().rw_flags = record.request().rw_flags | rwf_nowait;
    if (batch.add_file(record.file(), &submission_batch::batch_file::tried, record.request().kind))
        files_.pin(record.file());
    return true;
}

void batch_filler::fill_from_helper(open_file& file, submission_batch& batch) noexcept
{
    pacing_facts facts{};
    facts.max_batch = options_.max_batch;
    facts.submission_blocks = file.history().submission_blocks();
    batch.clear(++last_number_, largest_group(facts), false);
    while (!batch.full() && slots_.has_room_for(file) && file.waiting().helper_submits_next())
    {
        operation_record& record = *file.waiting().first_off_loop();
        operations_.queue().erase(record);
        if (!take_slot(record, batch))
        {
            operations_.queue().put_back_off_loop(record);
            break;
        }
    }
    // A frozen file system holds the call at the first write.
    batch.put_writes_last();
}

} // namespace detail
} // namespace kaio
