//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_RUN_HPP
#define KAIO_TEST_SUPPORT_RUN_HPP

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

namespace kaio {
namespace test {

/// Longer than anything in the tests takes, also under a sanitizer on a busy machine.
constexpr std::chrono::seconds time_bound(60);

/// Run a context until it has no work left; a test that would hang fails instead.
inline std::size_t run(boost::asio::io_context& context)
{
    const std::size_t handlers = context.run_for(time_bound);
    BOOST_REQUIRE_MESSAGE(context.stopped(), "the context still has work after a minute");
    return handlers;
}

/// Restart a context that ran out of work, and run it.
inline std::size_t run_again(boost::asio::io_context& context)
{
    context.restart();
    return run(context);
}

/// Run a context on several threads until it has no work left.
inline void run_on_threads(boost::asio::io_context& context, std::size_t count)
{
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i != count; ++i)
        threads.emplace_back([&] { context.run_for(time_bound); });
    for (std::thread& thread : threads)
        thread.join();
    BOOST_REQUIRE_MESSAGE(context.stopped(), "the context still has work after a minute");
}

/// Run one handler at a time until a condition holds.
template <typename Condition>
void run_until(boost::asio::io_context& context, Condition condition)
{
    const auto end = std::chrono::steady_clock::now() + time_bound;
    while (!condition())
    {
        const std::size_t handlers = context.run_one_until(end);
        BOOST_REQUIRE_MESSAGE(handlers != 0 || condition(),
                              "nothing left to run, or a minute over");
    }
}

/// A context whose end proves that it has no work left.
class context_fixture
{
public:
    explicit context_fixture(int concurrency_hint = BOOST_ASIO_CONCURRENCY_HINT_SAFE)
      : context(concurrency_hint)
    {
    }

    context_fixture(const context_fixture&) = delete;
    context_fixture& operator=(const context_fixture&) = delete;

    ~context_fixture()
    {
        context.restart();
        try
        {
            context.run_for(time_bound);
        }
        catch (...)
        {
            BOOST_ERROR("a handler has thrown at the end of the test");
        }
        BOOST_CHECK_MESSAGE(context.stopped(), "work is left at the end of the test");
    }

    boost::asio::io_context context;
};

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_RUN_HPP
