//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_OFFLOAD_WORKER_POOL_HPP
#define KAIO_OFFLOAD_WORKER_POOL_HPP

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "kernel/mutex.hpp"

namespace kaio {
namespace detail {

/// The threads on which work is done that could make the loop wait. They are created on need.
/** All functions are called with the lock held that the pool was made with. */
class worker_pool
{
public:
    /// What a thread does with the lock held when it was called, until there is nothing left to do.
    using lock_type = std::unique_lock<mutex>;
    using work_function = std::function<void(lock_type&)>;

    worker_pool(mutex& m, std::size_t most, work_function work)
      : mutex_(m), most_(most), work_(std::move(work))
    {
    }

    worker_pool(const worker_pool&) = delete;
    worker_pool& operator=(const worker_pool&) = delete;

    /// The number of threads that there may be.
    std::size_t most() const noexcept
    {
        return most_;
    }

    /// Have one more thread look for work, if there is one that isn't working.
    /** Returns an errno if there is no thread at all and none could be made, otherwise 0. */
    int call() noexcept;

    /// How many idle threads have been called and haven't begun to look.
    std::size_t called() const noexcept
    {
        return calls_;
    }

    /// Have all threads end when they have done what they are doing, and make no more.
    void stop(lock_type& lock) noexcept;

    /// Whether the threads are to end.
    bool stopping() const noexcept
    {
        return stopping_;
    }

    /// Make threads again.
    void resume() noexcept;

private:
    void run() noexcept;

    mutex& mutex_;
    const std::size_t most_;
    const work_function work_;
    std::condition_variable_any called_;
    std::vector<std::thread> threads_;
    std::size_t idle_ = 0;
    std::size_t calls_ = 0;
    bool stopping_ = false;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_OFFLOAD_WORKER_POOL_HPP
