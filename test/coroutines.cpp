//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read_at.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write_at.hpp>
#include <boost/test/unit_test.hpp>
#include <kaio/kaio.hpp>
#include <tuple>

#include "support/skip.hpp"
#include "support/token_fixture.hpp"

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using boost::system::system_error;
using namespace asio::experimental::awaitable_operators;
using namespace kaio::test;

struct fixture : token_fixture
{
    // Run a coroutine to its end.
    template <typename Coroutine>
    void check(Coroutine coroutine)
    {
        bool ended = false;
        std::exception_ptr thrown;
        asio::co_spawn(context, std::move(coroutine), [&](std::exception_ptr e) {
            ended = true;
            thrown = e;
        });
        run_again(context);
        BOOST_TEST(ended);
        if (thrown)
            std::rethrow_exception(thrown);
    }

    template <typename Operation, typename Token>
    decltype(auto) start(Operation, Token&& token)
    {
        return Operation::start(*this, file, std::forward<Token>(token));
    }
};

BOOST_AUTO_TEST_SUITE(coroutines)

BOOST_FIXTURE_TEST_CASE_TEMPLATE(use_awaitable, Operation, token_operations, fixture)
{
    this->check([this]() -> asio::awaitable<void> {
        const std::size_t n = co_await this->start(Operation(), asio::use_awaitable);
        BOOST_TEST(n == 100u);
    });
    BOOST_CHECK(Operation::done(*this));

    this->file.close();
    BOOST_CHECK_EXCEPTION(this->check([this]() -> asio::awaitable<void> {
        co_await this->start(Operation(), asio::use_awaitable);
    }),
                          system_error, [](const system_error& e) {
                              return e.code() == asio::error::bad_descriptor;
                          });
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(deferred, Operation, token_operations, fixture)
{
    this->check([this]() -> asio::awaitable<void> {
        const auto operation = this->start(Operation(), asio::deferred);
        BOOST_TEST(co_await operation(asio::use_awaitable) == 100u);
    });
    BOOST_CHECK(Operation::done(*this));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(as_tuple, Operation, token_operations, fixture)
{
    this->check([this]() -> asio::awaitable<void> {
        const auto [ec, n] = co_await this->start(Operation(), asio::as_tuple(asio::use_awaitable));
        BOOST_TEST(!ec);
        BOOST_TEST(n == 100u);
    });
    BOOST_CHECK(Operation::done(*this));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(redirect_error, Operation, token_operations, fixture)
{
    this->check([this]() -> asio::awaitable<void> {
        error_code ec = asio::error::fault;
        std::size_t n =
            co_await this->start(Operation(), asio::redirect_error(asio::use_awaitable, ec));
        BOOST_TEST(!ec);
        BOOST_TEST(n == 100u);

        this->file.close();
        n = co_await this->start(Operation(), asio::redirect_error(asio::use_awaitable, ec));
        BOOST_TEST(ec == asio::error::bad_descriptor);
        BOOST_TEST(n == 0u);
    });
}

BOOST_FIXTURE_TEST_CASE(default_tokens_are_used, fixture)
{
    using awaitable_file = asio::use_awaitable_t<>::as_default_on_t<kaio::random_access_file>;
    using tuple_file =
        asio::as_tuple_t<asio::use_awaitable_t<>>::as_default_on_t<kaio::random_access_file>;
    using deferred_file = asio::deferred_t::as_default_on_t<kaio::random_access_file>;

    check([this]() -> asio::awaitable<void> {
        awaitable_file first(context, on_disk.path(), kaio::file_base::read_write);
        BOOST_TEST(co_await first.async_read_some_at(10, asio::buffer(text)) == 100u);
        BOOST_CHECK(text == pattern(10, 100));
        BOOST_TEST(co_await first.async_write_some_at(10, asio::buffer(text)) == 100u);
        BOOST_TEST(co_await first.async_read_some_at(10, asio::buffer(text), kaio::io_options()) ==
                   100u);
        BOOST_TEST(co_await asio::async_read_at(first, 10, asio::buffer(text)) == 100u);

        tuple_file second(std::move(first));
        auto [ec, n] = co_await second.async_read_some_at(5000, asio::buffer(text));
        BOOST_TEST(ec == asio::error::eof);
        BOOST_TEST(n == 0u);

        auto third = asio::use_awaitable.as_default_on(std::move(file));
        BOOST_TEST(co_await third.async_read_some_at(10, asio::buffer(text)) == 100u);

        deferred_file fourth(context, on_disk.path(), kaio::file_base::read_write);
        auto operation = fourth.async_read_some_at(10, asio::buffer(text));
        BOOST_TEST(co_await std::move(operation)(asio::use_awaitable) == 100u);
    });
}

BOOST_FIXTURE_TEST_CASE(composed_operations_are_awaited, fixture)
{
    check([this]() -> asio::awaitable<void> {
        BOOST_TEST(co_await asio::async_read_at(file, 10, asio::buffer(text),
                                                asio::use_awaitable) == 100u);
        BOOST_CHECK(text == pattern(10, 100));
        BOOST_TEST(co_await asio::async_write_at(file, 950, asio::buffer(text),
                                                 asio::use_awaitable) == 100u);
        BOOST_CHECK(on_disk.contents() == pattern(0, 950) + text);
    });
}

BOOST_FIXTURE_TEST_CASE(operators_wait_for_both, fixture)
{
    check([this]() -> asio::awaitable<void> {
        std::string other(50, '\0');
        const auto [a, b] =
            co_await (file.async_read_some_at(10, asio::buffer(text), asio::use_awaitable) &&
                      file.async_read_some_at(20, asio::buffer(other), asio::use_awaitable));
        BOOST_TEST(a == 100u);
        BOOST_TEST(b == 50u);
        BOOST_CHECK(text == pattern(10, 100));
        BOOST_CHECK(other == pattern(20, 50));
    });
}

BOOST_FIXTURE_TEST_CASE(a_timeout_that_is_not_reached, fixture)
{
    check([this]() -> asio::awaitable<void> {
        asio::steady_timer timer(context, time_bound);
        const auto result =
            co_await (file.async_read_some_at(10, asio::buffer(text), asio::use_awaitable) ||
                      timer.async_wait(asio::use_awaitable));
        BOOST_TEST(result.index() == 0u);
        BOOST_TEST(std::get<0>(result) == 100u);
    });
    BOOST_CHECK(text == pattern(10, 100));
}

BOOST_AUTO_TEST_CASE(a_timeout_aborts_what_still_waits)
{
    if (!direct_io_available())
    {
        skip("no direct I/O in " + directory());
        return;
    }
    constexpr std::size_t size = std::size_t(8) << 20;
    temporary_file on_disk(std::string(size, 'x'));
    // A long read holds the only place in the kernel, or without AIO the only thread. It may end
    // before the other is aborted: then once more.
    bool aborted = false;
    for (int attempt = 0; attempt != 100 && !aborted; ++attempt)
    {
        context_fixture f;
        kaio::service_options options;
        options.max_in_flight = 1;
        options.helper_threads = 1;
        const auto& service = kaio::make_aio_service(f.context, options);
        kaio::random_access_file file(f.context, on_disk.path(),
                                      kaio::file_base::read_only | kaio::file_base::direct);
        aligned_memory long_memory(size), memory(4096);
        bool long_ended = false, ended = false;
        std::size_t first = 0;
        file.async_read_some_at(0, asio::buffer(long_memory.data(), size),
                                [&](error_code ec, std::size_t n) {
                                    BOOST_TEST(!ec);
                                    BOOST_TEST(n == size);
                                    long_ended = true;
                                });
        f.context.poll();
        asio::steady_timer timer(f.context, asio::steady_timer::time_point::max());
        asio::co_spawn(
            f.context,
            [&]() -> asio::awaitable<void> {
                // For the operator the cancelled wait is an end like any other.
                const auto result =
                    co_await (file.async_read_some_at(0, asio::buffer(memory.data(), 4096),
                                                      asio::as_tuple(asio::use_awaitable)) ||
                              timer.async_wait(asio::as_tuple(asio::use_awaitable)));
                ended = true;
                first = result.index();
            },
            [](std::exception_ptr e) {
                if (e)
                    std::rethrow_exception(e);
            });
        f.context.poll();
        timer.cancel();
        run(f.context);
        BOOST_TEST(ended);
        BOOST_TEST(long_ended);
        aborted = service.statistics().operations_cancelled == 1;
        if (aborted)
            BOOST_TEST(first == 1u);
    }
    BOOST_TEST(aborted, "in no attempt was the read aborted");
}

BOOST_FIXTURE_TEST_CASE(ten_coroutines_write_and_read_back, fixture)
{
    int ended = 0;
    for (int i = 0; i != 10; ++i)
    {
        asio::co_spawn(
            context,
            [&, i]() -> asio::awaitable<void> {
                for (int round = 0; round != 20; ++round)
                {
                    const auto offset = static_cast<std::uint64_t>(10000 + i * 1000);
                    const std::string mine(1000, static_cast<char>('a' + (i + round) % 26));
                    std::string back(1000, '\0');
                    co_await asio::async_write_at(file, offset, asio::buffer(mine),
                                                  asio::use_awaitable);
                    co_await asio::async_read_at(file, offset, asio::buffer(back),
                                                 asio::use_awaitable);
                    BOOST_TEST(back == mine);
                }
                ++ended;
            },
            [](std::exception_ptr e) {
                if (e)
                    std::rethrow_exception(e);
            });
    }
    run(context);
    BOOST_TEST(ended == 10);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
