//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <algorithm>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <functional>
#include <kaio/kaio.hpp>
#include <string>
#include <vector>

#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/scale.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace kaio::test;
using kaio::file_base;
using kaio::random_access_file;

// The documentation promises that one turn of the loop runs no more handlers than this.
constexpr int handlers_per_turn = 32;

struct fixture : context_fixture
{
    temporary_file on_disk{std::size_t(10000)};
    random_access_file file{context, on_disk.path(), file_base::read_only};
    std::vector<std::string> texts = std::vector<std::string>(200, std::string(50, '\0'));
    int calls = 0;

    // Reads of data in the page cache: all have completed once they were submitted.
    template <typename Handler>
    void start_reads(int count, Handler handler)
    {
        for (int i = 0; i != count; ++i)
        {
            file.async_read_some_at(static_cast<std::uint64_t>(i) * 50,
                                    asio::buffer(texts[static_cast<std::size_t>(i)]),
                                    [this, i, handler](error_code ec, std::size_t n) {
                                        BOOST_TEST(!ec);
                                        BOOST_TEST(n == 50u);
                                        ++calls;
                                        handler(i);
                                    });
        }
    }

    void start_reads(int count)
    {
        start_reads(count, [](int) {});
    }

    std::size_t outstanding()
    {
        return asio::use_service<kaio::aio_service>(context).statistics().outstanding;
    }
};

BOOST_FIXTURE_TEST_SUITE(run_loop, fixture)

BOOST_AUTO_TEST_CASE(run_returns_at_once_without_operations)
{
    BOOST_TEST(run(context) == 0u);
}

BOOST_AUTO_TEST_CASE(run_returns_when_all_is_done)
{
    start_reads(64);
    run(context);
    BOOST_TEST(calls == 64);
    BOOST_TEST(outstanding() == 0u);

    // And again, as the wait for the kernel has to be taken up anew.
    for (int round = 0; round != 10; ++round)
    {
        start_reads(1 + round % 3);
        run_again(context);
        BOOST_TEST(outstanding() == 0u);
    }
}

BOOST_AUTO_TEST_CASE(run_waits_for_the_device)
{
    if (!direct_io_available())
    {
        skip("no direct I/O in " + directory());
        return;
    }
    random_access_file direct(context, on_disk.path(), file_base::read_only | file_base::direct);
    aligned_memory memory(4096);
    for (int round = 0; round != 20; ++round)
    {
        outcome result;
        direct.async_read_some_at(0, asio::buffer(memory.data(), 4096), record_in(result));
        run_again(context);
        BOOST_CHECK(result.succeeded(4096));
    }
    BOOST_CHECK(memory.text() == pattern(0, 4096));
}

BOOST_AUTO_TEST_CASE(run_returns_when_everything_was_refused)
{
    random_access_file write_only(context, on_disk.path(), file_base::write_only);
    random_access_file closed(context);
    for (const int count : {1, 2, 40})
    {
        std::vector<outcome> results(static_cast<std::size_t>(count));
        for (outcome& result : results)
            write_only.async_read_some_at(0, asio::buffer(texts[0]), record_in(result));
        run_again(context);
        for (const outcome& result : results)
            BOOST_CHECK(result.failed(asio::error::bad_descriptor));
    }

    outcome at_once;
    closed.async_read_some_at(0, asio::buffer(texts[0]), record_in(at_once));
    run_again(context);
    BOOST_CHECK(at_once.failed(asio::error::bad_descriptor));
}

BOOST_AUTO_TEST_CASE(run_returns_when_everything_was_cancelled)
{
    std::vector<outcome> results(20);
    for (outcome& result : results)
        file.async_read_some_at(0, asio::buffer(texts[0]), record_in(result));
    file.cancel();
    run(context);
    for (const outcome& result : results)
        BOOST_CHECK(result.aborted());
}

BOOST_AUTO_TEST_CASE(run_one_makes_progress_every_time)
{
    start_reads(64);
    std::size_t turns = 0;
    while (const std::size_t n = context.run_one_for(time_bound))
    {
        turns += n;
        BOOST_REQUIRE(turns < 1000u);
    }
    BOOST_TEST(context.stopped());
    BOOST_TEST(calls == 64);
}

BOOST_AUTO_TEST_CASE(one_turn_runs_a_limited_number_of_handlers)
{
    start_reads(64);
    for (int before = 0; calls != 64; before = calls)
    {
        BOOST_REQUIRE(context.run_one_for(time_bound) == 1u);
        BOOST_TEST(calls - before <= handlers_per_turn);
    }
    run(context);
}

BOOST_AUTO_TEST_CASE(poll_never_blocks_and_gets_everything_in_the_end)
{
    start_reads(64);
    const auto end = std::chrono::steady_clock::now() + time_bound;
    while (!context.stopped() && std::chrono::steady_clock::now() < end)
        context.poll();
    BOOST_TEST(context.stopped());
    BOOST_TEST(calls == 64);

    context.restart();
    start_reads(3);
    while (!context.stopped() && std::chrono::steady_clock::now() < end)
        context.poll_one();
    BOOST_TEST(calls == 67);
}

BOOST_AUTO_TEST_CASE(stop_takes_effect_after_the_handler_that_called_it)
{
    start_reads(64, [this](int) { context.stop(); });
    for (int expected = 1; expected <= 64; ++expected)
    {
        context.restart();
        context.run_for(time_bound);
        BOOST_TEST(context.stopped());
        BOOST_TEST(calls == expected);
        if (calls != expected)
            break;
    }
    run_again(context);
    BOOST_TEST(calls == 64);
    BOOST_TEST(outstanding() == 0u);
}

BOOST_AUTO_TEST_CASE(a_stopped_context_keeps_what_is_outstanding)
{
    start_reads(8);
    context.stop();
    BOOST_TEST(context.run() == 0u);
    BOOST_TEST(calls == 0);
    run_again(context);
    BOOST_TEST(calls == 8);
}

BOOST_AUTO_TEST_CASE(operations_can_be_started_while_the_context_is_stopped)
{
    start_reads(1, [this](int) {
        context.stop();
        start_reads(4);
    });
    context.run_for(time_bound);
    BOOST_TEST(calls == 1);
    run_again(context);
    BOOST_TEST(calls == 5);
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_loses_nothing)
{
    start_reads(64, [](int i) { throw i; });
    for (int expected = 1; expected <= 64; ++expected)
    {
        // No further handler runs before run() is called again.
        BOOST_CHECK_THROW(context.run_for(time_bound), int);
        BOOST_TEST(calls == expected);
    }
    run(context);
    BOOST_TEST(calls == 64);
    BOOST_TEST(outstanding() == 0u);
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_now_and_then)
{
    int thrown = 0;
    std::vector<int> order;
    start_reads(64, [&](int i) {
        order.push_back(i);
        if (i % 5 == 0)
            throw i;
    });
    while (!context.stopped())
    {
        try
        {
            context.run_for(time_bound);
            break;
        }
        catch (int i)
        {
            ++thrown;
            BOOST_TEST(i == order.back(), "handlers have run after the one that threw");
        }
    }
    BOOST_TEST(thrown == 13);
    BOOST_TEST(calls == 64);
}

BOOST_AUTO_TEST_CASE(handlers_that_throw_on_other_executors)
{
    // The strand and its tracked relatives take other ways through Asio than a plain handler.
    const auto strand = asio::make_strand(context);
    int ran = 0;
    for (int i = 0; i != 20; ++i)
    {
        file.async_read_some_at(0, asio::buffer(texts[static_cast<std::size_t>(i)]),
                                asio::bind_executor(strand, [&](error_code, std::size_t) {
                                    ++ran;
                                    throw 1;
                                }));
    }
    for (int expected = 1; expected <= 20; ++expected)
    {
        BOOST_CHECK_THROW(context.run_for(time_bound), int);
        BOOST_TEST(ran == expected);
    }
    run(context);
    BOOST_TEST(ran == 20);
}

BOOST_AUTO_TEST_CASE(handlers_of_immediate_completions_that_throw)
{
    int ran = 0;
    for (int i = 0; i != 5; ++i)
    {
        file.async_read_some_at(0, asio::mutable_buffer(), [&](error_code, std::size_t) {
            ++ran;
            throw 1;
        });
    }
    for (int expected = 1; expected <= 5; ++expected)
    {
        BOOST_CHECK_THROW(context.run_for(time_bound), int);
        BOOST_TEST(ran == expected);
    }
    run(context);
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_and_starts_the_next_operation)
{
    std::function<void()> next = [&] {
        file.async_read_some_at(0, asio::buffer(texts[0]), [&](error_code, std::size_t) {
            if (++calls < 100)
                next();
            throw 1;
        });
    };
    next();
    for (int i = 1; i <= 100; ++i)
    {
        BOOST_CHECK_THROW(context.run_for(time_bound), int);
        BOOST_TEST(calls == i);
    }
    run(context);
}

BOOST_AUTO_TEST_CASE(an_idle_file_does_not_hold_run)
{
    start_reads(3);
    run(context);
    BOOST_TEST(file.is_open());
    BOOST_TEST(run_again(context) == 0u);
}

BOOST_AUTO_TEST_CASE(nothing_runs_for_an_idle_file)
{
    // No polling: as long as nothing is outstanding the loop has nothing to do.
    start_reads(3);
    run(context);
    asio::steady_timer timer(context, std::chrono::milliseconds(20));
    timer.async_wait([](error_code) {});
    // Asio counts the last signal of the wake descriptor, for which nobody waits, as a handler.
    BOOST_TEST(run_again(context) <= 2u);
}

BOOST_AUTO_TEST_CASE(others_have_their_turn_between_two_of_kaios)
{
    // A handler that is always ready, beside reads that are always ready.
    const int total = static_cast<int>(scaled(5000, 500));
    int started = 0;
    std::function<void(std::size_t)> next = [&](std::size_t i) {
        if (++started > total)
            return;
        file.async_read_some_at(i * 50, asio::buffer(texts[i]), [&, i](error_code ec, std::size_t) {
            BOOST_TEST(!ec);
            ++calls;
            next(i);
        });
    };
    for (std::size_t i = 0; i != texts.size(); ++i)
        next(i);

    int before = 0, most = 0;
    std::function<void()> ready = [&] {
        most = std::max(most, calls - before);
        before = calls;
        if (calls != total)
            asio::post(context, ready);
    };
    asio::post(context, ready);
    run(context);
    BOOST_TEST(calls == total);
    // A turn that was scheduled and one that the kernel asked for can stand side by side.
    BOOST_TEST(most <= 2 * handlers_per_turn);
}

BOOST_AUTO_TEST_CASE(timers_have_their_turn_too)
{
    const int total = static_cast<int>(scaled(20000, 2000));
    int started = 0;
    std::function<void(std::size_t)> next = [&](std::size_t i) {
        if (++started > total)
            return;
        file.async_read_some_at(i * 50, asio::buffer(texts[i]), [&, i](error_code ec, std::size_t) {
            BOOST_TEST(!ec);
            ++calls;
            next(i);
        });
    };
    for (std::size_t i = 0; i != texts.size(); ++i)
        next(i);

    // A timer that is always due: Asio sees it whenever it has looked at the reactor.
    asio::steady_timer timer(context);
    int before = 0, most = 0, ticks = 0;
    std::function<void()> tick = [&] {
        timer.expires_at(asio::steady_timer::clock_type::now());
        timer.async_wait([&](error_code) {
            ++ticks;
            most = std::max(most, calls - before);
            before = calls;
            if (calls != total)
                tick();
        });
    };
    tick();
    run(context);
    BOOST_TEST(calls == total);
    BOOST_TEST(most <= 4 * handlers_per_turn);
    BOOST_TEST(ticks >= total / (4 * handlers_per_turn));
}

BOOST_AUTO_TEST_CASE(posted_handlers_keep_their_place)
{
    // Functions posted before the completion run before the handlers of the next turns.
    start_reads(200);
    int seen_at = -1;
    asio::post(context, [&] { seen_at = calls; });
    run(context);
    BOOST_TEST(seen_at >= 0);
    BOOST_TEST(seen_at <= 2 * handlers_per_turn);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
