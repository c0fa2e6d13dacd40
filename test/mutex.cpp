//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// The lock of the engine.

#include "kernel/mutex.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "support/scale.hpp"

using kaio::test::scaled;

BOOST_AUTO_TEST_SUITE(mutex_)

BOOST_AUTO_TEST_CASE(only_one_thread_is_inside)
{
    const std::size_t rounds = scaled(100000);
    kaio::detail::mutex mutex;
    std::size_t count = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i != 4; ++i)
        threads.emplace_back([&] {
            for (std::size_t round = 0; round != rounds; ++round)
            {
                const std::lock_guard<kaio::detail::mutex> lock(mutex);
                ++count;
            }
        });
    for (std::thread& thread : threads)
        thread.join();
    BOOST_TEST(count == 4 * rounds);
}

// Held for so long that the others sleep: each unlocking has to wake one of them.
BOOST_AUTO_TEST_CASE(threads_that_sleep_are_woken_one_after_the_other)
{
    kaio::detail::mutex mutex;
    std::atomic<int> inside{0};
    std::vector<std::thread> threads;
    for (int round = 0; round != 20; ++round)
    {
        std::unique_lock<kaio::detail::mutex> lock(mutex);
        std::atomic<int> begun{0};
        threads.clear();
        for (int i = 0; i != 4; ++i)
            threads.emplace_back([&] {
                ++begun;
                const std::lock_guard<kaio::detail::mutex> own(mutex);
                ++inside;
            });
        while (begun != 4)
            std::this_thread::yield();
        // Longer than a thread looks before it sleeps.
        for (int i = 0; i != 1000; ++i)
            std::this_thread::yield();
        BOOST_TEST(inside == 4 * round);
        lock.unlock();
        for (std::thread& thread : threads)
            thread.join();
        BOOST_TEST(inside == 4 * (round + 1));
    }
}

BOOST_AUTO_TEST_SUITE_END()
