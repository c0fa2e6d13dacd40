//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_OFFLOAD_HELPER_POOL_HPP
#define KAIO_OFFLOAD_HELPER_POOL_HPP

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "kernel/mutex.hpp"

namespace kaio {
namespace detail {

/// The helper threads, which do what could make the loop wait. They are made when needed.
/** All functions are called with the lock held that the pool was made with. */
class helper_pool
{
public:
    using lock_type = std::unique_lock<mutex>;

    /// What a helper does when it is woken, with the lock held, until there is nothing left to do.
    using work_function = std::function<void(lock_type&)>;

    helper_pool(mutex& m, std::size_t most, work_function work)
      : mutex_(m), most_(most), work_(std::move(work))
    {
    }

    helper_pool(const helper_pool&) = delete;
    helper_pool& operator=(const helper_pool&) = delete;

    /// The number of helpers that there may be.
    std::size_t most() const noexcept
    {
        return most_;
    }

    /// Have one more helper look for work: an idle one, or a new one if there may be more.
    /** Returns an errno if there is no helper at all and none could be made, otherwise 0. */
    int wake_one() noexcept;

    /// How many idle helpers were woken and haven't begun to look.
    std::size_t woken() const noexcept
    {
        return wake_ups_;
    }

    /// Have all helpers end when they have done what they are doing, and make no more.
    void stop(lock_type& lock) noexcept;

    /// Whether the helpers are to end.
    bool stopping() const noexcept
    {
        return stopping_;
    }

    /// Make helpers again.
    void resume() noexcept;

private:
    void run() noexcept;

    mutex& mutex_;
    const std::size_t most_;
    const work_function work_;
    std::condition_variable_any woken_;
    std::vector<std::thread> threads_;
    std::size_t idle_ = 0;
    std::size_t wake_ups_ = 0;
    bool stopping_ = false;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_OFFLOAD_HELPER_POOL_HPP
