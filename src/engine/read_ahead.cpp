//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// A thread that carries out a read of what isn't cached waits for the device. Before that it tells
// the kernel of others that wait, so that the device has more to do than there are threads. It holds
// no operation meanwhile, as that may hang as well, and works for the file that it tells of.

#include <fcntl.h>

#include "engine/helper_work.hpp"
#include "queue/record_facts.hpp"

namespace kaio {
namespace detail {
namespace {

// So many reads of one mount are announced and have not begun. Cold reads of 4 KiB of one file, 128
// outstanding, Linux 6.18: 43,000 reads/s with 16, 59,000 with 32, 81,000 with 64, 96,000 with 128.
constexpr std::size_t most_announced = 64;

// So many between two operations, at some 3 us each.
constexpr int most_at_once = 16;

// The kernel cuts longer ones, and reads them well enough by itself.
constexpr std::uint64_t longest_announced = std::uint64_t(256) << 10;

// Behind so many that aren't to be announced, no other is looked for.
constexpr int most_looked_at = 8;

// Reads of what is cached have come here by mistake, or because nothing is done on the loop.
bool is_worth_announcing(const operation_record& record) noexcept
{
    return record.kind_ == operation_kind::read && !record.to_submit_ && record.rw_flags_ == 0 &&
           record.block_.priority == 0 && record.block_.offset >= 0 &&
           record.file_->reads_ahead() && record.file_->reads_.refuses() &&
           most_of_one_call(record) <= longest_announced && !ends_beyond_all_files(record);
}

} // namespace

// The next read to tell the kernel of, or nullptr.
operation_record* helper_work::next_to_announce() noexcept
{
    auto& files = operations_.queue().unannounced();
    for (int looked_at = 0; looked_at != most_looked_at && files.front(); ++looked_at)
    {
        open_file& file = *files.front();
        const bool may = file.account_->announced != most_announced && helpers_.may_have_one(file);
        operation_record* record = may ? &operations_.queue().pass_unannounced(file) : nullptr;
        if (files.front() == &file)
            files.rotate();
        if (record && is_worth_announcing(*record))
            return record;
    }
    return nullptr;
}

void helper_work::read_ahead(lock_type& lock) noexcept
{
    for (int i = 0;
         i != most_at_once && operations_.queue().off_loop_size() > 1 && !helpers_.stopping(); ++i)
    {
        operation_record* record = next_to_announce();
        if (!record)
            return;
        open_file& file = *record->file_;
        record->announced_ = true;
        ++file.account_->announced;
        counters_.announcing();
        const int descriptor = file.descriptor();
        const std::int64_t offset = record->block_.offset + record->result_;
        const auto length = static_cast<std::int64_t>(most_of_one_call(*record)) - record->result_;

        const helper_table::assignment work(helpers_, file);
        files_.add_user(file);
        wake_another();
        lock.unlock();
        ::posix_fadvise(descriptor, offset, length, POSIX_FADV_WILLNEED);
        lock.lock();
        files_.remove_user(file);
    }
}

} // namespace detail
} // namespace kaio
