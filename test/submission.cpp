//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// The calls of io_submit, and how kaio takes their results.

#include <fcntl.h>
#include <stdlib.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/block_size.hpp"
#include "support/environment_variable.hpp"
#include "support/interposed_io.hpp"
#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/skip.hpp"
#include "support/slow_kernel.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using namespace kaio::test;

namespace {

constexpr std::size_t batch = 6;

constexpr int refusals[] = {EBADF, EFAULT, EPERM, EACCES, ENOMEM};

// These may mean that only the asynchronous call is refused.
constexpr int doubtful_refusals[] = {EINVAL, EOPNOTSUPP, ENOSYS};

std::size_t index_of(const ::iocb& block)
{
    return static_cast<std::size_t>(block.aio_offset) / block_size;
}

// One call of io_submit: what was offered, and what the kernel took of it.
struct call
{
    std::vector<std::pair<unsigned, std::size_t>> offered; // descriptor, index
    int result;
};

// A file and blocks to read from it.
struct submission_fixture
{
    explicit submission_fixture(const kaio::service_options& options = {},
                                transfer_mode m = transfer_mode::buffered)
      : contents(pattern(0, 64 * block_size)), source(contents), mode(m),
        service(kaio::make_aio_service(context, options)), file(open())
    {
    }

    kaio::random_access_file open()
    {
        return kaio::random_access_file(context, source.path(), kaio::file_base::read_only | mode);
    }

    // Read a number of blocks, the first at the front of the file.
    void start(std::size_t count)
    {
        start(file, count);
    }

    // A read from the page cache is done when io_submit returns, and needs no alignment.
    kaio::io_options options() const
    {
        return mode == transfer_mode::buffered ? by_io_submit() : kaio::io_options();
    }

    void start(kaio::random_access_file& from, std::size_t count)
    {
        for (std::size_t i = 0; i != count; ++i)
        {
            reads.emplace_back(new read(i));
            read& r = *reads.back();
            initiate([&] {
                from.async_read_some_at(i * block_size, asio::buffer(r.memory.data(), block_size),
                                        options(), record_in(r.result));
            });
        }
    }

    // Every read has completed once, with the right bytes; but for one index, with an error.
    void check_results(std::size_t but_for = SIZE_MAX, int error = 0)
    {
        for (const auto& r : reads)
        {
            BOOST_TEST_CONTEXT("block " << r->index)
            {
                if (r->index == but_for)
                {
                    BOOST_TEST(r->result.failed({error, boost::system::system_category()}),
                               r->result);
                }
                else
                {
                    BOOST_TEST(r->result.succeeded(block_size), r->result);
                    const bool equal =
                        r->memory.text() == contents.substr(r->index * block_size, block_size);
                    BOOST_TEST(equal);
                }
            }
        }
    }

    void check_all(std::size_t but_for = SIZE_MAX, int error = 0)
    {
        check_results(but_for, error);
        const kaio::service_statistics statistics = service.statistics();
        BOOST_TEST(statistics.operations_started == reads.size());
        BOOST_TEST(statistics.operations_completed == reads.size());
        BOOST_TEST(statistics.submit_calls == calls.size());
    }

    // Take over io_submit, keeping a record of its calls.
    template <typename Function>
    kaio::test::submit_function recorded(Function answer)
    {
        return [this, answer](::aio_context_t kernel, long count, ::iocb** blocks) mutable {
            call c;
            for (long i = 0; i != count; ++i)
                c.offered.emplace_back(blocks[i]->aio_fildes, index_of(*blocks[i]));
            c.result = answer(kernel, count, blocks);
            calls.push_back(c);
            return c.result;
        };
    }

    // The indices in the order in which the kernel took them.
    std::vector<std::size_t> accepted() const
    {
        std::vector<std::size_t> result;
        for (const call& c : calls)
        {
            for (int i = 0; i < c.result; ++i)
                result.push_back(c.offered[static_cast<std::size_t>(i)].second);
        }
        return result;
    }

    struct read
    {
        explicit read(std::size_t i) : index(i), memory(block_size)
        {
        }

        std::size_t index;
        aligned_memory memory;
        outcome result;
    };

    const std::string contents;
    const temporary_file source;
    const transfer_mode mode;
    std::vector<call> calls;
    std::vector<std::unique_ptr<read>> reads;
    asio::io_context context;
    kaio::aio_service& service;
    kaio::random_access_file file;
};

std::vector<std::size_t> first_indices(std::size_t count)
{
    std::vector<std::size_t> result(count);
    for (std::size_t i = 0; i != count; ++i)
        result[i] = i;
    return result;
}

// As the kernel does with a refused operation: those before it are taken, and only when it is the
// first does its error show.
kaio::test::submit_function refusing(std::set<std::size_t> indices, int error)
{
    return [=](::aio_context_t kernel, long count, ::iocb** blocks) {
        long good = 0;
        while (good != count && indices.count(index_of(*blocks[good])) == 0)
            ++good;
        return good == 0 ? -error : kernel_submit(kernel, good, blocks);
    };
}

kaio::service_options options(std::size_t max_in_flight, std::size_t max_batch)
{
    kaio::service_options result;
    result.max_in_flight = max_in_flight;
    result.max_batch = max_batch;
    return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(submission, *boost::unit_test::precondition(&tries_reads))

BOOST_DATA_TEST_CASE(a_refused_operation_fails_alone, data::xrange(batch) * data::make(refusals),
                     position, error)
{
    submission_fixture f;
    const interposed_submit hook(f.recorded(refusing({position}, error)));
    f.start(batch);
    run(f.context);
    f.check_all(position, error);
    BOOST_TEST(f.service.statistics().operations_failed == 1);
}

// There is nothing wrong with the operation, as the synchronous call shows.
BOOST_TEST_DECORATOR(*boost::unit_test::precondition(&needs_direct_io))
BOOST_DATA_TEST_CASE(a_doubtful_refusal_is_looked_into,
                     data::xrange(batch) * data::make(doubtful_refusals), position, error)
{
    submission_fixture f({}, transfer_mode::direct);
    const interposed_submit hook(refusing({position}, error));
    f.start(batch);
    run(f.context);
    f.check_results();
    BOOST_TEST(f.service.statistics().operations_failed == 0);
}

BOOST_DATA_TEST_CASE(a_whole_batch_is_refused, data::make(refusals), error)
{
    submission_fixture f;
    const boost::system::error_code expected(error, boost::system::system_category());
    const interposed_submit hook(f.recorded(refusing({0, 1, 2, 3, 4, 5}, error)));
    f.start(batch);
    run(f.context);
    for (const auto& r : f.reads)
        BOOST_TEST(r->result.failed(expected), r->result);
    BOOST_TEST(f.service.statistics().operations_failed == batch);
    BOOST_TEST(f.service.statistics().outstanding == 0);
    BOOST_TEST(f.calls.size() == batch);
}

BOOST_DATA_TEST_CASE(a_submission_goes_on_after_what_the_kernel_took,
                     data::xrange(std::size_t(1), std::size_t(9)), at_most)
{
    constexpr std::size_t count = 20;
    submission_fixture f;
    const interposed_submit hook(
        f.recorded([=](::aio_context_t kernel, long offered, ::iocb** blocks) {
            return kernel_submit(kernel, std::min(offered, static_cast<long>(at_most)), blocks);
        }));
    f.start(count);
    run(f.context);
    f.check_all();
    BOOST_TEST(f.accepted() == first_indices(count), boost::test_tools::per_element());
    BOOST_TEST(f.calls.size() == (count + at_most - 1) / at_most);
    BOOST_TEST(f.service.statistics().largest_batch == at_most);
}

// Nothing is in flight, so that no completion will make room.
BOOST_DATA_TEST_CASE(a_kernel_without_room_or_memory_is_asked_again, data::make({-EAGAIN, 0}),
                     answer)
{
    constexpr std::size_t rounds = 6;
    constexpr int refused_calls = 3;
    submission_fixture f;
    int calls = 0;
    const interposed_submit hook(
        f.recorded([&](::aio_context_t kernel, long count, ::iocb** blocks) {
            return calls++ < refused_calls ? answer : kernel_submit(kernel, count, blocks);
        }));
    for (std::size_t i = 0; i != rounds; ++i)
    {
        f.start(batch);
        run_again(f.context);
    }
    f.check_all();

    // Not tried again in a busy loop; and used once there is room.
    BOOST_TEST(calls <= static_cast<int>(rounds) + refused_calls);
    BOOST_TEST(!f.accepted().empty());
}

BOOST_DATA_TEST_CASE(a_kernel_without_room_in_a_batch_is_left_alone,
                     data::xrange(std::size_t(1), batch), room)
{
    submission_fixture f;
    slow_kernel kernel(room);
    f.start(batch);
    run_until(f.context, [&] { return kernel.held() == room; });
    f.context.poll();

    // Tried once more than there was room, and then left alone.
    const std::size_t calls = kernel.calls();
    BOOST_TEST(calls <= 2);
    for (int i = 0; i != 100; ++i)
        f.context.poll();
    BOOST_TEST(kernel.calls() == calls);
    BOOST_TEST(f.service.statistics().queued == batch - room);

    // Each completion makes room for another.
    run_until(f.context, [&kernel, &service = f.service] {
        kernel.let_go(1);
        return service.statistics().outstanding == 0;
    });
    BOOST_TEST(kernel.in_order());
    run_again(f.context);
    f.check_results();
    // A refused operation was never in flight.
    BOOST_TEST(f.service.statistics().in_flight_high_water == room);
}

BOOST_AUTO_TEST_CASE(no_room_and_refusals_in_turn)
{
    submission_fixture f;
    int answers = 0;
    const interposed_submit hook(
        f.recorded([&](::aio_context_t kernel, long count, ::iocb** blocks) {
            return answers++ % 2 == 0 ? -EAGAIN : refusing({1, 4}, EFAULT)(kernel, count, blocks);
        }));
    for (int round = 0; round != 10; ++round)
    {
        f.start(batch);
        run_again(f.context);
    }
    for (const auto& r : f.reads)
    {
        const bool refused = r->result.failed({EFAULT, boost::system::system_category()});
        BOOST_TEST((refused ? r->index == 1 || r->index == 4 : r->result.succeeded(block_size)),
                   r->index << ": " << r->result);
    }
}

BOOST_AUTO_TEST_CASE(what_waits_for_room_can_be_cancelled)
{
    submission_fixture f;
    {
        slow_kernel kernel(2);
        f.start(batch);
        run_until(f.context, [&] { return kernel.held() == 2; });
        f.file.cancel();
        run_until(f.context, [&] { return f.service.statistics().outstanding == 2; });
    }
    run_again(f.context);
    for (const auto& r : f.reads)
    {
        BOOST_TEST((r->index < 2 ? r->result.succeeded(block_size) : r->result.aborted()),
                   r->index << ": " << r->result);
    }
    BOOST_TEST(f.service.statistics().operations_cancelled == batch - 2);
}

// Whatever way they have gone, cancelling what waits leaves nothing that would keep run().
BOOST_AUTO_TEST_CASE(what_found_no_room_at_all_can_be_cancelled)
{
    for (int round = 0; round != 50; ++round)
    {
        submission_fixture f;
        const interposed_submit hook(
            f.recorded([](::aio_context_t, long, ::iocb**) { return -EAGAIN; }));
        f.start(batch);
        run_until(f.context, [&] { return !f.calls.empty(); });
        f.file.cancel();
        run_again(f.context);
        for (const auto& r : f.reads)
            BOOST_TEST((r->result.aborted() || r->result.succeeded(block_size)), r->result);
        BOOST_TEST(f.service.statistics().outstanding == 0);
    }
}

BOOST_AUTO_TEST_CASE(what_is_started_in_one_turn_goes_together)
{
    submission_fixture f;
    const interposed_submit hook(f.recorded(kernel_submit));
    f.start(10);
    BOOST_TEST(f.calls.empty());
    run(f.context);
    BOOST_TEST(f.calls.size() == 1);
    BOOST_TEST(f.calls.front().result == 10);
    BOOST_TEST(f.service.statistics().largest_batch == 10);
    f.check_all();
}

BOOST_AUTO_TEST_CASE(what_several_handlers_start_on_several_files_goes_together)
{
    submission_fixture f;
    const interposed_submit hook(f.recorded(kernel_submit));
    kaio::random_access_file other = f.open();
    for (int i = 0; i != 3; ++i)
    {
        asio::post(f.context, [&] {
            f.start(2);
            f.start(other, 1);
        });
    }
    run(f.context);
    BOOST_TEST(f.calls.size() == 1);
    BOOST_TEST(f.calls.front().result == 9);
    f.check_all();
}

BOOST_AUTO_TEST_CASE(what_the_handlers_of_one_turn_start_goes_together)
{
    constexpr std::size_t chains = 8;
    constexpr std::size_t rounds = 50;
    submission_fixture f;
    const interposed_submit hook(f.recorded(kernel_submit));

    std::vector<std::string> memory(chains, std::string(block_size, '\0'));
    std::vector<std::size_t> done(chains);
    std::function<void(std::size_t)> next = [&](std::size_t chain) {
        f.file.async_read_some_at(chain * block_size, asio::buffer(memory[chain]), by_io_submit(),
                                  [&, chain](boost::system::error_code ec, std::size_t bytes) {
                                      BOOST_TEST(!ec);
                                      BOOST_TEST(bytes == block_size);
                                      if (++done[chain] != rounds)
                                          next(chain);
                                  });
    };
    for (std::size_t i = 0; i != chains; ++i)
        next(i);
    run(f.context);

    // The chains advance in step, a call for each round, unless one has to wait for something.
    BOOST_TEST(done == std::vector<std::size_t>(chains, rounds), boost::test_tools::per_element());
    BOOST_TEST(f.calls.size() < 3 * rounds);
}

// The bounds, as the kernel sees them. Without the ring every harvest shows.
BOOST_DATA_TEST_CASE(the_bounds_hold, data::make({1, 2, 5, 16}) * data::make({1, 3, 16, 64}),
                     max_in_flight, max_batch)
{
    constexpr std::size_t count = 300;
    const environment_variable no_ring("KAIO_RING", "off");
    submission_fixture f(
        options(static_cast<std::size_t>(max_in_flight), static_cast<std::size_t>(max_batch)));

    int in_flight = 0;
    int most_in_flight = 0;
    const interposed_submit submit_hook(
        f.recorded([&](::aio_context_t kernel, long offered, ::iocb** blocks) {
            const int result = kernel_submit(kernel, offered, blocks);
            in_flight += result;
            most_in_flight = std::max(most_in_flight, in_flight);
            return result;
        }));
    const interposed_get_events get_events_hook([&](::aio_context_t kernel, long minimum,
                                                    long maximum, ::io_event* events,
                                                    ::timespec* timeout) {
        const int result = kernel_get_events(kernel, minimum, maximum, events, timeout);
        in_flight -= result;
        return result;
    });

    for (std::size_t i = 0; i != count; i += 50)
        f.start(50);
    run(f.context);
    f.check_all();

    const auto largest_possible = static_cast<std::size_t>(std::min(max_batch, max_in_flight));
    BOOST_TEST(f.calls.front().offered.size() == largest_possible);
    for (const call& c : f.calls)
        BOOST_TEST(c.offered.size() <= largest_possible);
    BOOST_TEST(most_in_flight <= max_in_flight);
    BOOST_TEST(in_flight == 0);

    const kaio::service_statistics statistics = f.service.statistics();
    BOOST_TEST(statistics.largest_batch == largest_possible);
    BOOST_TEST(statistics.in_flight_high_water == static_cast<std::size_t>(most_in_flight));
    BOOST_TEST(statistics.outstanding_high_water == count);
    BOOST_TEST(statistics.queued == 0);
    BOOST_TEST(statistics.queued_high_water < count);
    BOOST_TEST(statistics.events_from_ring == 0);
}

// Operations beyond the bound wait, and nobody polls; all of it is used again and again.
BOOST_DATA_TEST_CASE(the_bounds_are_used, data::make({1, 4, 16}) * data::make({1, 3, 64}),
                     max_in_flight, max_batch)
{
    const auto depth = static_cast<std::size_t>(max_in_flight);
    submission_fixture f(options(depth, static_cast<std::size_t>(max_batch)));
    for (int round = 0; round != 3; ++round)
    {
        slow_kernel kernel;
        f.start(60);
        f.context.restart();
        run_until(f.context, [&] { return kernel.held() == depth; });
        for (int i = 0; i != 20; ++i)
            f.context.poll();
        const std::size_t calls = kernel.calls();
        for (int i = 0; i != 100; ++i)
            f.context.poll();
        BOOST_TEST(kernel.calls() == calls);
        BOOST_TEST(kernel.held() == depth);
        run_until(f.context, [&kernel, &service = f.service] {
            kernel.let_go();
            return service.statistics().outstanding == 0;
        });
        run_again(f.context);
    }
    f.check_results();
    BOOST_TEST(f.service.statistics().in_flight_high_water == depth);
}

BOOST_AUTO_TEST_CASE(one_more_than_the_kernel_may_hold_waits)
{
    submission_fixture f(options(4, 64));
    {
        slow_kernel kernel;
        f.start(5);
        run_until(f.context, [&] { return kernel.calls() != 0; });
        f.context.poll();
        BOOST_TEST(kernel.calls() == 1);
        BOOST_TEST(kernel.held() == 4);
        BOOST_TEST(f.service.statistics().queued == 1);
    }
    run_again(f.context);
    f.check_results();
    BOOST_TEST(f.service.statistics().queued_high_water == 1);
}

BOOST_AUTO_TEST_CASE(a_file_is_served_in_order)
{
    submission_fixture f(options(3, 2));
    const interposed_submit hook(f.recorded(kernel_submit));
    f.start(40);
    run(f.context);
    f.check_all();
    const std::vector<std::size_t> order = f.accepted();
    BOOST_TEST(order.size() > 2);
    BOOST_TEST(std::is_sorted(order.begin(), order.end()));
}

// Reads of the page cache don't ask again each time. So it may take some hundred.
BOOST_AUTO_TEST_CASE(o_direct_comes_after_many_reads)
{
    if (!direct_io_available())
        return skip("no direct I/O in " + directory());
    context_fixture f;
    const temporary_file source(block_size);
    kaio::random_access_file file(f.context, source.path(), kaio::file_base::read_only);
    const auto& service = asio::use_service<kaio::aio_service>(f.context);
    aligned_memory memory(block_size);
    const auto read = [&] {
        outcome result;
        file.async_read_some_at(0, asio::buffer(memory.data(), block_size), record_in(result));
        run_again(f.context);
        BOOST_REQUIRE(result.succeeded(block_size));
    };
    for (int i = 0; i != 10; ++i)
        read();
    BOOST_TEST(service.statistics().loop_tries != 0U);

    BOOST_REQUIRE(::fcntl(file.native_handle(), F_SETFL, O_DIRECT) == 0);
    for (int i = 0; i != 1000 && service.statistics().submit_calls == 0; ++i)
        read();
    BOOST_TEST(service.statistics().submit_calls != 0U);
}

// What fcntl has made of a file may be seen only when the file's turn comes: its operation then is
// for a call, where a batch may have had all the calls that it takes.
BOOST_DATA_TEST_CASE(o_direct_goes_while_an_operation_waits,
                     data::make({1, 2, 3}) * data::make({false, true}), max_batch, on_again)
{
    if (!direct_io_available())
        return skip("no direct I/O in " + directory());
    kaio::service_options options;
    options.max_batch = static_cast<std::size_t>(max_batch);
    context_fixture f;
    kaio::make_aio_service(f.context, options);
    const std::string contents = pattern(0, block_size);
    const temporary_file cached_source(contents);
    const temporary_file direct_source(contents);
    const temporary_file target;
    constexpr auto direct = kaio::file_base::direct;
    std::deque<kaio::random_access_file> cached;
    std::deque<kaio::stream_file> changing;
    std::deque<kaio::random_access_file> past_the_cache;
    struct transfer
    {
        aligned_memory memory{block_size};
        outcome result;
    };
    std::deque<transfer> transfers;
    const auto next = [&] {
        transfers.emplace_back();
        return asio::buffer(transfers.back().memory.data(), block_size);
    };
    for (int i = 0; i != max_batch; ++i)
    {
        cached.emplace_back(f.context, cached_source.path(), kaio::file_base::read_only);
        const auto buffer = next();
        cached.back().async_read_some_at(0, buffer, record_in(transfers.back().result));
    }
    for (int i = 0; i != max_batch; ++i)
    {
        changing.emplace_back(f.context, target.path(), kaio::file_base::write_only | direct);
        const auto buffer = next();
        contents.copy(static_cast<char*>(buffer.data()), block_size);
        changing.back().async_write_some(buffer, record_in(transfers.back().result));
        BOOST_REQUIRE(::fcntl(changing.back().native_handle(), F_SETFL, 0) == 0);
        if (on_again)
            BOOST_REQUIRE(::fcntl(changing.back().native_handle(), F_SETFL, O_DIRECT) == 0);
    }
    for (int i = 0; i != max_batch; ++i)
    {
        past_the_cache.emplace_back(f.context, direct_source.path(),
                                    kaio::file_base::read_only | direct);
        const auto buffer = next();
        past_the_cache.back().async_read_some_at(0, buffer, record_in(transfers.back().result));
    }
    run(f.context);
    for (const transfer& t : transfers)
    {
        BOOST_TEST(t.result.succeeded(block_size), t.result);
        const bool equal = t.memory.text() == contents;
        BOOST_TEST(equal);
    }
    BOOST_TEST(target.contents() == contents);
}

BOOST_AUTO_TEST_CASE(files_are_served_in_turn)
{
    submission_fixture f;
    const interposed_submit hook(f.recorded(kernel_submit));
    kaio::random_access_file second = f.open();
    kaio::random_access_file third = f.open();
    f.start(20);
    f.start(second, 4);
    f.start(third, 2);
    run(f.context);
    f.check_all();

    std::string order;
    for (const auto& [descriptor, index] : f.calls.front().offered)
    {
        order += descriptor == static_cast<unsigned>(f.file.native_handle())   ? 'a'
                 : descriptor == static_cast<unsigned>(second.native_handle()) ? 'b'
                                                                               : 'c';
    }
    BOOST_TEST(order == "abcabcabab" + std::string(16, 'a'));
}

BOOST_AUTO_TEST_SUITE_END()
