//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// A service counts its operations, and its figures agree with each other.

#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/around_the_kernel.hpp"
#include "support/block_size.hpp"
#include "support/failing_kernel.hpp"
#include "support/interposed_io.hpp"
#include "support/needs_aio.hpp"
#include "support/refusing_kernel.hpp"
#include "support/run.hpp"
#include "support/scale.hpp"
#include "support/skip.hpp"
#include "support/slow_kernel.hpp"
#include "support/statistics.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using namespace kaio::test;

namespace {

// An observer at each step sees figures that agree.
void run_observed(asio::io_context& context)
{
    const kaio::aio_service& service = asio::use_service<kaio::aio_service>(context);
    context.restart();
    bool agree = consistent(service.statistics());
    while (context.run_one_for(time_bound) != 0)
        agree = agree && consistent(service.statistics());
    BOOST_TEST(agree);
    BOOST_TEST(service.statistics().outstanding == 0U);
}

struct statistics_fixture
{
    explicit statistics_fixture(const kaio::service_options& options = {})
      : service(kaio::make_aio_service(context, options))
    {
    }

    // Start reads of a file of a block each.
    void read(kaio::random_access_file& file, std::size_t count, const kaio::io_options& how = {})
    {
        for (std::size_t i = 0; i != count; ++i)
            file.async_read_some_at(0, asio::buffer(memory.data(), block_size), how,
                                    [](boost::system::error_code ec, std::size_t bytes) {
                                        BOOST_TEST(!ec);
                                        BOOST_TEST(bytes == block_size);
                                    });
    }

    void read_one_by_one(kaio::random_access_file& file, std::size_t count)
    {
        for (std::size_t i = 0; i != count; ++i)
        {
            read(file, 1);
            run_observed(context);
        }
    }

    const temporary_file source{block_size};
    aligned_memory memory{block_size};
    asio::io_context context;
    kaio::aio_service& service;
};

} // namespace

BOOST_AUTO_TEST_SUITE(service_statistics)

BOOST_AUTO_TEST_CASE(counts_what_became_of_operations, *boost::unit_test::precondition(&needs_aio))
{
    temporary_file target(4 * block_size);
    asio::io_context context;
    kaio::service_options options;
    options.max_in_flight = 3;
    const kaio::aio_service& service = kaio::make_aio_service(context, options);
    kaio::random_access_file file(context, target.path(), kaio::file_base::read_only);
    std::string memory(10000, '\0');
    const auto ignore = [](boost::system::error_code, std::size_t) {};

    file.async_read_some_at(0, asio::buffer(memory, 100), ignore);
    file.async_read_some_at(0, asio::buffer(memory, 0), ignore);
    file.async_read_some_at(3 * block_size, asio::buffer(memory), ignore);
    file.async_read_some_at(4 * block_size, asio::buffer(memory), ignore);
    file.async_write_some_at(0, asio::buffer(memory), ignore);
    file.async_read_some_at(UINT64_MAX, asio::buffer(memory), ignore);
    BOOST_TEST(consistent(service.statistics()));
    run(context);

    kaio::service_statistics statistics = service.statistics();
    BOOST_TEST(consistent(statistics));
    BOOST_TEST(statistics.operations_started == 6);
    BOOST_TEST(statistics.operations_completed == 6);
    BOOST_TEST(statistics.operations_failed == 2);
    BOOST_TEST(statistics.operations_cancelled == 0);
    BOOST_TEST(statistics.immediate_completions == 2);
    BOOST_TEST(statistics.completed_while_queued == 0);
    BOOST_TEST(statistics.bytes_read == 100 + block_size);
    BOOST_TEST(statistics.bytes_written == 0);

    kaio::random_access_file second(context, target.path(), kaio::file_base::read_only);
    {
        slow_kernel kernel;
        for (int i = 0; i != 8; ++i)
            second.async_read_some_at(0, asio::buffer(memory, 10), by_io_submit(), ignore);
        context.restart();
        run_until(context, [&] { return kernel.held() == 3; });
        statistics = service.statistics();
        BOOST_TEST(consistent(statistics));
        BOOST_TEST(statistics.outstanding == 8);
        BOOST_TEST(statistics.queued == 5);
        second.cancel();
    }
    run_again(context);
    statistics = service.statistics();
    BOOST_TEST(consistent(statistics));
    BOOST_TEST(statistics.operations_completed == 14);
    BOOST_TEST(statistics.operations_cancelled == 5);
    BOOST_TEST(statistics.operations_failed == 2);
    BOOST_TEST(statistics.immediate_completions == 2);
    BOOST_TEST(statistics.completed_while_queued == 5);
    BOOST_TEST(statistics.outstanding == 0);
    BOOST_TEST(statistics.queued == 0);
    BOOST_TEST(statistics.outstanding_high_water == 8);
    BOOST_TEST(statistics.queued_high_water == 5);
    BOOST_TEST(statistics.in_flight_high_water == 3);
    BOOST_TEST(statistics.bytes_read == 100 + block_size + 30);
    BOOST_TEST((statistics.longest_submit > std::chrono::nanoseconds::zero()));
}

BOOST_AUTO_TEST_CASE(can_be_asked_at_any_time_by_any_thread)
{
    const std::size_t total = scaled(40000, 4000);
    temporary_file source(block_size);
    asio::io_context context;
    kaio::service_options options;
    options.max_in_flight = 8;
    const kaio::aio_service& service = kaio::make_aio_service(context, options);
    std::atomic<bool> done{false};
    std::size_t questions = 0;
    std::size_t inconsistent = 0;
    std::thread observer([&] {
        kaio::service_statistics last;
        while (!done)
        {
            const kaio::service_statistics now = service.statistics();
            inconsistent += !consistent(now) || now.operations_started < last.operations_started ||
                            now.operations_completed < last.operations_completed;
            last = now;
            ++questions;
        }
    });

    // Chains of reads in groups, some of them without effect, some that fail.
    struct chain
    {
        kaio::random_access_file file;
        char memory[100];
        std::size_t left;
    };
    std::vector<std::unique_ptr<chain>> chains;
    std::atomic<std::size_t> inconsistent_in_handler{0};
    std::function<void(chain&)> next = [&](chain& c) {
        if (c.left == 0)
            return;
        const std::size_t n = --c.left;
        c.file.async_read_some_at(n % 7 == 0 ? UINT64_MAX : n, asio::buffer(c.memory, n % 100),
                                  [&](boost::system::error_code, std::size_t) {
                                      inconsistent_in_handler += !consistent(service.statistics());
                                      next(c);
                                  });
    };
    for (int i = 0; i != 20; ++i)
    {
        chains.emplace_back(
            new chain{kaio::random_access_file(context, source.path(), kaio::file_base::read_only),
                      {},
                      total / 20});
        next(*chains.back());
    }
    run_on_threads(context, 2);
    done = true;
    observer.join();
    BOOST_TEST(questions != 0);
    BOOST_TEST(inconsistent == 0);
    BOOST_TEST(inconsistent_in_handler == 0);
    BOOST_TEST(service.statistics().operations_completed == total / 20 * 20);
}

// Also while a batch is on its way to the kernel, by both paths.
BOOST_AUTO_TEST_CASE(add_up_while_the_kernel_is_called, *boost::unit_test::precondition(&needs_aio))
{
    if (!direct_io_available())
        return skip("no direct I/O in " + directory());
    statistics_fixture f;
    int calls = 0;
    bool agree = true;
    const auto look = [&] {
        ++calls;
        agree = agree && consistent(f.service.statistics());
    };
    const around_the_kernel hook(look, look);
    kaio::random_access_file cached(f.context, f.source.path(), kaio::file_base::read_only);
    kaio::random_access_file direct(f.context, f.source.path(),
                                    kaio::file_base::read_only | kaio::file_base::direct);
    f.read(cached, 3);
    f.read(direct, 3);
    run_observed(f.context);
    BOOST_TEST(agree);
    BOOST_TEST(calls >= 4);
}

// Also if a thread has submitted them, and is not back from that.
BOOST_AUTO_TEST_CASE(counts_what_completed_as_having_been_in_flight,
                     *boost::unit_test::precondition(&needs_aio))
{
    if (!direct_io_available())
        return skip("no direct I/O in " + directory());
    std::promise<void> completed;
    const auto wait = [result = completed.get_future().share()] {
        result.wait_for(std::chrono::seconds(10));
    };
    const around_the_kernel hook([] {}, wait);
    kaio::service_options options;
    options.submission = kaio::submission_mode::on_thread;
    statistics_fixture f(options);
    kaio::random_access_file file(f.context, f.source.path(),
                                  kaio::file_base::read_only | kaio::file_base::direct);
    std::size_t seen = 0;
    file.async_read_some_at(0, asio::buffer(f.memory.data(), block_size),
                            [&](boost::system::error_code, std::size_t) {
                                seen = f.service.statistics().in_flight_high_water;
                                completed.set_value();
                            });
    run_observed(f.context);
    BOOST_TEST(seen == 1U);
}

// Why an operation left the loop, by the path that it took then.
BOOST_DATA_TEST_CASE(counts_fallbacks_by_reason,
                     data::make({refusal::event_eagain, refusal::event_eopnotsupp,
                                 refusal::submit_eopnotsupp, refusal::half}) *
                         data::make(transfer_modes()),
                     how, mode)
{
    constexpr std::size_t count = 40;
    refusing_kernel kernel(how);
    statistics_fixture f;
    if (!f.service.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file(f.context, f.source.path(), kaio::file_base::read_only | mode);
    f.read_one_by_one(file, count);
    const kaio::service_statistics s = f.service.statistics();
    const std::uint64_t attempts = kernel.attempts();
    BOOST_TEST(attempts > 0U);
    BOOST_TEST(s.would_block_fallbacks == attempts);
    BOOST_TEST(s.refused_fallbacks == (how == refusal::event_eagain ? attempts : 0));
    BOOST_TEST(s.short_fallbacks == (how == refusal::half ? attempts : 0));
    BOOST_TEST(
        s.unknown_flag_fallbacks ==
        (how == refusal::event_eopnotsupp || how == refusal::submit_eopnotsupp ? attempts : 0));
    BOOST_TEST(s.skipped_attempts == count - attempts);
    BOOST_TEST(s.loop_submissions == (mode == transfer_mode::direct ? attempts : 0));
    BOOST_TEST(s.loop_tries == (mode == transfer_mode::buffered ? attempts : 0));
    const bool by_helper = mode == transfer_mode::buffered || how == refusal::half;
    BOOST_TEST(s.helper_operations == (by_helper ? count : 0));
    BOOST_TEST(s.helper_submissions == (by_helper ? 0 : count));
    BOOST_TEST(s.unsupported_fallbacks == 0U);
}

BOOST_DATA_TEST_CASE(counts_what_the_kernel_has_no_function_for,
                     data::make({EINVAL, ENOSYS}) * data::make(transfer_modes()), error, mode)
{
    const failing_kernel kernel(error);
    statistics_fixture f;
    if (!f.service.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file(f.context, f.source.path(), kaio::file_base::read_only | mode);
    f.read_one_by_one(file, 3);
    const kaio::service_statistics s = f.service.statistics();
    const bool direct = mode == transfer_mode::direct;
    BOOST_TEST(s.unsupported_fallbacks == (direct ? 1U : 0U));
    BOOST_TEST(s.loop_submissions == (direct ? 1U : 0U));
    BOOST_TEST(s.loop_tries == (direct ? 0U : 1U));
    BOOST_TEST(s.unknown_flag_fallbacks == (direct ? 0U : 1U));
    BOOST_TEST(s.refused_fallbacks + s.short_fallbacks == 0U);
    BOOST_TEST(s.helper_operations == 3U);
}

// An error of one request says nothing of its file.
BOOST_AUTO_TEST_CASE(a_refused_request_leaves_the_file_its_road)
{
    statistics_fixture f;
    if (!f.service.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file(f.context, f.source.path(), kaio::file_base::read_only);
    boost::system::error_code result;
    file.async_read_some_at(INT64_MAX - 10, asio::buffer(f.memory.data(), block_size),
                            [&](boost::system::error_code ec, std::size_t) { result = ec; });
    run_observed(f.context);
    BOOST_TEST(result == asio::error::invalid_argument);
    BOOST_TEST(f.service.statistics().helper_operations == 1U);
    f.read_one_by_one(file, 3);
    const kaio::service_statistics s = f.service.statistics();
    BOOST_TEST((s.slow_submissions != 0 || s.helper_operations == 1));
}

BOOST_DATA_TEST_CASE(counts_what_waits_on_the_loop, data::make(transfer_modes()), mode)
{
    constexpr auto delay = std::chrono::milliseconds(2);
    const around_the_kernel hook([&] {
        const auto end = std::chrono::steady_clock::now() + delay;
        while (std::chrono::steady_clock::now() < end)
        {
        }
    });
    statistics_fixture f;
    if (!f.service.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file(f.context, f.source.path(), kaio::file_base::read_only | mode);
    f.read_one_by_one(file, 10);
    const kaio::service_statistics s = f.service.statistics();
    BOOST_TEST(s.slow_submissions > 0U);
    BOOST_TEST(s.slow_submissions == s.loop_submissions + s.loop_tries);
    BOOST_TEST(s.skipped_attempts == 10 - s.slow_submissions);
    BOOST_TEST((s.longest_submit >= delay));
}

// An operation that the kernel refuses for want of room does not count as submitted.
BOOST_AUTO_TEST_CASE(the_mean_batch_counts_what_was_accepted,
                     *boost::unit_test::precondition(tries_reads))
{
    BOOST_TEST(kaio::service_statistics().mean_batch() == 0.0);
    kaio::service_options options;
    options.max_batch = 4;
    statistics_fixture f(options);
    if (!f.service.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file(f.context, f.source.path(), kaio::file_base::read_only);
    f.read(file, 10, by_io_submit());
    run_observed(f.context);
    BOOST_TEST(f.service.statistics().submit_calls == 3U);
    BOOST_TEST(f.service.statistics().loop_submissions == 10U);
    BOOST_TEST(f.service.statistics().mean_batch() == 10.0 / 3);

    int calls = 0;
    const interposed_submit hook([&](::aio_context_t kernel, long count, ::iocb** blocks) {
        return ++calls == 2 ? -EAGAIN : kernel_submit(kernel, calls == 1 ? 1 : count, blocks);
    });
    f.read(file, 4, by_io_submit());
    run_observed(f.context);
    BOOST_TEST(f.service.statistics().loop_submissions == 14U);
    BOOST_TEST(f.service.statistics().helper_operations == 0U);
}

// Threads submit, the paths add up, and what is cancelled in the queue has taken none.
BOOST_AUTO_TEST_CASE(adds_up_on_all_roads)
{
    constexpr std::size_t count = 100;
    const temporary_file target(count * block_size);
    for (const kaio::submission_mode mode :
         {kaio::submission_mode::on_loop, kaio::submission_mode::on_thread,
          kaio::submission_mode::writes_on_thread})
    {
        kaio::service_options options;
        options.max_in_flight = 7;
        options.submission = mode;
        statistics_fixture f(options);
        std::vector<kaio::random_access_file> files;
        for (const transfer_mode how : transfer_modes())
            files.emplace_back(f.context, target.path(), kaio::file_base::read_write | how);
        const auto ignore = [](const auto&...) {};
        for (std::size_t i = 0; i != count; ++i)
        {
            kaio::random_access_file& file = files[i % files.size()];
            const asio::mutable_buffer block(f.memory.data(), block_size);
            if (i % 3 == 0)
                file.async_write_some_at(i * block_size, block, ignore);
            else
                file.async_read_some_at(i * block_size, block, ignore);
            if (i % 10 == 0)
                file.async_sync_data(ignore);
            if (i == count / 2)
                files.front().cancel();
            if (i == count / 2 + 1)
                f.context.run_one();
        }
        BOOST_TEST(consistent(f.service.statistics()), f.service.statistics());
        run_observed(f.context);
        const kaio::service_statistics s = f.service.statistics();
        BOOST_TEST(consistent(s), s);
        BOOST_TEST(s.completed_while_queued > 0U);
        BOOST_TEST(s.completed_while_queued == s.operations_cancelled);
        BOOST_TEST(s.operations_failed == 0U);
        if (mode == kaio::submission_mode::on_thread)
            BOOST_TEST(s.loop_submissions + s.loop_tries == 0U);
    }
}

BOOST_AUTO_TEST_CASE(prints_its_statistics)
{
    kaio::service_statistics statistics;
    statistics.operations_started = 100001;
    statistics.operations_completed = 100002;
    statistics.operations_failed = 100003;
    statistics.operations_cancelled = 100004;
    statistics.outstanding = 100005;
    statistics.queued = 100006;
    statistics.outstanding_high_water = 100007;
    statistics.in_flight_high_water = 100008;
    statistics.queued_high_water = 100009;
    statistics.submit_calls = 100010;
    statistics.largest_batch = 100011;
    statistics.events_from_ring = 100012;
    statistics.events_from_syscall = 100013;
    statistics.longest_submit = std::chrono::nanoseconds(100014);
    statistics.bytes_read = 100015;
    statistics.bytes_written = 100016;
    statistics.would_block_fallbacks = 100017;
    statistics.helper_operations = 100018;
    statistics.helper_submissions = 100019;
    statistics.immediate_completions = 100020;
    statistics.completed_while_queued = 100021;
    statistics.loop_submissions = 100022;
    statistics.refused_fallbacks = 100023;
    statistics.unknown_flag_fallbacks = 100024;
    statistics.short_fallbacks = 100025;
    statistics.skipped_attempts = 100026;
    statistics.unsupported_fallbacks = 100027;
    statistics.loop_retries = 100028;
    statistics.slow_submissions = 100029;
    statistics.loop_tries = 100030;
    statistics.prefetched_reads = 100031;
    statistics.setup_error = "the reason";
    std::ostringstream os;
    os << statistics;
    for (int figure = 100001; figure != 100032; ++figure)
        BOOST_TEST(os.str().find(std::to_string(figure)) != std::string::npos, figure << os.str());
    BOOST_TEST(os.str().find("mean batch 2.0,") != std::string::npos, os.str());
    BOOST_TEST(os.str().find("the reason") != std::string::npos);
    BOOST_TEST(os.str().back() == '\n');
}

BOOST_AUTO_TEST_SUITE_END()
