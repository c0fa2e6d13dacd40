//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Transfers that the loop makes by a system call of their own. What the page cache has at hand has
// been copied when io_submit returns: a completion in the ring and a signal of the eventfd would
// only be added to that (Linux 6.18, reads of 4 KiB, medians of 11 pairs: 0.90 x the CPU time with 32
// outstanding, 0.77 x with one).

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <utility>

#include "engine/submitter.hpp"
#include "offload/file_position.hpp"
#include "queue/record_facts.hpp"

namespace kaio {
namespace detail {
namespace {

// The functions preadv2 and pwritev2 are points at which a thread may be cancelled, for which they
// take two locked instructions; this one doesn't wait.
std::int64_t transfer(const operation_record& record) noexcept
{
    const ::iovec only = record.buffer();
    const bool several = record.vector_count_ != 0;
    const long number = record.kind_ == operation_kind::read ? SYS_preadv2 : SYS_pwritev2;
    const long count = several ? std::min<long>(record.vector_count_, IOV_MAX) : 1;
    const auto low = static_cast<long>(record.block_.offset);
    const auto high = static_cast<long>(record.block_.offset >> (CHAR_BIT * sizeof(long) - 1) >> 1);
    long result;
    do
        result = ::syscall(number, record.file_->descriptor(), several ? record.buffers() : &only,
                           count, low, high, record.block_.rw_flags);
    while (result == -1 && errno == EINTR);
    return result == -1 ? -errno : result;
}

std::int64_t call(operation_record& record) noexcept
{
    if (!record.seeks_)
        return transfer(record);
    const int descriptor = record.file_->descriptor();
    find_position(record, descriptor);
    const std::int64_t result = transfer(record);
    // One that was cut short goes on elsewhere, and moves the position at its end.
    if (!record.nowait_added_ || result == static_cast<std::int64_t>(most_of_one_call(record)))
        move_position(record, descriptor, result);
    return result;
}

// Calls that take longer together have waited for something. Where each system call is dear, under
// strace or gVisor, many of them take a millisecond without that.
std::chrono::nanoseconds usual_time(std::size_t calls) noexcept
{
    constexpr std::chrono::milliseconds of_all(1);
    constexpr std::chrono::microseconds of_each(50);
    return std::max<std::chrono::nanoseconds>(of_all, calls * of_each);
}

// Whether a tick of the kernel has passed, 1 to 10 ms. Costs less to ask than the time.
class tick_count
{
public:
    bool any_passed() const noexcept
    {
        // At least two have begun, of which ntpd may have changed the length.
        return 2 * (now() - begin_) > 3 * tick();
    }

private:
    static std::int64_t nanoseconds(const ::timespec& time) noexcept
    {
        return std::int64_t(time.tv_sec) * 1000000000 + time.tv_nsec;
    }

    static std::int64_t now() noexcept
    {
        ::timespec time;
        ::clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
        return nanoseconds(time);
    }

    static std::int64_t tick() noexcept
    {
        // Not a guarded static: a fork may copy its guard while a thread holds it.
        static std::atomic<std::int64_t> known{0};
        std::int64_t result = known.load(std::memory_order_relaxed);
        if (result == 0)
        {
            ::timespec time;
            ::clock_getres(CLOCK_MONOTONIC_COARSE, &time);
            result = nanoseconds(time);
            known.store(result, std::memory_order_relaxed);
        }
        return result;
    }

    const std::int64_t begin_ = now();
};

// If fcntl has given the descriptor O_DIRECT, calls wait for the disk, and too shortly to be noticed.
void look_again(open_file& file) noexcept
{
    constexpr unsigned batches = 256;
    if (++file.batches_of_calls_ % batches == 0 && !file.detached_)
        file.refresh();
}

} // namespace

void submitter::make_calls(submission_batch& batch, lock_type& lock) noexcept
{
    const std::size_t count = batch.calls();
    if (count == 0)
        return;

    lock.unlock();
    const auto begin = std::chrono::steady_clock::now();
    const tick_count ticks;
    std::size_t made = 0;
    do
    {
        operation_record& record = batch.call(made++);
        record.result_ = call(record);
    } while (made != count && !ticks.any_passed());
    const std::chrono::nanoseconds duration = std::chrono::steady_clock::now() - begin;
    lock.lock();

    time_on_loop(duration, usual_time(made), batch, &submission_batch::user::called);
    for (std::size_t i = 0; i != made; ++i)
        returned(batch.call(i), std::exchange(batch.call(i).result_, 0));
    for (std::size_t i = count; i != made; --i)
        not_called(batch.call(i - 1));
    for (const submission_batch::user& user : batch.users())
    {
        if (!user.called.empty())
            look_again(*user.file);
    }
}

// One before it has waited, although it was asked not to.
void submitter::not_called(operation_record& record) noexcept
{
    counters_.not_called();
    if (operations_.cancelled(record))
        operations_.finish_queued(record, ECANCELED);
    else
        operations_.queue().put_back(record);
}

void submitter::returned(operation_record& record, std::int64_t result) noexcept
{
    const bool as_wanted = record.nowait_added_ && record.vector_count_ == 0 &&
                           result == static_cast<std::int64_t>(record.block_.length);
    if (as_wanted)
    {
        record.file_->learned(record).succeeded();
        operations_.finish(record, result);
    }
    else
    {
        operations_.ended(record, attempt::call, result);
    }
}

} // namespace detail
} // namespace kaio
