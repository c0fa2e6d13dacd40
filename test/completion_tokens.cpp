//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/append.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/consign.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/prepend.hpp>
#include <boost/asio/read_at.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write_at.hpp>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <future>
#include <kaio/kaio.hpp>
#include <memory>
#include <tuple>

#if BOOST_ASIO_VERSION >= 103200
#include <boost/asio/cancel_after.hpp>
#endif
#if BOOST_ASIO_VERSION >= 102800
#include <boost/asio/bind_immediate_executor.hpp>
#include <boost/asio/system_executor.hpp>
#endif

#include "support/outcome.hpp"
#include "support/token_fixture.hpp"
#include "support/tracking_allocator.hpp"
#include "support/tracking_executor.hpp"

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using boost::system::system_error;
using namespace kaio::test;

const error_code bad_descriptor = asio::error::bad_descriptor;

struct fixture : token_fixture
{
    template <typename Operation, typename Token>
    decltype(auto) start(Operation, Token&& token)
    {
        const initiation_guard guard;
        return Operation::start(*this, file, std::forward<Token>(token));
    }

    template <typename Operation>
    void check_done(Operation)
    {
        run_again(context);
        BOOST_CHECK(Operation::done(*this));
    }
};

BOOST_AUTO_TEST_SUITE(completion_tokens)

BOOST_FIXTURE_TEST_CASE_TEMPLATE(callback, Operation, token_operations, fixture)
{
    outcome result;
    const auto handler = [&](error_code ec, std::size_t n) { record_in{result}(ec, n); };
    this->start(Operation(), handler);
    this->check_done(Operation());
    BOOST_CHECK(result.succeeded(100));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(move_only_callback, Operation, token_operations, fixture)
{
    outcome result;
    this->start(Operation(), [r = std::make_unique<record_in>(result)](
                                 const error_code& ec, std::size_t n) { (*r)(ec, n); });
    this->check_done(Operation());
    BOOST_CHECK(result.succeeded(100));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(callback_on_rvalue_only, Operation, token_operations, fixture)
{
    struct once
    {
        void operator()(const error_code& ec, std::size_t n) &&
        {
            record_in{*result}(ec, n);
        }

        outcome* result;
    };
    outcome result;
    this->start(Operation(), once{&result});
    this->check_done(Operation());
    BOOST_CHECK(result.succeeded(100));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(type_erased_callbacks, Operation, token_operations, fixture)
{
    outcome by_function, by_any;
    this->start(Operation(),
                std::function<void(error_code, std::size_t)>(
                    [&](error_code ec, std::size_t n) { record_in{by_function}(ec, n); }));
    this->check_done(Operation());
    BOOST_CHECK(by_function.succeeded(100));

    this->start(Operation(),
                asio::any_completion_handler<void(error_code, std::size_t)>(record_in(by_any)));
    this->check_done(Operation());
    BOOST_CHECK(by_any.succeeded(100));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(use_future, Operation, token_operations, fixture)
{
    std::future<std::size_t> good = this->start(Operation(), asio::use_future);
    this->check_done(Operation());
    BOOST_TEST(good.get() == 100u);

    this->file.close();
    std::future<std::size_t> bad = this->start(Operation(), asio::use_future);
    run_again(this->context);
    BOOST_CHECK_EXCEPTION(bad.get(), system_error,
                          [](const system_error& e) { return e.code() == bad_descriptor; });
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(deferred, Operation, token_operations, fixture)
{
    outcome result;
    auto operation = this->start(Operation(), asio::deferred);
    BOOST_TEST(run_again(this->context) == 0u, "nothing is started before it is launched");
    initiate([&] { std::move(operation)(record_in(result)); });
    this->check_done(Operation());
    BOOST_CHECK(result.succeeded(100));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(deferred_started_twice, Operation, token_operations, fixture)
{
    outcome first, second;
    const auto operation = this->start(Operation(), asio::deferred);
    initiate([&] { operation(record_in(first)); });
    initiate([&] { operation(record_in(second)); });
    this->check_done(Operation());
    BOOST_CHECK(first.succeeded(100));
    BOOST_CHECK(second.succeeded(100));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(deferred_chain, Operation, token_operations, fixture)
{
    outcome result;
    auto chain = this->start(Operation(), asio::deferred([this](error_code ec, std::size_t n) {
                                 BOOST_TEST(!ec);
                                 BOOST_TEST(n == 100u);
                                 return Operation::start(*this, this->file, asio::deferred);
                             }));
    std::move(chain)(record_in(result));
    this->check_done(Operation());
    BOOST_CHECK(result.succeeded(100));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(detached, Operation, token_operations, fixture)
{
    this->start(Operation(), asio::detached);
    this->check_done(Operation());
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(as_tuple, Operation, token_operations, fixture)
{
    outcome result;
    auto operation = this->start(Operation(), asio::as_tuple(asio::deferred));
    std::move(operation)([&](std::tuple<error_code, std::size_t> results) {
        std::apply(record_in(result), results);
    });
    this->check_done(Operation());
    BOOST_CHECK(result.succeeded(100));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(bind_executor, Operation, token_operations, fixture)
{
    outcome result;
    bool there = false;
    const tracking_executor executor(1, asio::make_strand(this->context));
    this->start(Operation(), asio::bind_executor(executor, [&](error_code ec, std::size_t n) {
                    there = running_on(1);
                    record_in{result}(ec, n);
                }));
    this->check_done(Operation());
    BOOST_CHECK(result.succeeded(100));
    BOOST_TEST(there);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(bind_allocator, Operation, token_operations, fixture)
{
    outcome result;
    allocation_count count;
    this->start(Operation(), asio::bind_allocator(tracking_allocator<>(count), record_in(result)));
    BOOST_TEST(count.live_blocks == 1u);
    this->check_done(Operation());
    BOOST_CHECK(result.succeeded(100));
    BOOST_TEST(count.live_bytes == 0u);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(bind_cancellation_slot, Operation, token_operations, fixture)
{
    outcome aborted, done;
    asio::cancellation_signal signal;
    this->start(Operation(), asio::bind_cancellation_slot(signal.slot(), record_in(aborted)));
    signal.emit(asio::cancellation_type::total);
    run_again(this->context);
    BOOST_CHECK(aborted.aborted());

    this->start(Operation(), asio::bind_cancellation_slot(signal.slot(), record_in(done)));
    this->check_done(Operation());
    BOOST_CHECK(done.succeeded(100));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(append_prepend_consign, Operation, token_operations, fixture)
{
    int calls = 0;
    this->start(Operation(), asio::append(
                                 [&](error_code ec, std::size_t n, int more) {
                                     BOOST_TEST((!ec && n == 100 && more == 7));
                                     ++calls;
                                 },
                                 7));
    this->check_done(Operation());
    this->start(Operation(), asio::prepend(
                                 [&](int more, error_code ec, std::size_t n) {
                                     BOOST_TEST((!ec && n == 100 && more == 7));
                                     ++calls;
                                 },
                                 7));
    this->check_done(Operation());

    auto kept = std::make_shared<int>(7);
    const std::weak_ptr<int> watch = kept;
    this->start(Operation(), asio::consign(
                                 [&](error_code ec, std::size_t n) {
                                     BOOST_TEST((!ec && n == 100 && !watch.expired()));
                                     ++calls;
                                 },
                                 std::move(kept)));
    BOOST_TEST(!watch.expired());
    this->check_done(Operation());
    BOOST_TEST(watch.expired());
    BOOST_TEST(calls == 3);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(parallel_group, Operation, token_operations, fixture)
{
    int calls = 0;
    asio::experimental::make_parallel_group(this->start(Operation(), asio::deferred),
                                            this->start(Operation(), asio::deferred))
        .async_wait(asio::experimental::wait_for_all(),
                    [&](std::array<std::size_t, 2>, error_code ec1, std::size_t n1, error_code ec2,
                        std::size_t n2) {
                        BOOST_TEST((!ec1 && n1 == 100 && !ec2 && n2 == 100));
                        ++calls;
                    });
    this->check_done(Operation());
    BOOST_TEST(calls == 1);
}

BOOST_FIXTURE_TEST_CASE(parallel_group_cancels_what_still_waits, fixture)
{
    // As the first is started nothing has gone to the kernel: a failure there ends the others.
    kaio::random_access_file closed(context);
    char c = 0;
    bool called = false;
    asio::experimental::make_parallel_group(
        closed.async_read_some_at(0, asio::buffer(&c, 1), asio::deferred),
        file.async_read_some_at(0, asio::buffer(text), asio::deferred))
        .async_wait(asio::experimental::wait_for_one(),
                    [&](std::array<std::size_t, 2> order, error_code ec1, std::size_t,
                        error_code ec2, std::size_t n2) {
                        BOOST_TEST(ec1 == bad_descriptor);
                        BOOST_TEST(order[0] == 0u);
                        BOOST_TEST(((!ec2 && n2 == 100) || ec2 == asio::error::operation_aborted));
                        called = true;
                    });
    run(context);
    BOOST_TEST(called);
}

#if BOOST_ASIO_VERSION >= 103200
BOOST_FIXTURE_TEST_CASE_TEMPLATE(cancel_after, Operation, token_operations, fixture)
{
    outcome in_time;
    this->start(Operation(), asio::cancel_after(time_bound, record_in(in_time)));
    this->check_done(Operation());
    BOOST_CHECK(in_time.succeeded(100));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(no_token, Operation, token_operations, fixture)
{
    outcome result;
    char c = 0;
    auto operation = this->file.async_read_some_at(0, asio::buffer(&c, 1));
    std::move(operation)(record_in(result));
    run_again(this->context);
    BOOST_CHECK(result.succeeded(1));
}
#endif

#if BOOST_ASIO_VERSION >= 102800
BOOST_FIXTURE_TEST_CASE_TEMPLATE(bind_immediate_executor, Operation, token_operations, fixture)
{
    outcome done, failed;
    bool there = false;
    const tracking_executor executor(1, asio::system_executor());

    // A transfer is never immediate.
    this->start(Operation(), asio::bind_immediate_executor(executor, record_in(done)));
    this->check_done(Operation());
    BOOST_CHECK(done.succeeded(100));

    // A refusal is, and a system_executor runs it at once.
    this->file.close();
    Operation::start(*this, this->file,
                     asio::bind_immediate_executor(executor, [&](error_code ec, std::size_t n) {
                         there = running_on(1);
                         record_in{failed}(ec, n);
                     }));
    BOOST_CHECK(failed.failed(bad_descriptor));
    BOOST_TEST(there);
}
#endif

// Asio's composed operations.

BOOST_FIXTURE_TEST_CASE(composed_operations_take_any_token, fixture)
{
    // Longer than what one operation takes: the file ends within.
    std::string long_text(2000, '\0');
    outcome read, exact, written;
    asio::async_read_at(file, 10, asio::buffer(long_text), record_in(read));
    run_again(context);
    BOOST_TEST(read.ec == asio::error::eof);
    BOOST_TEST(read.bytes == 990u);
    BOOST_CHECK(long_text.substr(0, 990) == pattern(10, 990));

    asio::async_read_at(file, 10, asio::buffer(long_text), asio::transfer_exactly(500),
                        record_in(exact));
    run_again(context);
    BOOST_CHECK(exact.succeeded(500));

    long_text = pattern(7000, 2000);
    asio::async_write_at(file, 500, asio::buffer(long_text), record_in(written));
    run_again(context);
    BOOST_CHECK(written.succeeded(2000));
    BOOST_CHECK(on_disk.contents() == pattern(0, 500) + long_text);

    std::future<std::size_t> future =
        asio::async_read_at(file, 500, asio::buffer(long_text), asio::use_future);
    run_again(context);
    BOOST_TEST(future.get() == 2000u);
}

BOOST_FIXTURE_TEST_CASE(composed_operations_that_wait, fixture)
{
    std::string long_text(2000, '\0');
    error_code ec;
    BOOST_TEST(asio::read_at(file, 10, asio::buffer(long_text), ec) == 990u);
    BOOST_TEST(ec == asio::error::eof);
    BOOST_CHECK(long_text.substr(0, 990) == pattern(10, 990));
    BOOST_TEST(asio::read_at(file, 10, asio::buffer(long_text, 100)) == 100u);

    long_text = pattern(7000, 2000);
    BOOST_TEST(asio::write_at(file, 500, asio::buffer(long_text)) == 2000u);
    BOOST_CHECK(on_disk.contents() == pattern(0, 500) + long_text);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
