//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "offload/helper_pool.hpp"

#include <cerrno>
#include <csignal>
#include <new>
#include <system_error>
#include <utility>

namespace kaio {
namespace detail {
namespace {

// Signals are for the threads of the program.
class signals_blocked
{
public:
    signals_blocked() noexcept
    {
        ::sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }

    signals_blocked(const signals_blocked&) = delete;
    signals_blocked& operator=(const signals_blocked&) = delete;

    ~signals_blocked()
    {
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

private:
    ::sigset_t before_;
};

} // namespace

int helper_pool::wake_one() noexcept
{
    if (stopping_)
        return 0;
    if (wake_ups_ < idle_)
    {
        ++wake_ups_;
        woken_.notify_one();
        return 0;
    }
    if (threads_.size() == most_)
        return 0;
    try
    {
        const signals_blocked guard;
        threads_.emplace_back([this] { run(); });
        return 0;
    }
    catch (const std::system_error& e)
    {
        return threads_.empty() ? e.code().value() : 0;
    }
    catch (const std::bad_alloc&)
    {
        return threads_.empty() ? ENOMEM : 0;
    }
}

void helper_pool::run() noexcept
{
    lock_type lock(mutex_);
    while (!stopping_)
    {
        work_(lock);
        ++idle_;
        woken_.wait(lock, [this] { return wake_ups_ != 0 || stopping_; });
        --idle_;
        if (wake_ups_ != 0)
            --wake_ups_;
    }
}

void helper_pool::stop(lock_type& lock) noexcept
{
    stopping_ = true;
    std::vector<std::thread> threads;
    threads.swap(threads_);
    woken_.notify_all();

    lock.unlock();
    for (std::thread& thread : threads)
        thread.join();
    lock.lock();
}

void helper_pool::resume() noexcept
{
    stopping_ = false;
    wake_ups_ = 0;
}

} // namespace detail
} // namespace kaio
