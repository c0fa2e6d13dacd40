//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// A helper that reads what isn't cached waits for the device. Before that it tells the kernel of other
// reads that wait for a helper, so that the device has more to do than there are helpers. It holds no
// operation meanwhile, as telling may hang as well. It counts as one that works for the file.

#include <fcntl.h>

#include "engine/helper_work.hpp"
#include "queue/record_facts.hpp"

namespace kaio {
namespace detail {
namespace {

// So many reads of one mount are prefetched and have not begun. Cold reads of 4 KiB of one file, 128
// outstanding, Linux 6.18: 43,000 reads/s with 16, 59,000 with 32, 81,000 with 64, 96,000 with 128.
constexpr std::size_t most_prefetched = 64;

// So many between two operations, at some 3 us each.
constexpr int most_at_once = 16;

// The kernel cuts longer ones, and reads ahead of them by itself.
constexpr std::uint64_t longest_prefetched = std::uint64_t(256) << 10;

// Behind so many that aren't worth it, no other is looked for.
constexpr int most_looked_at = 8;

// A read without a refusal before it finds its data in the page cache, as far as is known.
bool is_worth_prefetching(const operation_record& record) noexcept
{
    return record.request().kind == operation_kind::read &&
           record.progress().state == operation_state::queued_for_helper &&
           record.request().rw_flags == 0 && record.block().priority == 0 &&
           record.block().offset >= 0 && record.file().prefetches() &&
           record.file().history().reads().refuses() &&
           most_of_one_call(record) <= longest_prefetched && !ends_beyond_all_files(record);
}

} // namespace

// The next read to tell the kernel of, or nullptr.
operation_record* helper_work::next_to_prefetch() noexcept
{
    auto& files = operations_.queue().prefetchable();
    for (int looked_at = 0; looked_at != most_looked_at && files.front(); ++looked_at)
    {
        open_file& file = *files.front();
        const bool may = file.mount().prefetched != most_prefetched && helpers_.may_have_one(file);
        operation_record* record = may ? &operations_.queue().pass_prefetchable(file) : nullptr;
        if (files.front() == &file)
            files.rotate();
        if (record && is_worth_prefetching(*record))
            return record;
    }
    return nullptr;
}

void helper_work::prefetch(lock_type& lock) noexcept
{
    for (int i = 0;
         i != most_at_once && operations_.queue().off_loop_size() > 1 && !helpers_.stopping(); ++i)
    {
        operation_record* record = next_to_prefetch();
        if (!record)
            return;
        open_file& file = record->file();
        record->progress().prefetched = true;
        ++file.mount().prefetched;
        counters_.prefetching();
        const int descriptor = file.descriptor();
        const std::int64_t offset = record->block().offset + record->progress().transferred;
        const auto length =
            static_cast<std::int64_t>(most_of_one_call(*record)) - record->progress().transferred;

        const helper_table::assignment work(helpers_, file);
        files_.pin(file);
        wake_another();
        lock.unlock();
        ::posix_fadvise(descriptor, offset, length, POSIX_FADV_WILLNEED);
        lock.lock();
        files_.unpin(file);
    }
}

} // namespace detail
} // namespace kaio
