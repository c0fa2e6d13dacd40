//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// A file whose server doesn't answer holds up neither the loop nor the other files of its context.

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <thread>

#include <kaio/kaio.hpp>

#include "support/block_size.hpp"
#include "support/blocked_helper.hpp"
#include "support/file_systems.hpp"
#include "support/fuse_server.hpp"
#include "support/needs_aio.hpp"
#include "support/outcome.hpp"
#include "support/page_cache.hpp"
#include "support/plain_outcome.hpp"
#include "support/run.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using namespace kaio::test;

using kaio::file_base;

namespace {

constexpr std::size_t blocks = 64;

// Why the tests can't be; empty if they can.
std::string why_not()
{
    if (!is_root())
        return "needs root";
    return fuse_file_system::why_not();
}

struct isolation_fixture
{
    explicit isolation_fixture(std::size_t threads = 4)
      : fuse(make_fuse()), service(kaio::make_aio_service(context, options(threads)))
    {
    }

    // The context waits for what the server has, also when a test has failed.
    ~isolation_fixture()
    {
        fuse->die();
    }

    static kaio::service_options options(std::size_t threads = 4)
    {
        kaio::service_options result;
        result.max_in_flight = 32;
        result.helper_threads = threads;
        return result;
    }

    static std::unique_ptr<fuse_file_system> make_fuse()
    {
        private_mounts();
        return std::make_unique<fuse_file_system>(true);
    }

    std::unique_ptr<kaio::random_access_file> open(const std::string& path, file_base::flags flags)
    {
        return std::make_unique<kaio::random_access_file>(context, path, flags);
    }

    // Reads that won't be answered.
    void hang(kaio::random_access_file& file, std::size_t count)
    {
        for (std::size_t i = 0; i != count; ++i)
        {
            hung.emplace_back();
            memory.emplace_back(block_size);
            file.async_read_some_at(i % blocks * block_size,
                                    asio::buffer(memory.back().data(), block_size),
                                    record_in(hung.back()));
        }
    }

    void run_until_held(std::size_t count)
    {
        run_until_held(*fuse, count);
    }

    void run_until_held(const fuse_file_system& server, std::size_t count)
    {
        const auto end = std::chrono::steady_clock::now() + time_bound;
        while (server.held() < count && std::chrono::steady_clock::now() < end)
        {
            context.restart();
            context.run_for(std::chrono::milliseconds(1));
        }
        BOOST_REQUIRE(server.held() >= count);
    }

    // Until all has come to rest: what the kernel and the threads have now they keep.
    void run_until_stuck()
    {
        kaio::service_statistics before;
        kaio::service_statistics now = service.statistics();
        do
        {
            before = now;
            context.restart();
            context.run_for(std::chrono::milliseconds(50));
            now = service.statistics();
        } while (now.submit_calls != before.submit_calls ||
                 now.helper_operations != before.helper_operations);
    }

    // Reads, writes and syncs of another file all complete.
    void check_others(kaio::random_access_file& file)
    {
        for (int round = 0; round != 3; ++round)
        {
            std::deque<outcome> results(2 * blocks + 1);
            std::deque<aligned_memory> buffers;
            for (std::size_t i = 0; i != 2 * blocks; ++i)
            {
                buffers.emplace_back(block_size);
                const std::size_t offset = i % blocks * block_size;
                pattern(offset, block_size).copy(buffers.back().data(), block_size);
                const auto buffer = asio::buffer(buffers.back().data(), block_size);
                if (i % 2 == 0)
                    file.async_read_some_at(offset, buffer, record_in(results[i]));
                else
                    file.async_write_some_at(offset, buffer, record_in(results[i]));
            }
            file.async_sync_data(record_plain_in(results[2 * blocks]));
            const auto end = std::chrono::steady_clock::now() + time_bound / 4;
            std::size_t calls = 0;
            while (calls != results.size() && std::chrono::steady_clock::now() < end)
            {
                context.restart();
                context.run_one_for(std::chrono::milliseconds(100));
                calls = 0;
                for (const outcome& o : results)
                    calls += static_cast<std::size_t>(o.calls);
            }
            if (calls != results.size())
            {
                // Before the results go, all that refers to them has to end.
                fuse->die();
                run_again(context);
                BOOST_FAIL("the other file is held up: " << calls << " of " << results.size());
            }
            for (std::size_t i = 0; i != 2 * blocks; ++i)
                BOOST_TEST(results[i].succeeded(block_size), results[i]);
            BOOST_TEST(results[2 * blocks].succeeded(0), results[2 * blocks]);
        }
    }

    // The server dies, and everything that waited for it ends with an error, once.
    void check_end()
    {
        for (const outcome& o : hung)
            BOOST_TEST(o.calls == 0);
        fuse->die();
        run_again(context);
        for (const outcome& o : hung)
        {
            BOOST_TEST(o.calls == 1);
            BOOST_TEST(!!o.ec);
        }
        const kaio::service_statistics s = service.statistics();
        BOOST_TEST(s.outstanding == 0U);
        BOOST_TEST(s.in_flight_high_water <= options().max_in_flight);
        BOOST_TEST(s.operations_started == s.operations_completed);
    }

    std::unique_ptr<fuse_file_system> fuse;
    std::deque<outcome> hung;
    std::deque<aligned_memory> memory;
    asio::io_context context;
    kaio::aio_service& service;
};

} // namespace

BOOST_AUTO_TEST_SUITE(isolation)

BOOST_DATA_TEST_CASE(more_reads_than_may_be_in_flight,
                     data::make(transfer_modes()) * data::make(transfer_modes()), hung_mode,
                     other_mode)
{
    if (!why_not().empty())
        return skip(why_not());
    const temporary_file target(blocks * block_size);
    isolation_fixture f;
    const auto bad = f.open(f.fuse->path("hung"), file_base::read_only | hung_mode);
    f.fuse->hold();
    const auto good = f.open(target.path(), file_base::read_write | other_mode);
    f.hang(*bad, 100);
    f.run_until_held(1);
    f.check_others(*good);
    f.check_end();
}

BOOST_DATA_TEST_CASE(a_file_opened_afterwards, data::make(transfer_modes()), mode)
{
    if (!why_not().empty())
        return skip(why_not());
    const temporary_file target(blocks * block_size);
    isolation_fixture f;
    const auto bad = f.open(f.fuse->path("hung"), file_base::read_only | mode);
    f.fuse->hold();
    f.hang(*bad, 100);
    f.run_until_held(1);
    f.context.run_for(std::chrono::milliseconds(50));
    const auto good = f.open(target.path(), file_base::read_write | mode);
    f.check_others(*good);
    f.check_end();
}

BOOST_AUTO_TEST_CASE(openings_that_hang_hold_nobody_up)
{
    if (!why_not().empty())
        return skip(why_not());
    const temporary_file target(blocks * block_size);
    isolation_fixture f;
    f.fuse->hold();
    std::deque<kaio::random_access_file> bad;
    for (int i = 0; i != 50; ++i)
    {
        bad.emplace_back(f.context);
        f.hung.emplace_back();
        bad.back().async_open(f.fuse->path("hung-" + std::to_string(i)), file_base::read_only,
                              record_plain_in(f.hung.back()));
    }
    const auto good = f.open(target.path(), file_base::read_write);
    f.run_until_held(1);
    f.check_others(*good);
    f.check_end();
}

BOOST_DATA_TEST_CASE(two_files_of_one_mount, data::make(transfer_modes()), mode)
{
    if (!why_not().empty())
        return skip(why_not());
    const temporary_file target(blocks * block_size);
    isolation_fixture f;
    const auto bad = f.open(f.fuse->path("hung"), file_base::read_only | mode);
    const auto worse = f.open(f.fuse->path("hung-too"), file_base::read_only | mode);
    f.fuse->hold();
    const auto good = f.open(target.path(), file_base::read_write | mode);
    f.hang(*bad, 100);
    f.hang(*worse, 100);
    f.run_until_held(1);
    f.run_until_stuck();
    // Others find a slot, and needn't go by the threads.
    BOOST_TEST(f.service.statistics().in_flight_high_water < f.options().max_in_flight);
    f.check_others(*good);
    f.check_end();
}

// Whatever two mounts hold, a file of a third goes on, if there are three threads at least.
BOOST_DATA_TEST_CASE(two_mounts_that_hang_hold_no_third_up,
                     data::make(transfer_modes()) * data::make(transfer_modes()) *
                         data::make({3, 4, 8}),
                     hung_mode, other_mode, threads)
{
    if (!why_not().empty())
        return skip(why_not());
    const temporary_file target(blocks * block_size);
    isolation_fixture f(static_cast<std::size_t>(threads));
    const auto second = f.make_fuse();
    std::deque<std::unique_ptr<kaio::random_access_file>> bad;
    for (const char* name : {"hung", "hung-too", "hung-as-well"})
    {
        bad.push_back(f.open(f.fuse->path(name), file_base::read_only | hung_mode));
        bad.push_back(f.open(second->path(name), file_base::read_only | hung_mode));
    }
    f.fuse->hold();
    second->hold();
    for (const auto& file : bad)
        f.hang(*file, 50);
    f.run_until_held(*f.fuse, 1);
    f.run_until_held(*second, 1);
    f.run_until_stuck();
    const auto good = f.open(target.path(), file_base::read_write | other_mode);
    f.check_others(*good);
    second->die();
    f.check_end();
}

// A mount that answers again gets its threads back, even if what it waits for comes after others.
BOOST_AUTO_TEST_CASE(a_mount_that_answers_again)
{
    if (!why_not().empty())
        return skip(why_not());
    isolation_fixture f(5);
    const auto second = f.make_fuse();
    const auto third = f.make_fuse();
    std::deque<outcome> answered(10);
    std::deque<aligned_memory> memory;
    const auto bad = f.open(f.fuse->path("hung"), file_base::read_only);
    const auto good = f.open(second->path("hung"), file_base::read_only);
    const auto worse = f.open(third->path("hung"), file_base::read_only);
    for (fuse_file_system* mount : {f.fuse.get(), second.get(), third.get()})
        mount->hold();
    f.hang(*bad, answered.size());
    for (std::size_t i = 0; i != answered.size(); ++i)
    {
        memory.emplace_back(block_size);
        good->async_read_some_at(fuse_file_system::file_size / answered.size() * i,
                                 asio::buffer(memory[i].data(), block_size),
                                 record_in(answered[i]));
    }
    f.hang(*worse, answered.size());
    f.run_until_held(*second, 1);
    f.run_until_stuck();
    second->release();
    wait_until([&] {
        f.context.restart();
        f.context.poll();
        return std::all_of(answered.begin(), answered.end(),
                           [](const outcome& o) { return o.calls == 1; });
    });
    for (const outcome& o : answered)
        BOOST_TEST(o.succeeded(block_size), o);
    third->die();
    f.check_end();
}

// A server may hang with one file only. What it hasn't taken is for the others of its mount.
BOOST_DATA_TEST_CASE(a_file_that_hangs_holds_no_other_of_its_mount_up, data::make(transfer_modes()),
                     mode)
{
    if (!why_not().empty())
        return skip(why_not());
    isolation_fixture f(8);
    const auto bad = f.open(f.fuse->path("hung"), file_base::read_only | mode);
    const auto good = f.open(f.fuse->path("good"), file_base::read_write | mode);
    f.fuse->hold();
    f.hang(*bad, 100);
    f.run_until_held(1);
    f.run_until_stuck();
    f.check_others(*good);
    f.check_end();
}

// With all slots lost, the order of what is serial is still that of the program, and what is not
// to wait is still refused rather than waited for.
BOOST_AUTO_TEST_CASE(order_without_slots, *boost::unit_test::precondition(&needs_aio) *
                                              boost::unit_test::precondition(&tries_reads))
{
    if (!why_not().empty())
        return skip(why_not());
    const temporary_file target;
    isolation_fixture f;
    const auto bad = f.open(f.fuse->path("hung"), file_base::read_only | file_base::direct);
    f.fuse->hold();
    f.hang(*bad, 100);
    f.run_until_held(f.options().max_in_flight);

    kaio::stream_file log(f.context, target.path(), file_base::write_only | file_base::append);
    std::string expected;
    std::deque<std::string> lines;
    std::deque<outcome> results(50);
    for (std::size_t i = 0; i != results.size(); ++i)
    {
        lines.push_back("line " + std::to_string(i) + "\n");
        expected += lines.back();
        log.async_write_some(asio::buffer(lines.back()), record_in(results[i]));
    }
    const auto all_called = [&] {
        f.context.restart();
        f.context.poll();
        return std::all_of(results.begin(), results.end(),
                           [](const outcome& o) { return o.calls == 1; });
    };
    wait_until(all_called);
    for (std::size_t i = 0; i != results.size(); ++i)
        BOOST_TEST(results[i].succeeded(lines[i].size()), results[i]);
    BOOST_TEST(target.contents() == expected);

    // In the page cache: read at once. Not there: refused, unless the disk was faster than the
    // kernel's
    // second look (6.18 begins to read all the same).
    kaio::random_access_file file(f.context, target.path(), file_base::read_only);
    kaio::io_options at_once;
    at_once.no_wait = true;
    for (const bool cached : {true, false})
    {
        if (!cached && !drop_from_page_cache(target.path()))
            continue;
        results.clear();
        results.emplace_back();
        std::string text(expected.size(), ' ');
        file.async_read_some_at(0, asio::buffer(text), at_once, record_in(results.front()));
        wait_until(all_called);
        const bool refused = !cached && results.front().failed(asio::error::try_again);
        BOOST_TEST((refused || results.front().succeeded(expected.size())), results.front());
    }
    f.check_end();
}

// What a closed file held is free again once its operations have ended, and its mount counts no
// more.
BOOST_DATA_TEST_CASE(what_closed_files_held, data::make(transfer_modes()), mode)
{
    if (!why_not().empty())
        return skip(why_not());
    const temporary_file target(blocks * block_size);
    isolation_fixture f;
    for (int round = 0; round != 3; ++round)
    {
        {
            const auto good = f.open(target.path(), file_base::read_write | mode);
            f.check_others(*good);
        }
        const auto bad = f.open(f.fuse->path("hung"), file_base::read_only | mode);
        f.fuse->hold();
        const std::size_t before = f.service.statistics().helper_operations;
        f.hang(*bad, 100);
        f.run_until_held(1);
        f.run_until_stuck();
        if (mode == transfer_mode::direct && aio_available())
            BOOST_TEST(f.fuse->held() == f.options().max_in_flight);
        else
            BOOST_TEST(f.service.statistics().helper_operations - before == 2U);
        bad->close();
        f.fuse->release();
        run_again(f.context);
        for (const outcome& o : f.hung)
            BOOST_TEST(o.calls == 1);
        f.hung.clear();
        f.memory.clear();
    }
}

// Closing a file and taking operations back doesn't wait for the server.
BOOST_DATA_TEST_CASE(close_and_cancel_do_not_wait_for_a_server,
                     data::make(transfer_modes()) * data::make({false, true}), mode, close)
{
    if (!why_not().empty())
        return skip(why_not());
    const temporary_file target(blocks * block_size);
    isolation_fixture f;
    const auto bad = f.open(f.fuse->path("hung"), file_base::read_only | mode);
    f.fuse->hold();
    const auto good = f.open(target.path(), file_base::read_write | mode);
    f.hang(*bad, 100);
    f.run_until_held(1);
    if (close)
        bad->close();
    else
        bad->cancel();
    f.check_others(*good);
    std::size_t aborted = 0;
    std::size_t outstanding = 0;
    for (const outcome& o : f.hung)
    {
        aborted += o.aborted();
        outstanding += o.calls == 0;
    }
    // Operations that the server holds stay with it. They are no more than may be in flight.
    BOOST_TEST(aborted + outstanding == 100U);
    BOOST_TEST(outstanding >= 1U);
    BOOST_TEST(outstanding <= f.options().max_in_flight);
    f.fuse->die();
    run_again(f.context);
    for (const outcome& o : f.hung)
        BOOST_TEST(o.calls == 1);
}

// The end of a context waits until the buffers are free, and calls nobody.
BOOST_DATA_TEST_CASE(the_context_ends, data::make(transfer_modes()), mode)
{
    if (!why_not().empty())
        return skip(why_not());
    private_mounts();
    fuse_file_system fuse(true);
    std::deque<outcome> results(20);
    std::deque<aligned_memory> memory;
    auto context = std::make_unique<asio::io_context>();
    kaio::random_access_file file(*context, fuse.path("hung"), file_base::read_only | mode);
    fuse.hold();
    for (outcome& o : results)
    {
        memory.emplace_back(block_size);
        file.async_read_some_at(0, asio::buffer(memory.back().data(), block_size), record_in(o));
    }
    wait_until([&] {
        context->restart();
        context->poll();
        return fuse.held() != 0;
    });
    file.close();
    std::thread killer([&] { fuse.die(); });
    context.reset();
    killer.join();
    for (const outcome& o : results)
        BOOST_TEST(o.calls <= 1);
}

BOOST_AUTO_TEST_SUITE_END()
