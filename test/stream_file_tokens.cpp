//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// A stream file under all kinds of completion tokens.

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/append.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/consign.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/prepend.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>
#include <future>
#include <kaio/stream_file.hpp>
#include <memory>
#include <tuple>

#if BOOST_ASIO_VERSION >= 102800
#include <boost/asio/bind_immediate_executor.hpp>
#include <boost/asio/system_executor.hpp>
#endif
#if BOOST_ASIO_VERSION >= 103200
#include <boost/asio/cancel_after.hpp>
#endif

#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/temporary_file.hpp"
#include "support/tracking_allocator.hpp"
#include "support/tracking_executor.hpp"

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using boost::system::system_error;
using namespace kaio::test;

const error_code bad_descriptor = asio::error::bad_descriptor;

// Every operation takes the next 100 bytes.
struct fixture : context_fixture
{
    static constexpr std::size_t size = 100;

    template <typename Operation, typename Token>
    decltype(auto) start(Operation operation, Token&& token)
    {
        const initiation_guard guard;
        return operation(*this, std::forward<Token>(token));
    }

    // So many of them have taken place.
    void check_done(std::uint64_t count)
    {
        run_again(context);
        BOOST_TEST(file.seek(0, kaio::file_base::seek_cur) == count * size);
    }

    temporary_file on_disk{std::size_t(1000)};
    kaio::stream_file file{context, on_disk.path(), kaio::file_base::read_write};
    std::string text = std::string(size, '\0');
};

struct read
{
    template <typename Token>
    decltype(auto) operator()(fixture& f, Token&& token) const
    {
        return f.file.async_read_some(asio::buffer(f.text), std::forward<Token>(token));
    }
};

struct read_with_options
{
    template <typename Token>
    decltype(auto) operator()(fixture& f, Token&& token) const
    {
        return f.file.async_read_some(asio::buffer(f.text), kaio::io_options(),
                                      std::forward<Token>(token));
    }
};

struct write
{
    template <typename Token>
    decltype(auto) operator()(fixture& f, Token&& token) const
    {
        return f.file.async_write_some(asio::buffer(f.text), std::forward<Token>(token));
    }
};

struct write_with_options
{
    template <typename Token>
    decltype(auto) operator()(fixture& f, Token&& token) const
    {
        return f.file.async_write_some(asio::buffer(f.text), kaio::io_options(),
                                       std::forward<Token>(token));
    }
};

using operations = std::tuple<read, read_with_options, write, write_with_options>;

BOOST_AUTO_TEST_SUITE(stream_file_tokens)

BOOST_FIXTURE_TEST_CASE_TEMPLATE(callbacks, Operation, operations, fixture)
{
    outcome copied, moved, erased;
    const auto handler = [&](error_code ec, std::size_t n) { record_in{copied}(ec, n); };
    this->start(Operation(), handler);
    this->start(Operation(), record_in(moved));
    this->start(Operation(),
                asio::any_completion_handler<void(error_code, std::size_t)>(record_in(erased)));
    this->check_done(3);
    BOOST_CHECK(copied.succeeded(100));
    BOOST_CHECK(moved.succeeded(100));
    BOOST_CHECK(erased.succeeded(100));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(use_future, Operation, operations, fixture)
{
    std::future<std::size_t> good = this->start(Operation(), asio::use_future);
    this->check_done(1);
    BOOST_TEST(good.get() == 100u);

    this->file.close();
    std::future<std::size_t> bad = this->start(Operation(), asio::use_future);
    run_again(this->context);
    BOOST_CHECK_EXCEPTION(bad.get(), system_error,
                          [](const system_error& e) { return e.code() == bad_descriptor; });
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(deferred, Operation, operations, fixture)
{
    outcome first, second, in_tuple;
    const auto operation = this->start(Operation(), asio::deferred);
    this->check_done(0);
    initiate([&] { operation(record_in(first)); });
    initiate([&] { operation(record_in(second)); });
    this->start(Operation(),
                asio::as_tuple(asio::deferred))([&](std::tuple<error_code, std::size_t> results) {
        std::apply(record_in(in_tuple), results);
    });
    this->check_done(3);
    BOOST_CHECK(first.succeeded(100));
    BOOST_CHECK(second.succeeded(100));
    BOOST_CHECK(in_tuple.succeeded(100));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(detached, Operation, operations, fixture)
{
    this->start(Operation(), asio::detached);
    this->check_done(1);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(associated_characteristics, Operation, operations, fixture)
{
    outcome on_executor, aborted;
    allocation_count count;
    bool there = false;
    const tracking_executor executor(1, asio::make_strand(this->context));
    this->start(Operation(), asio::bind_executor(executor, [&](error_code ec, std::size_t n) {
                    there = running_on(1);
                    record_in{on_executor}(ec, n);
                }));
    asio::cancellation_signal signal;
    this->start(Operation(), asio::bind_cancellation_slot(
                                 signal.slot(), asio::bind_allocator(tracking_allocator<>(count),
                                                                     record_in(aborted))));
    BOOST_TEST(count.live_blocks != 0u);
    signal.emit(asio::cancellation_type::terminal);
    this->check_done(1);
    BOOST_CHECK(on_executor.succeeded(100));
    BOOST_TEST(there);
    BOOST_CHECK(aborted.aborted());
    BOOST_TEST(count.live_bytes == 0u);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(adapters, Operation, operations, fixture)
{
    int calls = 0;
    const auto check = [&](error_code ec, std::size_t n) {
        BOOST_TEST(!ec);
        BOOST_TEST(n == 100u);
        ++calls;
    };
    this->start(Operation(),
                asio::append([&](error_code ec, std::size_t n, int) { check(ec, n); }, 7));
    this->start(Operation(),
                asio::prepend([&](int, error_code ec, std::size_t n) { check(ec, n); }, 7));
    auto kept = std::make_shared<int>(7);
    const std::weak_ptr<int> watch = kept;
    this->start(Operation(), asio::consign(check, std::move(kept)));
    BOOST_TEST(!watch.expired());
    asio::experimental::make_parallel_group(this->start(Operation(), asio::deferred),
                                            this->start(Operation(), asio::deferred))
        .async_wait(asio::experimental::wait_for_all(),
                    [&](std::array<std::size_t, 2>, error_code ec1, std::size_t n1, error_code ec2,
                        std::size_t n2) {
                        check(ec1, n1);
                        check(ec2, n2);
                    });
    this->check_done(5);
    BOOST_TEST(watch.expired());
    BOOST_TEST(calls == 5);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(use_awaitable, Operation, operations, fixture)
{
    bool done = false;
    asio::co_spawn(
        this->context,
        [&]() -> asio::awaitable<void> {
            const std::size_t n = co_await Operation()(*this, asio::use_awaitable);
            BOOST_TEST(n == 100u);
            this->file.close();
            const auto [ec, none] =
                co_await Operation()(*this, asio::as_tuple(asio::use_awaitable));
            BOOST_TEST(ec == bad_descriptor);
            BOOST_TEST(none == 0u);
            done = true;
        },
        asio::detached);
    run_again(this->context);
    BOOST_TEST(done);
}

BOOST_FIXTURE_TEST_CASE(the_default_token_is_used, fixture)
{
    using file_type = asio::use_awaitable_t<>::as_default_on_t<kaio::stream_file>;
    bool done = false;
    asio::co_spawn(
        context,
        [&]() -> asio::awaitable<void> {
            file_type awaited(context, on_disk.path(), file_type::read_write);
            const std::size_t read = co_await awaited.async_read_some(asio::buffer(text));
            const std::size_t written =
                co_await awaited.async_write_some(asio::buffer(text), kaio::io_options());
            BOOST_TEST(read == 100u);
            BOOST_TEST(written == 100u);
            done = true;
        },
        asio::detached);
    run(context);
    BOOST_TEST(done);
    BOOST_CHECK(on_disk.contents().substr(0, 200) == pattern(0, 100) + pattern(0, 100));
}

#if BOOST_ASIO_VERSION >= 102800
BOOST_FIXTURE_TEST_CASE_TEMPLATE(bind_immediate_executor, Operation, operations, fixture)
{
    outcome done, failed;
    this->start(Operation(),
                asio::bind_immediate_executor(asio::system_executor(), record_in(done)));
    this->check_done(1);
    BOOST_CHECK(done.succeeded(100));

    this->file.close();
    Operation()(*this, asio::bind_immediate_executor(asio::system_executor(), record_in(failed)));
    BOOST_CHECK(failed.failed(bad_descriptor));
}
#endif

#if BOOST_ASIO_VERSION >= 103200
BOOST_FIXTURE_TEST_CASE_TEMPLATE(cancel_after, Operation, operations, fixture)
{
    outcome in_time;
    this->start(Operation(), asio::cancel_after(time_bound, record_in(in_time)));
    this->check_done(1);
    BOOST_CHECK(in_time.succeeded(100));
}
#endif

BOOST_AUTO_TEST_SUITE_END()

} // namespace
