//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_THREAD_POOL_READER_HPP
#define KAIO_BENCH_THREAD_POOL_READER_HPP

#include <unistd.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <system_error>
#include <vector>

#include "aligned_memory.hpp"
#include "cpu_time.hpp"
#include "descriptor.hpp"
#include "read_load.hpp"
#include "read_result.hpp"

namespace bench {

/// The load by pread on an asio::thread_pool.
/**
 * As many tasks as reads may be outstanding, each of which reads, checks and posts itself again.
 * That favours the pool: a program with an event loop would pay for posting the results to it, too.
 */
class thread_pool_reader
{
public:
    thread_pool_reader(const read_load& load, std::size_t threads)
      : load_(load), file_(open_file(load.path, load.open_flags)), pool_(threads)
    {
        slots_.reserve(load.depth);
        for (std::size_t i = 0; i != load.depth; ++i)
            slots_.emplace_back(load.block_size);
    }

    /// Throws what went wrong first, if anything did.
    read_result run()
    {
        const std::chrono::microseconds cpu_at_start = cpu_time();
        started_ = clock::now();
        for (slot& s : slots_)
            post(s);
        pool_.join();

        read_result result;
        result.elapsed = clock::now() - started_;
        result.cpu = cpu_time() - cpu_at_start;
        for (const slot& s : slots_)
            result.latency.merge(s.latency);
        if (failure_)
            std::rethrow_exception(failure_);
        return result;
    }

private:
    struct slot
    {
        explicit slot(std::size_t block_size) : memory(block_size)
        {
        }

        aligned_memory memory;
        clock::time_point started;
        latency_histogram latency;
    };

    void post(slot& s)
    {
        s.started = clock::now();
        boost::asio::post(pool_, [this, &s] { read(s); });
    }

    void read(slot& s)
    {
        const std::uint64_t index = next_.fetch_add(1, std::memory_order_relaxed);
        const ssize_t size = ::pread(file_.get(), s.memory.data(), load_.block_size,
                                     static_cast<off_t>(load_.offsets[index]));
        const int error = errno;
        const clock::time_point now = clock::now();
        s.latency.record(now - s.started);
        verify(s, index, size, error);
        if (!failed_ && now - started_ < load_.duration)
            post(s);
    }

    void verify(const slot& s, std::uint64_t index, ssize_t size, int error)
    {
        try
        {
            if (size < 0)
                load_.fail(index, std::generic_category().message(error));
            load_.verify(index, s.memory.data(), static_cast<std::size_t>(size));
        }
        catch (...)
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (!failed_.exchange(true))
                failure_ = std::current_exception();
        }
    }

    const read_load& load_;
    descriptor file_;
    std::vector<slot> slots_;
    std::atomic<std::uint64_t> next_{0};
    std::atomic<bool> failed_{false};
    std::mutex mutex_;
    std::exception_ptr failure_;
    clock::time_point started_;
    boost::asio::thread_pool pool_;
};

} // namespace bench

#endif // KAIO_BENCH_THREAD_POOL_READER_HPP
