//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Many threads, many files, many operations, several contexts.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/block_size.hpp"
#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/scale.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using namespace kaio::test;

namespace {

// Writes, reads, writes again and reads again each block of a file, several blocks at a time, and
// looks at what it reads.
class worker
{
public:
    worker(asio::any_io_executor executor, transfer_mode mode, std::size_t blocks,
           std::size_t depth, unsigned seed)
      : file_(executor, target_.path(), kaio::file_base::read_write | mode), blocks_(blocks),
        seed_(seed)
    {
        file_.resize(blocks * block_size);
        for (std::size_t i = 0; i != depth; ++i)
            lanes_.emplace_back(new lane(i));
    }

    // Start on the executor.
    void post_start()
    {
        asio::post(file_.get_executor(), [this] { start(); });
    }

    void start()
    {
        for (const auto& l : lanes_)
            next(*l);
    }

    void check() const
    {
        BOOST_TEST(wrong_ == 0);
        BOOST_TEST(done_ == 4 * blocks_);
        BOOST_TEST((target_.contents() == expected_contents()));
    }

private:
    struct lane
    {
        explicit lane(std::size_t first) : block(first), memory(block_size)
        {
        }

        std::size_t block;
        int step = 0;
        aligned_memory memory;
    };

    std::string content(std::size_t block, int step) const
    {
        return pattern(block * block_size + seed_ % 1000 * 8 +
                           static_cast<std::size_t>(step / 2) * 8000,
                       block_size);
    }

    std::string expected_contents() const
    {
        std::string result;
        for (std::size_t i = 0; i != blocks_; ++i)
            result += content(i, 2);
        return result;
    }

    void next(lane& l)
    {
        if (l.block >= blocks_)
            return;
        const std::uint64_t offset = l.block * block_size;
        const auto buffer = asio::buffer(l.memory.data(), block_size);
        const bool reads = l.step % 2 == 1;
        const auto handler = [this, &l, reads](boost::system::error_code ec, std::size_t bytes) {
            wrong_ += ec || bytes != block_size ||
                      (reads && std::memcmp(l.memory.data(), content(l.block, l.step).data(),
                                            block_size) != 0);
            ++done_;
            if (++l.step == 4)
            {
                l.step = 0;
                l.block += lanes_.size();
            }
            next(l);
        };
        if (reads)
        {
            std::memset(l.memory.data(), 0, block_size);
            file_.async_read_some_at(offset, buffer, handler);
        }
        else
        {
            std::memcpy(l.memory.data(), content(l.block, l.step).data(), block_size);
            file_.async_write_some_at(offset, buffer, handler);
        }
    }

    temporary_file target_;
    kaio::random_access_file file_;
    const std::size_t blocks_;
    const unsigned seed_;
    std::vector<std::unique_ptr<lane>> lanes_;
    std::size_t wrong_ = 0;
    std::size_t done_ = 0;
};

kaio::service_options options(std::size_t max_in_flight)
{
    kaio::service_options result;
    result.max_in_flight = max_in_flight;
    return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(concurrency)

BOOST_DATA_TEST_CASE(files_times_depth,
                     data::make(transfer_modes()) * data::make({1, 4}) * data::make({1, 8, 64}),
                     mode, files, depth)
{
    const std::size_t blocks = scaled(400, 65);
    asio::io_context context;
    kaio::make_aio_service(context, options(64));
    std::vector<std::unique_ptr<worker>> workers;
    for (int i = 0; i != files; ++i)
    {
        workers.emplace_back(new worker(context.get_executor(), mode, blocks,
                                        static_cast<std::size_t>(depth), static_cast<unsigned>(i)));
        workers.back()->start();
    }
    run(context);
    for (const auto& w : workers)
        w->check();
    const kaio::service_statistics statistics =
        asio::use_service<kaio::aio_service>(context).statistics();
    BOOST_TEST(statistics.outstanding == 0);
    BOOST_TEST(statistics.outstanding_high_water == static_cast<std::size_t>(files * depth));
}

// One context on several threads; each file keeps to a strand.
BOOST_DATA_TEST_CASE(several_threads_run_one_context,
                     data::make(transfer_modes()) * data::make({2, 4}), mode, threads)
{
    const std::size_t blocks = scaled(300, 30);
    asio::io_context context;
    kaio::make_aio_service(context, options(16));
    std::vector<std::unique_ptr<worker>> workers;
    for (unsigned i = 0; i != 8; ++i)
    {
        workers.emplace_back(new worker(asio::make_strand(context), mode, blocks, 8, i));
        workers.back()->post_start();
    }
    run_on_threads(context, static_cast<std::size_t>(threads));
    for (const auto& w : workers)
        w->check();
}

// Threads that don't run the context start operations, each on a file of its own, and wait for them.
BOOST_AUTO_TEST_CASE(many_threads_start_operations)
{
    const std::size_t rounds = scaled(500, 50);
    temporary_file source(16 * block_size);
    asio::io_context context;
    auto work = asio::make_work_guard(context);
    std::vector<std::thread> loops;
    for (int i = 0; i != 2; ++i)
        loops.emplace_back([&] { context.run_for(time_bound); });
    std::atomic<std::size_t> good{0};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t != 8; ++t)
    {
        threads.emplace_back([&, t] {
            kaio::random_access_file file(context, source.path(), kaio::file_base::read_only);
            std::minstd_rand random(t + 1);
            std::string memory(block_size, '\0');
            for (std::size_t i = 0; i != rounds; ++i)
            {
                const std::size_t offset = random() % (15 * block_size);
                auto read = file.async_read_some_at(offset, asio::buffer(memory), asio::use_future);
                if (read.wait_for(time_bound) != std::future_status::ready)
                    std::terminate();
                good += read.get() == block_size && memory == pattern(offset, block_size);
            }
        });
    }
    for (std::thread& t : threads)
        t.join();
    work.reset();
    for (std::thread& t : loops)
        t.join();
    BOOST_TEST(good == 8 * rounds);
    BOOST_TEST(context.stopped());
}

BOOST_DATA_TEST_CASE(two_contexts_work_side_by_side, data::make(transfer_modes()), mode)
{
    const std::size_t blocks = scaled(300, 30);
    asio::io_context contexts[2];
    std::vector<std::unique_ptr<worker>> workers;
    for (unsigned i = 0; i != 6; ++i)
    {
        workers.emplace_back(new worker(contexts[i % 2].get_executor(), mode, blocks, 8, i));
        workers.back()->start();
    }
    std::thread other([&] { contexts[1].run_for(time_bound); });
    contexts[0].run_for(time_bound);
    other.join();
    BOOST_TEST(contexts[0].stopped());
    BOOST_TEST(contexts[1].stopped());
    for (const auto& w : workers)
        w->check();
}

// The handlers of one context start operations of the other.
BOOST_AUTO_TEST_CASE(handlers_of_one_context_start_operations_of_another)
{
    const std::size_t rounds = scaled(3000, 300);
    temporary_file source(block_size);
    asio::io_context contexts[2];
    auto work = asio::make_work_guard(contexts[1]);
    std::vector<kaio::random_access_file> files;
    for (asio::io_context& c : contexts)
        files.emplace_back(c, source.path(), kaio::file_base::read_only);
    char memory[100];
    std::size_t done = 0;
    std::function<void()> next = [&] {
        if (done == rounds)
        {
            work.reset();
            return;
        }
        files[done % 2].async_read_some_at(0, asio::buffer(memory),
                                           [&](boost::system::error_code, std::size_t) {
                                               ++done;
                                               next();
                                           });
    };
    auto own_work = asio::make_work_guard(contexts[0]);
    next();
    std::thread other([&] {
        contexts[1].run_for(time_bound);
        own_work.reset();
    });
    contexts[0].run_for(time_bound);
    other.join();
    BOOST_TEST(done == rounds);
}

BOOST_AUTO_TEST_CASE(a_loop_that_sleeps_is_woken)
{
    // Started on another thread's initiative, while run() has nothing else to do.
    const std::size_t count = scaled(500, 100);
    temporary_file target;
    asio::io_context context;
    auto work = asio::make_work_guard(context);
    kaio::random_access_file file(context, target.path(), kaio::file_base::read_write);
    const std::string block(block_size, 'x');
    std::size_t good = 0;
    std::promise<void> all_done;
    std::thread loop([&] { context.run_for(time_bound); });
    for (std::size_t i = 0; i != count; ++i)
    {
        asio::post(context, [&, i] {
            file.async_write_some_at(i * block_size, asio::buffer(block),
                                     [&](boost::system::error_code ec, std::size_t bytes) {
                                         good += !ec && bytes == block_size;
                                         if (good == count)
                                             all_done.set_value();
                                     });
        });
    }
    const bool in_time = all_done.get_future().wait_for(time_bound) == std::future_status::ready;
    work.reset();
    loop.join();
    BOOST_TEST(in_time);
    BOOST_TEST(good == count);
    BOOST_TEST(file.size() == count * block_size);
}

// The same without a detour: the file isn't shared, as the loop only calls handlers.
BOOST_DATA_TEST_CASE(no_wake_up_is_lost, data::make(transfer_modes()), mode)
{
    const std::size_t rounds = scaled(5000, 500);
    temporary_file source(4 * block_size);
    asio::io_context context;
    auto work = asio::make_work_guard(context);
    kaio::random_access_file file(context, source.path(), kaio::file_base::read_only | mode);
    aligned_memory memory(4 * block_size);
    std::thread loop([&] { context.run_for(time_bound); });
    std::size_t done = 0;
    for (std::size_t round = 0; round != rounds; ++round)
    {
        const std::size_t count = 1 + round % 4;
        std::atomic<std::size_t> left{count};
        // Lives as long as the handler that uses it.
        const auto all_done = std::make_shared<std::promise<void>>();
        auto future = all_done->get_future();
        for (std::size_t i = 0; i != count; ++i)
        {
            file.async_read_some_at(i * block_size,
                                    asio::buffer(memory.data() + i * block_size, block_size),
                                    [&left, all_done](boost::system::error_code, std::size_t) {
                                        if (--left == 0)
                                            all_done->set_value();
                                    });
        }
        if (future.wait_for(time_bound) != std::future_status::ready)
            break;
        ++done;
    }
    work.reset();
    loop.join();
    BOOST_TEST(done == rounds);
    BOOST_TEST(asio::use_service<kaio::aio_service>(context).statistics().outstanding == 0);
}

// run() returns after each round, and the next begins with nothing armed.
BOOST_DATA_TEST_CASE(run_may_return_after_each_operation, data::make(transfer_modes()), mode)
{
    const std::size_t rounds = scaled(5000, 500);
    temporary_file target(block_size);
    asio::io_context context;
    kaio::random_access_file file(context, target.path(), kaio::file_base::read_write | mode);
    aligned_memory memory(block_size);
    std::size_t good = 0;
    for (std::size_t round = 0; round != rounds; ++round)
    {
        const auto handler = [&](boost::system::error_code ec, std::size_t bytes) {
            good += !ec && bytes == block_size;
        };
        if (round % 8 == 0)
            file.async_write_some_at(0, asio::buffer(memory.data(), block_size), handler);
        else
            file.async_read_some_at(0, asio::buffer(memory.data(), block_size), handler);
        run_again(context);
    }
    BOOST_TEST(good == rounds);
    BOOST_TEST(asio::use_service<kaio::aio_service>(context).statistics().outstanding == 0);
}

// Polled, never blocked in.
BOOST_AUTO_TEST_CASE(a_context_may_be_polled)
{
    temporary_file source(block_size);
    asio::io_context context;
    kaio::random_access_file file(context, source.path(), kaio::file_base::read_only);
    char memory[100];
    const auto end = std::chrono::steady_clock::now() + time_bound;
    for (std::size_t round = 0; round != scaled(1000, 100); ++round)
    {
        bool called = false;
        file.async_read_some_at(0, asio::buffer(memory),
                                [&](boost::system::error_code, std::size_t) { called = true; });
        while (!called && std::chrono::steady_clock::now() < end)
        {
            context.restart();
            context.poll();
        }
        BOOST_REQUIRE(called);
    }
    const kaio::service_statistics statistics =
        asio::use_service<kaio::aio_service>(context).statistics();
    BOOST_TEST(statistics.outstanding == 0);
    BOOST_TEST(statistics.queued == 0);
}

BOOST_AUTO_TEST_SUITE_END()
