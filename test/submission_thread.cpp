//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// With submission_mode::on_thread no thread of the program makes a call that may wait for a disk.

#include <sys/syscall.h>

#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdint>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/block_size.hpp"
#include "support/blocked_helper.hpp"
#include "support/gate.hpp"
#include "support/interposed_io.hpp"
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

kaio::service_options on_thread()
{
    kaio::service_options result;
    result.submission = kaio::submission_mode::on_thread;
    return result;
}

// Sees which threads call io_submit.
class witness
{
public:
    std::size_t calls() const
    {
        return calls_;
    }

    bool saw(std::thread::id id) const
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        return threads_.count(id) != 0;
    }

    bool nowait_seen() const
    {
        return nowait_seen_;
    }

    /// Where in their files the operations were to happen, in the order submitted.
    std::vector<std::uint64_t> offsets() const
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        return offsets_;
    }

private:
    int submit(::aio_context_t kernel, long count, ::iocb** blocks)
    {
        ++calls_;
        for (long i = 0; i != count; ++i)
        {
            if ((blocks[i]->aio_rw_flags & RWF_NOWAIT) != 0)
                nowait_seen_ = true;
        }
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            threads_.insert(std::this_thread::get_id());
            for (long i = 0; i != count; ++i)
                offsets_.push_back(static_cast<std::uint64_t>(blocks[i]->aio_offset));
        }
        return kernel_submit(kernel, count, blocks);
    }

    mutable std::mutex mutex_;
    std::set<std::thread::id> threads_;
    std::vector<std::uint64_t> offsets_;
    std::atomic<std::size_t> calls_{0};
    std::atomic<bool> nowait_seen_{false};

    const interposed_submit hook_{[this](::aio_context_t kernel, long count, ::iocb** blocks) {
        return submit(kernel, count, blocks);
    }};
};

// Takes operations and does nothing before it is told, or hangs when it is given them.
class hanging_kernel
{
public:
    ~hanging_kernel()
    {
        end();
    }

    /// How many operations were taken and not done.
    std::size_t held() const
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        return held_.size();
    }

    bool hangs() const
    {
        return hangs_;
    }

    /// Hang with what comes of a file from now on.
    void hang(int descriptor)
    {
        hanging_ = descriptor;
    }

    /// Do what was and what will be given of a file.
    void let_go(int descriptor)
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        free_.insert(descriptor);
        const auto of_file = held_.equal_range(descriptor);
        for (auto i = of_file.first; i != of_file.second; ++i)
        {
            ::iocb* block = &i->second;
            kernel_submit(context_, 1, &block);
        }
        held_.erase(of_file.first, of_file.second);
    }

    /// Hang no more.
    void end()
    {
        end_.open();
    }

private:
    int submit(::aio_context_t context, long count, ::iocb** blocks)
    {
        const int descriptor = static_cast<int>(blocks[0]->aio_fildes);
        if (descriptor == hanging_)
        {
            hangs_ = true;
            end_.pass();
        }
        const std::lock_guard<std::mutex> lock(mutex_);
        if (free_.count(descriptor) != 0)
            return kernel_submit(context, count, blocks);
        context_ = context;
        for (long i = 0; i != count; ++i)
            held_.emplace(descriptor, *blocks[i]);
        return static_cast<int>(count);
    }

    mutable std::mutex mutex_;
    ::aio_context_t context_ = 0;
    std::multimap<int, ::iocb> held_;
    std::set<int> free_;
    std::atomic<int> hanging_{-1};
    std::atomic<bool> hangs_{false};
    gate end_;
    const interposed_submit hook_{[this](::aio_context_t context, long count, ::iocb** blocks) {
        return submit(context, count, blocks);
    }};
};

} // namespace

BOOST_AUTO_TEST_SUITE(submission_thread)

BOOST_DATA_TEST_CASE(the_loop_submits_nothing, data::make(transfer_modes()) * data::make({1, 256}),
                     mode, max_in_flight)
{
    constexpr std::size_t count = 300;
    const temporary_file target(count * block_size);
    const witness w;
    asio::io_context context;
    kaio::service_options options = on_thread();
    options.max_in_flight = static_cast<std::size_t>(max_in_flight);
    auto& service = kaio::make_aio_service(context, options);
    if (!aio_available())
        return skip("needs AIO");
    kaio::random_access_file file(context, target.path(), file_base::read_write | mode);
    std::deque<aligned_memory> memory;
    std::deque<outcome> results(count);
    for (std::size_t i = 0; i != count; ++i)
    {
        memory.emplace_back(block_size);
        const auto buffer = asio::buffer(memory.back().data(), block_size);
        pattern(i * block_size, block_size).copy(memory.back().data(), block_size);
        initiate([&] {
            if (i % 3 == 0)
                file.async_write_some_at(i * block_size, buffer, record_in(results[i]));
            else
                file.async_read_some_at(i * block_size, buffer, record_in(results[i]));
        });
    }
    std::deque<outcome> syncs(5);
    for (outcome& o : syncs)
        initiate([&] { file.async_sync_data(record_plain_in(o)); });
    run(context);
    for (std::size_t i = 0; i != count; ++i)
    {
        BOOST_TEST(results[i].succeeded(block_size), results[i]);
        const bool equal = memory[i].text() == pattern(i * block_size, block_size);
        BOOST_TEST(equal);
    }
    for (const outcome& o : syncs)
        BOOST_TEST(o.succeeded(0), o);

    BOOST_TEST(!w.saw(std::this_thread::get_id()));
    BOOST_TEST(w.calls() > 0U);
    const kaio::service_statistics s = service.statistics();
    BOOST_TEST(s.longest_submit.count() == 0);
    BOOST_TEST(s.would_block_fallbacks == 0U);
    BOOST_TEST(s.in_flight_high_water <= static_cast<std::size_t>(max_in_flight));
    // Nothing to wait for is asked of a thread that may wait.
    BOOST_TEST(!w.nowait_seen());
}

BOOST_DATA_TEST_CASE(cold_files_and_files_that_grow, data::make(transfer_modes()), mode)
{
    constexpr std::size_t count = 100;
    const temporary_file cold(count * block_size);
    drop_from_page_cache(cold.path());
    const temporary_file growing;
    const witness w;
    asio::io_context context;
    kaio::make_aio_service(context, on_thread());
    kaio::random_access_file reader(context, cold.path(), file_base::read_only | mode);
    kaio::random_access_file writer(context, growing.path(), file_base::write_only | mode);
    std::deque<aligned_memory> memory;
    std::deque<outcome> results(2 * count);
    for (std::size_t i = 0; i != count; ++i)
    {
        memory.emplace_back(block_size);
        reader.async_read_some_at(i * block_size, asio::buffer(memory.back().data(), block_size),
                                  record_in(results[2 * i]));
        memory.emplace_back(block_size);
        pattern(i * block_size, block_size).copy(memory.back().data(), block_size);
        writer.async_write_some_at(i * block_size, asio::buffer(memory.back().data(), block_size),
                                   record_in(results[2 * i + 1]));
    }
    run(context);
    for (std::size_t i = 0; i != 2 * count; ++i)
    {
        BOOST_TEST(results[i].succeeded(block_size), results[i]);
        const bool equal = memory[i].text() == pattern(i / 2 * block_size, block_size);
        BOOST_TEST(equal);
    }
    const bool equal = growing.contents() == pattern(0, count * block_size);
    BOOST_TEST(equal);
    BOOST_TEST(!w.saw(std::this_thread::get_id()));
    BOOST_TEST(asio::use_service<kaio::aio_service>(context).statistics().longest_submit.count() ==
               0);
}

// Operations that wait for a helper are served in the order started.
BOOST_AUTO_TEST_CASE(operations_are_served_in_their_turn,
                     *boost::unit_test::precondition(&needs_aio))
{
    if (!direct_io_available())
        return skip("no direct I/O in " + directory());
    constexpr std::size_t count = 50;
    const temporary_file target(count * block_size);
    const witness w;
    asio::io_context context;
    kaio::service_options options = on_thread();
    options.max_in_flight = 1;
    kaio::make_aio_service(context, options);
    kaio::random_access_file file(context, target.path(), file_base::read_only | file_base::direct);
    aligned_memory memory(count * block_size);
    std::deque<outcome> results(count);
    std::vector<std::uint64_t> expected;
    for (std::size_t i = 0; i != count; ++i)
    {
        expected.push_back(i * block_size);
        file.async_read_some_at(expected.back(),
                                asio::buffer(memory.data() + expected.back(), block_size),
                                record_in(results[i]));
    }
    run(context);
    for (const outcome& o : results)
        BOOST_TEST(o.succeeded(block_size), o);
    BOOST_TEST(w.offsets() == expected, boost::test_tools::per_element());
}

// Reads and fsync stay on the loop, where it is only writes that threads submit.
BOOST_TEST_DECORATOR(*boost::unit_test::precondition(&tries_reads))
BOOST_DATA_TEST_CASE(only_writes_go_by_the_thread, data::make(transfer_modes()), mode)
{
    constexpr std::size_t count = 20;
    const temporary_file target(count * block_size);
    const std::thread::id loop = std::this_thread::get_id();
    std::atomic<int> writes_on_loop{0};
    std::atomic<int> reads_off_loop{0};
    const auto count_one = [&](bool writes) {
        const bool on_loop = std::this_thread::get_id() == loop;
        writes_on_loop += writes && on_loop;
        reads_off_loop += !writes && !on_loop;
    };
    const interposed_submit submit_hook([&](::aio_context_t kernel, long n, ::iocb** blocks) {
        for (long i = 0; i != n; ++i)
            count_one(blocks[i]->aio_lio_opcode == IOCB_CMD_PWRITE);
        return kernel_submit(kernel, n, blocks);
    });
    const interposed_call call_hook([&](long number, int descriptor, const ::iovec* buffers, long n,
                                        ::off_t offset, int flags) {
        count_one(number == SYS_pwritev2);
        return kernel_call(number, descriptor, buffers, n, offset, flags);
    });
    asio::io_context context;
    kaio::service_options options;
    options.submission = kaio::submission_mode::writes_on_thread;
    auto& service = kaio::make_aio_service(context, options);
    if (!service.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file(context, target.path(), file_base::read_write | mode);
    aligned_memory memory(count * block_size);
    pattern(0, memory.size()).copy(memory.data(), memory.size());
    std::deque<outcome> results(count);
    std::deque<outcome> syncs(count);
    for (std::size_t i = 0; i != count; ++i)
    {
        const auto buffer = asio::buffer(memory.data() + i * block_size, block_size);
        if (i % 2 == 0)
            file.async_write_some_at(i * block_size, buffer, record_in(results[i]));
        else
            file.async_read_some_at(i * block_size, buffer, record_in(results[i]));
        file.async_sync_data(record_plain_in(syncs[i]));
    }
    run(context);
    for (std::size_t i = 0; i != count; ++i)
    {
        BOOST_TEST(results[i].succeeded(block_size), results[i]);
        BOOST_TEST(syncs[i].succeeded(0), syncs[i]);
    }
    BOOST_TEST(writes_on_loop == 0);
    const kaio::service_statistics s = service.statistics();
    BOOST_TEST(s.helper_operations + s.helper_submissions >= count / 2);
    BOOST_TEST(s.loop_submissions + s.loop_tries >= count);
    // A direct read that is refused beside a write goes by a thread as by default.
    if (mode == transfer_mode::buffered)
        BOOST_TEST(reads_off_loop == 0);
    const bool equal = target.contents() == pattern(0, count * block_size);
    BOOST_TEST(equal);
}

// Appending writes keep their order.
BOOST_AUTO_TEST_CASE(appending_writes_keep_their_order)
{
    constexpr std::size_t count = 100;
    const temporary_file target;
    const witness w;
    asio::io_context context;
    kaio::make_aio_service(context, on_thread());
    kaio::random_access_file file(context, target.path(),
                                  file_base::write_only | file_base::append);
    const std::string text = pattern(0, count * 777);
    std::deque<outcome> results(count);
    for (std::size_t i = 0; i != count; ++i)
        file.async_write_some_at(0, asio::buffer(text.data() + i * 777, 777),
                                 record_in(results[i]));
    run(context);
    for (const outcome& o : results)
        BOOST_TEST(o.succeeded(777), o);
    BOOST_TEST(target.contents() == text);
    BOOST_TEST(!w.saw(std::this_thread::get_id()));
}

BOOST_AUTO_TEST_CASE(on_several_threads)
{
    if (!direct_io_available())
        return skip("no direct I/O in " + directory());
    constexpr std::size_t count = 500;
    const temporary_file target(count * block_size);
    const witness w;
    asio::io_context context;
    kaio::make_aio_service(context, on_thread());
    kaio::random_access_file file(context, target.path(), file_base::read_only | file_base::direct);
    std::deque<aligned_memory> memory;
    std::deque<outcome> results(count);
    std::mutex mutex;
    std::set<std::thread::id> loops;
    for (std::size_t i = 0; i != count; ++i)
    {
        memory.emplace_back(block_size);
        file.async_read_some_at(i * block_size, asio::buffer(memory.back().data(), block_size),
                                [&, i](boost::system::error_code ec, std::size_t bytes) {
                                    record_in r(results[i]);
                                    r(ec, bytes);
                                    const std::lock_guard<std::mutex> lock(mutex);
                                    loops.insert(std::this_thread::get_id());
                                });
    }
    run_on_threads(context, 4);
    for (std::size_t i = 0; i != count; ++i)
        BOOST_TEST(results[i].succeeded(block_size), results[i]);
    for (const std::thread::id id : loops)
        BOOST_TEST(!w.saw(id));
}

// A thread that found no slot for one file may have gone on for another, which then hangs.
BOOST_AUTO_TEST_CASE(a_file_that_hangs_leaves_slots_to_others,
                     *boost::unit_test::precondition(&needs_aio) *
                         boost::unit_test::precondition(&needs_direct_io))
{
    const temporary_file target(6 * block_size);
    hanging_kernel kernel;
    asio::io_context context;
    kaio::service_options options = on_thread();
    options.max_in_flight = 2;
    options.max_batch = 1;
    kaio::make_aio_service(context, options);
    const auto flags = file_base::read_only | file_base::direct;
    kaio::random_access_file hanging(context, target.path(), flags);
    kaio::random_access_file other(context, target.path(), flags);
    aligned_memory memory(6 * block_size);
    std::deque<outcome> results;
    const auto read = [&](kaio::random_access_file& file) {
        const std::size_t offset = results.size() * block_size;
        results.emplace_back();
        file.async_read_some_at(offset, asio::buffer(memory.data() + offset, block_size),
                                record_in(results.back()));
    };
    for (int i = 0; i != 2; ++i)
    {
        read(hanging);
        read(other);
    }
    context.poll();
    wait_until([&] { return kernel.held() == 2; });
    kernel.hang(hanging.native_handle());
    kernel.let_go(hanging.native_handle());
    run_until(context, [&] { return results[0].calls == 1; });
    wait_until([&] { return kernel.hangs(); });
    kernel.let_go(other.native_handle());
    read(other);
    run_until(context, [&] { return results[3].calls == 1 && results[4].calls == 1; });
    BOOST_TEST(results[2].calls == 0);
    kernel.end();
    run_again(context);
    for (const outcome& o : results)
        BOOST_TEST(o.succeeded(block_size), o);
}

BOOST_AUTO_TEST_SUITE_END()
