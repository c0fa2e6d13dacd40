//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SIMULATION_SCHEDULE_HPP
#define KAIO_TEST_SIMULATION_SCHEDULE_HPP

#include <pthread.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace kaio {
namespace test {

/// Decides which thread of the program goes on: one at a time, by a seed.
/**
 * The thread that makes it is its first; those that it creates, and they create, are the others. A
 * thread gives way at scheduling points and where it waits, nowhere else. So one seed always gives
 * one course of events. If no thread can go on and nothing else happens, the program hangs: that is
 * reported at once, with the seed.
 */
class schedule
{
public:
    explicit schedule(std::uint32_t seed);
    ~schedule();

    schedule(const schedule&) = delete;
    schedule& operator=(const schedule&) = delete;

    /// The one that the calling thread belongs to, or nullptr.
    static schedule* current() noexcept;

    std::uint32_t below(std::uint32_t limit)
    {
        return static_cast<std::uint32_t>(random_() >> 4) % limit;
    }

    bool with_chance(std::uint32_t percent)
    {
        return percent != 0 && below(100) < percent;
    }

    /// Another thread may go on here.
    void point();

    /// Let others go on until a condition holds.
    void wait_until(const char* what, const std::function<bool()>& condition);

    /// What happens beside the threads: a function that makes one thing happen, or returns false.
    void set_world(std::function<bool()> happens)
    {
        world_ = std::move(happens);
    }

    int create_thread(::pthread_t* thread, const ::pthread_attr_t* attributes,
                      void* (*function)(void*), void* argument);
    int join_thread(::pthread_t thread, void** result);

    void wait_for_signal(::pthread_cond_t* condition, ::pthread_mutex_t* mutex);
    void signal(::pthread_cond_t* condition, bool all);
    void lock(::pthread_mutex_t* mutex);

    std::size_t threads() const
    {
        return threads_.size();
    }

    /// A clock that goes on a little each time it is read.
    std::int64_t nanoseconds();

    /// Say what happens, where KAIO_TEST_TRACE is set.
    template <typename... Words>
    void note(const Words&... words) const
    {
        if (tracing_)
            print(words...);
    }

    /// End the program: a promise was broken.
    [[noreturn]] void fail(const std::string& what) const;

private:
    struct thread;

    template <typename... Words>
    void print(const Words&... words) const
    {
        std::cerr << "thread " << number_of_running() << ":";
        ((std::cerr << ' ' << words), ...);
        std::cerr << std::endl;
    }

    std::size_t number_of_running() const;

    static void* run_thread(void* argument);

    void give_way();
    std::vector<thread*> those_that_can_go_on() const;
    [[noreturn]] void report_hang() const;

    const std::uint32_t seed_;
    const bool tracing_ = std::getenv("KAIO_TEST_TRACE") != nullptr;
    std::minstd_rand random_;
    const std::uint32_t switches_;
    std::function<bool()> world_;
    std::vector<std::unique_ptr<thread>> threads_;
    thread* running_ = nullptr;
    std::size_t steps_ = 0;
    std::int64_t now_ = 1'000'000'000;
};

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SIMULATION_SCHEDULE_HPP
