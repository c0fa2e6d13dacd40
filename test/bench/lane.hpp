//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_LANE_HPP
#define KAIO_BENCH_LANE_HPP

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "aligned_memory.hpp"
#include "cell.hpp"
#include "latency_histogram.hpp"
#include "workload.hpp"

namespace bench {

using clock = std::chrono::steady_clock;

/// One operation of those that are outstanding at a time, and its successors.
struct slot
{
    std::size_t number;
    unsigned char* data;
    operation op;
    std::uint64_t started_operations;
    clock::time_point started;
    std::size_t handle;
};

/// What one event loop does of a cell: says what is next, and checks and measures what was done.
/**
 * A contender carries out the operation of each slot after begin() returned true, reports the
 * result to completed() and, as long as that returns true, carries out the next one.
 */
class lane
{
public:
    lane(const cell& c, std::size_t number)
      : cell_(c), workload_(c), bare_(c.bare && !workload_.syncs() && c.access != access::extend),
        first_(number), memory_(c.depth / c.loops * c.block_size)
    {
        const std::size_t depth = c.depth / c.loops;
        for (std::size_t i = 0; i != depth; ++i)
            slots_.push_back({i, memory_.data() + i * c.block_size, {}, 0, {}, 0});
    }

    lane(const lane&) = delete;
    lane& operator=(const lane&) = delete;

    /// Have what comes measured, or not yet.
    void start_phase(bool measured)
    {
        if (tallies_.empty())
            enter();
        for (latency_histogram& t : tallies_)
            t.clear();
        mine_ = &tallies_.front();
        const std::uint64_t operations = measured ? cell_.operations : cell_.warm_up_operations;
        limit_ = operations == 0 && measured ? std::numeric_limits<std::uint64_t>::max()
                                             : (operations + cell_.depth - 1) / cell_.depth;
        deadline_ = operations == 0 ? clock::now() + cell_.duration : clock::time_point::max();
        for (slot& s : slots_)
            s.started_operations = 0;
        base_ = measured ? workload_.first_measured() : 0;
    }

    /// To be called by each further thread that calls completed().
    void enter()
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        mine_ = &tallies_.emplace_back();
    }

    std::vector<slot>& slots() noexcept
    {
        return slots_;
    }

    /// What to carry out first in a slot, if anything.
    bool begin(slot& s) noexcept
    {
        s.started = clock::now();
        return s.started < deadline_ && prepare(s);
    }

    /// The operation of a slot has this result: a size, or a negative errno.
    /** True if the slot has another operation to carry out now. */
    bool completed(slot& s, long result) noexcept
    {
        return bare_ ? repeat(s, result) : measure(s, result);
    }

    /// Whether all slots are to begin once more.
    bool another_wave() const noexcept
    {
        return cell_.waves && !failed_ && clock::now() < deadline_ &&
               slots_.front().started_operations < limit_;
    }

    std::uint64_t operations() const noexcept
    {
        std::uint64_t result = 0;
        for (const slot& s : slots_)
            result += s.started_operations;
        return result;
    }

    /// So many operations every slot has carried out.
    std::uint64_t complete_rounds() const noexcept
    {
        std::uint64_t result = std::numeric_limits<std::uint64_t>::max();
        for (const slot& s : slots_)
            result = std::min(result, s.started_operations);
        return result;
    }

    latency_histogram latency() const
    {
        latency_histogram result;
        for (const latency_histogram& t : tallies_)
            result.merge(t);
        return result;
    }

    /// Throws what went wrong first, if anything did.
    void rethrow() const
    {
        if (failed_)
            throw std::runtime_error(failure_);
    }

    const bench::cell& cell() const noexcept
    {
        return cell_;
    }

    std::size_t block_size() const noexcept
    {
        return cell_.block_size;
    }

    const bench::workload& work() const noexcept
    {
        return workload_;
    }

private:
    [[gnu::noinline]] bool measure(slot& s, long result) noexcept
    {
        if (!check(s, result))
            return false;
        if (workload_.syncs() && s.op.kind == operation::write)
        {
            s.op.kind = operation::sync;
            return true;
        }
        const clock::time_point now = clock::now();
        mine_->record(now - s.started);
        s.started = now;
        return !cell_.waves && now < deadline_ && !failed_.load(std::memory_order_relaxed) &&
               prepare(s);
    }

    // The same operation again. Instructions are counted so, and few are to be the lane's own.
    bool repeat(slot& s, long result) noexcept
    {
        if (result != static_cast<long>(cell_.block_size))
            fail(s, result);
        else if (s.started_operations != limit_)
        {
            ++s.started_operations;
            return true;
        }
        return false;
    }

    bool prepare(slot& s) noexcept
    {
        const std::uint64_t n =
            s.started_operations * cell_.depth + first_ + s.number * cell_.loops;
        if (s.started_operations == limit_ || !workload_.has(n))
            return false;
        ++s.started_operations;
        s.op = workload_[base_ + n];
        s.handle = cell_.one_handle_per_slot() ? s.number : s.op.file;
        if (s.op.kind == operation::write)
            workload_.stamp(s.op.offset, s.data);
        return true;
    }

    bool check(const slot& s, long result) noexcept
    {
        const long expected = s.op.kind == operation::sync ? 0 : static_cast<long>(block_size());
        if (result == expected &&
            (s.op.kind != operation::read || workload_.verify(s.op.offset, s.data)))
            return true;
        fail(s, result);
        return false;
    }

    [[gnu::noinline]] void fail(const slot& s, long result)
    {
        static constexpr const char* names[] = {"read", "write", "fdatasync"};
        const std::lock_guard<std::mutex> lock(mutex_);
        if (failed_.exchange(true))
            return;
        failure_ =
            std::string(names[s.op.kind]) + " at offset " + std::to_string(s.op.offset) + ": ";
        if (result < 0)
            failure_ += std::generic_category().message(static_cast<int>(-result));
        else if (result != static_cast<long>(block_size()))
            failure_ +=
                std::to_string(result) + " bytes instead of " + std::to_string(block_size());
        else
            failure_ += "wrong data";
    }

    const bench::cell& cell_;
    bench::workload workload_;
    const bool bare_;
    std::size_t first_;
    aligned_memory memory_;
    std::vector<slot> slots_;
    std::uint64_t base_ = 0;
    std::uint64_t limit_ = 0;
    clock::time_point deadline_;
    std::mutex mutex_;
    std::deque<latency_histogram> tallies_;
    std::atomic<bool> failed_{false};
    std::string failure_;

    static inline thread_local latency_histogram* mine_ = nullptr;
};

} // namespace bench

#endif // KAIO_BENCH_LANE_HPP
