//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Operations that would wait are done off the loop, with the result of the synchronous call.

#include <stdlib.h>
#include <sys/uio.h>
#include <sys/vfs.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/around_the_kernel.hpp"
#include "support/block_size.hpp"
#include "support/failing_kernel.hpp"
#include "support/file_systems.hpp"
#include "support/interposed_io.hpp"
#include "support/needs_aio.hpp"
#include "support/outcome.hpp"
#include "support/page_cache.hpp"
#include "support/refusing_kernel.hpp"
#include "support/run.hpp"
#include "support/skip.hpp"
#include "support/slow_kernel.hpp"
#include "support/statistics.hpp"
#include "support/system_error.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using namespace kaio::test;

namespace {

constexpr auto ext4_magic = 0xef53;

// One read or write, and what is expected of it.
struct transfer
{
    transfer(bool reads, std::size_t where, std::size_t size)
      : is_read(reads), offset(where), memory(size)
    {
        if (!is_read)
            pattern(offset, size).copy(memory.data(), size);
    }

    void start(kaio::random_access_file& file, const kaio::io_options& options = {})
    {
        initiate([&] {
            if (is_read)
                file.async_read_some_at(offset, asio::buffer(memory.data(), memory.size()), options,
                                        record_in(result));
            else
                file.async_write_some_at(offset, asio::buffer(memory.data(), memory.size()),
                                         options, record_in(result));
        });
    }

    bool right() const
    {
        return result.succeeded(memory.size()) && memory.text() == pattern(offset, memory.size());
    }

    bool is_read;
    std::size_t offset;
    aligned_memory memory;
    outcome result;
};

// Outlives the context, and so what the kernel does with the buffers.
struct started_transfers
{
    std::deque<transfer> transfers;
};

struct would_block_fixture : started_transfers, context_fixture
{
    explicit would_block_fixture(const kaio::service_options& options = {})
      : service(kaio::make_aio_service(context, options))
    {
    }

    kaio::random_access_file open(const temporary_file& target, kaio::file_base::flags flags)
    {
        return kaio::random_access_file(context, target.path(), flags);
    }

    transfer& start(kaio::random_access_file& file, bool is_read, std::size_t offset,
                    std::size_t size = block_size, const kaio::io_options& options = {})
    {
        transfers.emplace_back(is_read, offset, size);
        transfers.back().start(file, options);
        return transfers.back();
    }

    void read_one_by_one(kaio::random_access_file& file, std::size_t count)
    {
        for (std::size_t i = 0; i != count; ++i)
        {
            start(file, true, 0);
            run_again(context);
        }
    }

    void check() const
    {
        std::size_t i = 0;
        for (const transfer& t : transfers)
        {
            BOOST_TEST_CONTEXT("transfer " << i++)
            {
                BOOST_TEST(t.result.succeeded(t.memory.size()), t.result);
                BOOST_TEST(t.right());
            }
        }
        const kaio::service_statistics s = service.statistics();
        BOOST_TEST(s.operations_completed == s.operations_started);
        BOOST_TEST(s.outstanding == 0U);
        BOOST_TEST(s.queued == 0U);
        BOOST_TEST(consistent(s), s);
    }

    kaio::service_statistics statistics() const
    {
        return service.statistics();
    }

    kaio::aio_service& service;
};

// Runs everything to its end.
std::uint64_t calls_of_first_turn(would_block_fixture& f)
{
    f.context.run_one();
    const std::uint64_t calls = f.statistics().loop_tries;
    run(f.context);
    f.check();
    return calls;
}

// A thread that loses its processor in between makes fewer calls in a turn than it may.
template <typename Function>
void expect_calls_in_a_turn(std::uint64_t most, Function calls_of_a_turn)
{
    std::uint64_t seen = 0;
    for (int attempts = 20; attempts != 0 && seen != most; --attempts)
    {
        would_block_fixture f;
        const std::uint64_t calls = calls_of_a_turn(f);
        BOOST_TEST(calls <= most);
        seen = std::max(seen, calls);
    }
    BOOST_TEST(seen == most);
}

} // namespace

BOOST_AUTO_TEST_SUITE(would_block)

BOOST_AUTO_TEST_SUITE(page_cache)

BOOST_AUTO_TEST_CASE(what_is_cached_is_read_without_a_thread)
{
    constexpr std::size_t blocks = 200;
    const temporary_file target(blocks * block_size);
    would_block_fixture f;
    if (!f.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file = f.open(target, kaio::file_base::read_only);
    for (std::size_t i = 0; i != blocks; ++i)
        f.start(file, true, i * block_size);
    run(f.context);
    f.check();
    BOOST_TEST(stayed_on_loop(f.statistics()));
    BOOST_TEST(f.statistics().would_block_fallbacks == 0U);
    BOOST_TEST(f.statistics().submit_calls == 0U);
    BOOST_TEST(f.statistics().bytes_read == blocks * block_size);
}

// Together with what is not cached, in the turns of one loop.
BOOST_AUTO_TEST_CASE(what_is_cached_needs_no_room_in_the_kernel,
                     *boost::unit_test::precondition(&tries_reads))
{
    if (!direct_io_available())
        return skip("no direct I/O in " + directory());
    constexpr std::size_t blocks = 50;
    const temporary_file target(blocks * block_size);
    kaio::service_options options;
    options.max_in_flight = 4;
    would_block_fixture f(options);
    if (!f.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file cached = f.open(target, kaio::file_base::read_only);
    kaio::random_access_file direct =
        f.open(target, kaio::file_base::read_only | kaio::file_base::direct);
    {
        // One operation is taken and kept. There is no room for others, but cached ones go on.
        slow_kernel kernel(1);
        for (std::size_t i = 0; i != 2; ++i)
            f.start(direct, true, i * block_size);
        run_until(f.context, [&] { return kernel.held() == 1; });
        std::deque<transfer>::size_type before = f.transfers.size();
        for (std::size_t i = 0; i != blocks; ++i)
            f.start(cached, true, i * block_size);
        run_until(f.context, [&] { return f.statistics().operations_completed == blocks; });
        for (; before != f.transfers.size(); ++before)
            BOOST_TEST(f.transfers[before].right());
        BOOST_TEST(kernel.held() == 1U);
    }
    run_again(f.context);
    f.check();
}

// Much of what is cached doesn't keep what needs the disk from going there together.
BOOST_AUTO_TEST_CASE(what_is_cached_holds_up_no_submission,
                     *boost::unit_test::precondition(&tries_reads) *
                         boost::unit_test::precondition(&needs_aio) *
                         boost::unit_test::precondition(&needs_direct_io))
{
    constexpr std::size_t size = 512 * 1024;
    constexpr std::size_t count = 20;
    const temporary_file target(count * size);
    expect_calls_in_a_turn(2, [&](would_block_fixture& f) {
        kaio::random_access_file cached = f.open(target, kaio::file_base::read_only);
        kaio::random_access_file direct =
            f.open(target, kaio::file_base::read_only | kaio::file_base::direct);
        for (std::size_t i = 0; i != count; ++i)
        {
            f.start(cached, true, i * size, size);
            f.start(direct, true, i * block_size);
        }
        const std::uint64_t calls = calls_of_first_turn(f);
        BOOST_TEST(f.statistics().largest_batch == count);
        return calls;
    });
}

// Much of it would hold up the loop: there are other things to do in between.
BOOST_AUTO_TEST_CASE(what_is_cached_is_read_a_little_at_a_time,
                     *boost::unit_test::precondition(&tries_reads) *
                         boost::unit_test::precondition(&needs_aio))
{
    constexpr std::size_t size = 256 * 1024;
    constexpr std::size_t count = 16;
    const temporary_file target(count * size);
    expect_calls_in_a_turn(4, [&](would_block_fixture& f) {
        kaio::random_access_file file = f.open(target, kaio::file_base::read_only);
        for (std::size_t i = 0; i != count; ++i)
            f.start(file, true, i * size, size);
        return calls_of_first_turn(f);
    });
}

BOOST_AUTO_TEST_CASE(what_is_not_cached_is_read_off_the_loop)
{
    constexpr std::size_t size = 64 * 1024;
    constexpr std::size_t count = 32;
    const temporary_file target(count * size);
    if (!drop_from_page_cache(target.path()))
        return skip("the file system keeps the file in the page cache");
    would_block_fixture f;
    kaio::random_access_file file = f.open(target, kaio::file_base::read_only);
    for (std::size_t i = 0; i != count; ++i)
        f.start(file, true, i * size, size);
    run(f.context);
    f.check();
    BOOST_TEST(f.statistics().helper_operations > 0U);
    BOOST_TEST((f.statistics().would_block_fallbacks > 0U || !f.statistics().kernel_aio));
    BOOST_TEST(f.statistics().operations_failed == 0U);
    BOOST_TEST(f.statistics().bytes_read == count * size);
}

// The kernel transfers what it has, and says nothing of the rest. It begins to read that all the
// same, and if the disk is fast it has everything: another attempt, then.
constexpr int most_attempts = 200;

BOOST_DATA_TEST_CASE(a_read_of_which_the_head_is_cached_is_complete,
                     data::make({0, 1, 10000, 16384, 20000, 65535}), first_buffer)
{
    constexpr std::size_t size = 64 * 1024;
    const temporary_file target(4 * size);
    bool short_count_seen = false;
    for (int i = 0; i != most_attempts && !short_count_seen; ++i)
    {
        if (!leave_in_page_cache(target.path(), size / 4))
            return skip("the file system doesn't let a file be cached in part");
        would_block_fixture f;
        if (!f.statistics().kernel_aio)
            return skip("needs AIO");
        kaio::random_access_file file = f.open(target, kaio::file_base::read_only);
        std::string memory(size, '\0');
        const std::vector<asio::mutable_buffer> buffers{
            asio::buffer(memory, static_cast<std::size_t>(first_buffer)),
            asio::buffer(memory) + static_cast<std::size_t>(first_buffer)};
        outcome result;
        file.async_read_some_at(0, buffers, record_in(result));
        run(f.context);
        BOOST_TEST(result.succeeded(size), result);
        const bool equal = memory == pattern(0, size);
        BOOST_TEST(equal);
        BOOST_TEST(f.statistics().would_block_fallbacks == f.statistics().helper_operations);
        short_count_seen = f.statistics().would_block_fallbacks == 1;
    }
    BOOST_TEST(short_count_seen);
}

BOOST_AUTO_TEST_CASE(a_read_across_the_end_of_a_file_that_is_cached_in_part)
{
    const temporary_file target(std::size_t(50000));
    if (!leave_in_page_cache(target.path(), 4 * block_size))
        return skip("the file system doesn't let a file be cached in part");
    would_block_fixture f;
    kaio::random_access_file file = f.open(target, kaio::file_base::read_only);
    std::string memory(100000, '\0');
    outcome result;
    file.async_read_some_at(0, asio::buffer(memory), record_in(result));
    run(f.context);
    BOOST_TEST(result.succeeded(50000), result);
    const bool equal = memory.substr(0, 50000) == pattern(0, 50000);
    BOOST_TEST(equal);
}

// Only a user who asks for RWF_NOWAIT sees the kernel's refusal to wait.
BOOST_DATA_TEST_CASE(no_wait_shows_what_the_kernel_says, data::make({0, 4}), cached)
{
    constexpr std::size_t size = 16 * block_size;
    const auto head = static_cast<std::size_t>(cached) * block_size;
    const temporary_file target(size);
    would_block_fixture f;
    kaio::random_access_file file = f.open(target, kaio::file_base::read_only);
    std::string memory(size, '\0');
    kaio::io_options options;
    options.no_wait = true;
    bool refused = false;
    for (int i = 0; i != most_attempts && !refused; ++i)
    {
        if (!leave_in_page_cache(target.path(), head))
            return skip("the file system doesn't let a file be cached in part");
        outcome result;
        file.async_read_some_at(0, asio::buffer(memory), options, record_in(result));
        run_again(f.context);
        refused = head != 0 ? result.succeeded(head) : result.failed(system_error(EAGAIN));
        const bool unsupported = result.failed(system_error(EOPNOTSUPP));
        if (unsupported)
            return skip("the file system doesn't know RWF_NOWAIT");
        BOOST_TEST((refused || (!result.ec && result.bytes >= head)), result);
    }
    BOOST_TEST(refused);
    BOOST_TEST(f.statistics().would_block_fallbacks == 0U);
}

// ext4 says EOPNOTSUPP in the event of the first: it isn't asked again.
BOOST_AUTO_TEST_CASE(a_refused_direction_is_learned)
{
    constexpr std::size_t writes = 20;
    const temporary_file target(writes * block_size);
    would_block_fixture f;
    if (!f.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file = f.open(target, kaio::file_base::read_write);
    for (std::size_t i = 0; i != writes; ++i)
    {
        f.start(file, false, i * block_size);
        run_again(f.context);
    }
    const kaio::service_statistics s = f.statistics();
    struct statfs file_system = {};
    ::statfs(target.c_str(), &file_system);
    if (file_system.f_type != ext4_magic)
        skip("the counts of ext4: another file system");
    else if (s.would_block_fallbacks == 0)
        BOOST_TEST(stayed_on_loop(s)); // A kernel newer than what is known.
    else
    {
        BOOST_TEST(s.would_block_fallbacks == 1U);
        BOOST_TEST(s.helper_operations == writes);
    }

    // The other direction is none the worse for it.
    for (std::size_t i = 0; i != writes; ++i)
        f.start(file, true, i * block_size);
    run_again(f.context);
    BOOST_TEST(f.statistics().helper_operations == s.helper_operations);
    f.check();
}

BOOST_AUTO_TEST_CASE(buffered_writes_arrive)
{
    constexpr std::size_t writes = 100;
    const temporary_file target;
    would_block_fixture f;
    kaio::random_access_file file = f.open(target, kaio::file_base::read_write);
    for (std::size_t i = 0; i != writes; ++i)
        f.start(file, false, i * 5000, 5000);
    run(f.context);
    f.check();
    const bool equal = target.contents() == pattern(0, writes * 5000);
    BOOST_TEST(equal);
}

BOOST_AUTO_TEST_CASE(synchronous_buffered_writes_stay_off_the_loop)
{
    const temporary_file target(16 * block_size);
    would_block_fixture f;
    for (const kaio::file_base::flags how :
         {kaio::file_base::sync_all_on_write, kaio::file_base::sync_data_on_write})
    {
        kaio::random_access_file file = f.open(target, kaio::file_base::read_write | how);
        for (std::size_t i = 0; i != 8; ++i)
            f.start(file, false, i * block_size);
        run_again(f.context);
    }
    BOOST_TEST(f.statistics().helper_operations == 16U);
    BOOST_TEST(f.statistics().submit_calls == 0U);

    kaio::random_access_file file = f.open(target, kaio::file_base::read_write);
    kaio::io_options options;
    options.data_sync = true;
    f.start(file, false, 0, block_size, options);
    options = {};
    options.sync = true;
    f.start(file, false, block_size, block_size, options);
    run_again(f.context);
    BOOST_TEST(f.statistics().helper_operations == 18U);
    BOOST_TEST(f.statistics().submit_calls == 0U);
    f.check();
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(direct)

BOOST_AUTO_TEST_CASE(extending_writes_are_submitted_off_the_loop)
{
    if (!direct_io_available())
        return skip("no direct I/O in " + directory());
    constexpr std::size_t writes = 64;
    const temporary_file target;
    would_block_fixture f;
    kaio::random_access_file file =
        f.open(target, kaio::file_base::read_write | kaio::file_base::direct);
    for (std::size_t i = 0; i != writes; ++i)
        f.start(file, false, i * block_size);
    run(f.context);
    f.check();
    const bool equal = target.contents() == pattern(0, writes * block_size);
    BOOST_TEST(equal);
    if (f.statistics().kernel_aio)
    {
        BOOST_TEST(f.statistics().would_block_fallbacks > 0U);
        BOOST_TEST(f.statistics().helper_submissions > 0U);
        BOOST_TEST(f.statistics().helper_operations == 0U);
    }
}

BOOST_AUTO_TEST_CASE(extending_writes_go_one_after_the_other)
{
    if (!direct_io_available())
        return skip("no direct I/O in " + directory());
    constexpr std::size_t writes = 200;
    const temporary_file target;
    would_block_fixture f;
    kaio::random_access_file file =
        f.open(target, kaio::file_base::read_write | kaio::file_base::direct);
    for (std::size_t i = 0; i != writes; ++i)
    {
        transfer& t = f.start(file, false, i * block_size);
        run_again(f.context);
        BOOST_REQUIRE(t.result.succeeded(block_size));
        BOOST_TEST(file.size() == (i + 1) * block_size);
    }
    f.check();
    // A file that always refuses is seldom asked.
    BOOST_TEST(f.statistics().would_block_fallbacks < writes / 4);
}

BOOST_AUTO_TEST_CASE(reads_stay_on_the_loop)
{
    if (!direct_io_available())
        return skip("no direct I/O in " + directory());
    constexpr std::size_t blocks = 64;
    const temporary_file target(blocks * block_size);
    struct statfs file_system = {};
    ::statfs(target.c_str(), &file_system);
    would_block_fixture f;
    if (!f.statistics().kernel_aio || file_system.f_type != ext4_magic)
        return skip("needs AIO and ext4");
    kaio::random_access_file file =
        f.open(target, kaio::file_base::read_only | kaio::file_base::direct);
    for (std::size_t i = 0; i != blocks; ++i)
        f.start(file, true, i * block_size);
    run(f.context);
    f.check();
    BOOST_TEST(f.statistics().helper_operations == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

const refusal refusals[] = {refusal::event_eagain, refusal::event_eopnotsupp,
                            refusal::submit_eopnotsupp};

} // namespace

BOOST_AUTO_TEST_SUITE(refused)

BOOST_DATA_TEST_CASE(operations_started_at_once_survive_refusals,
                     data::make(refusals) * data::make(transfer_modes()) *
                         data::make({true, false}),
                     how, mode, is_read)
{
    constexpr std::size_t count = 300;
    const temporary_file target(is_read ? count * block_size : 0);
    const temporary_file other(std::string(count * block_size, '-'));
    refusing_kernel kernel(how);
    would_block_fixture f;
    if (!f.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file =
        f.open(is_read ? target : other, kaio::file_base::read_write | mode);
    for (std::size_t i = 0; i != count; ++i)
        f.start(file, is_read, i * block_size);
    run(f.context);
    f.check();
    const kaio::service_statistics s = f.statistics();
    BOOST_TEST(s.would_block_fallbacks == kernel.attempts());
    BOOST_TEST(s.would_block_fallbacks > 0U);
    BOOST_TEST(
        (mode == transfer_mode::direct ? s.helper_submissions : s.helper_operations) == count, s);
    BOOST_TEST(s.operations_failed == 0U);
    const bool equal = (is_read ? target : other).contents() == pattern(0, count * block_size);
    BOOST_TEST(equal);
}

BOOST_DATA_TEST_CASE(operations_started_one_by_one_survive_refusals,
                     data::make(refusals) * data::make(transfer_modes()) *
                         data::make({true, false}),
                     how, mode, is_read)
{
    constexpr std::size_t count = 200;
    const temporary_file target(count * block_size);
    refusing_kernel kernel(how);
    would_block_fixture f;
    if (!f.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file = f.open(target, kaio::file_base::read_write | mode);
    for (std::size_t i = 0; i != count; ++i)
    {
        f.start(file, is_read, i * block_size);
        run_again(f.context);
    }
    f.check();
    // A flag that is unknown isn't tried again. What would block now may not later.
    if (how == refusal::event_eagain)
    {
        BOOST_TEST(kernel.attempts() > 2U);
        BOOST_TEST(kernel.attempts() < count / 5);
    }
    else
    {
        BOOST_TEST(kernel.attempts() == 1U);
    }
    BOOST_TEST(f.statistics().would_block_fallbacks == kernel.attempts());

    // The other direction is asked for itself.
    const std::size_t before = kernel.attempts();
    f.start(file, !is_read, 0);
    run_again(f.context);
    BOOST_TEST(kernel.attempts() == before + 1);
    f.check();
}

// A block device says EAGAIN when its queue is full: what it has now makes room for the rest, which
// waits its turn instead of going elsewhere.
class full_device
{
public:
    explicit full_device(std::size_t room) : room_(room)
    {
    }

    std::size_t refusals() const
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        return refusals_;
    }

private:
    int submit(::aio_context_t kernel, long count, ::iocb** blocks)
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        for (long i = 0; i != count; ++i)
        {
            ::iocb block = *blocks[i];
            ::iocb* one[] = {&block};
            if (accepted_.size() < room_ || (block.aio_rw_flags & RWF_NOWAIT) == 0)
            {
                accepted_.insert(block.aio_data);
            }
            else
            {
                refused_.insert(block.aio_data);
                block.aio_nbytes = 0;
                ++refusals_;
            }
            const int result = kernel_submit(kernel, 1, one);
            if (result != 1)
                return i != 0 ? static_cast<int>(i) : result;
        }
        return static_cast<int>(count);
    }

    int get_events(::aio_context_t kernel, long minimum, long maximum, ::io_event* events,
                   ::timespec* timeout)
    {
        const int count = kernel_get_events(kernel, minimum, maximum, events, timeout);
        const std::lock_guard<std::mutex> lock(mutex_);
        // Refusals are there at once, whatever the device has done meanwhile.
        std::stable_partition(events, events + std::max(count, 0), [&](const ::io_event& event) {
            return refused_.count(event.data) != 0;
        });
        for (int i = 0; i < count; ++i)
        {
            if (refused_.erase(events[i].data) != 0)
                events[i].res = -EAGAIN;
            else
                accepted_.erase(events[i].data);
        }
        return count;
    }

    const std::size_t room_;

    // After a submission that took long, a thread makes the next one.
    mutable std::mutex mutex_;
    std::set<std::uint64_t> accepted_;
    std::set<std::uint64_t> refused_;
    std::size_t refusals_ = 0;

    const without_ring no_ring_;
    const interposed_submit submit_{[this](::aio_context_t kernel, long count, ::iocb** blocks) {
        return submit(kernel, count, blocks);
    }};
    const interposed_get_events get_events_{[this](::aio_context_t kernel, long minimum,
                                                   long maximum, ::io_event* events,
                                                   ::timespec* timeout) {
        return get_events(kernel, minimum, maximum, events, timeout);
    }};
};

BOOST_AUTO_TEST_CASE(a_device_whose_queue_is_full)
{
    if (!is_root())
        return skip("needs root");
    if (!why_no_loop_device().empty())
        return skip(why_no_loop_device());
    constexpr std::size_t count = 200;
    const temporary_file image(pattern(0, count * block_size));
    const loop_device disk(image.path());
    full_device device(4);
    kaio::service_options options;
    options.max_in_flight = 16; // All events come in one call.
    would_block_fixture f(options);
    if (!f.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file(f.context, disk.path(),
                                  kaio::file_base::read_only | kaio::file_base::direct);
    for (std::size_t i = 0; i != count; ++i)
        f.start(file, true, i * block_size);
    run(f.context);
    f.check();
    BOOST_TEST(device.refusals() > 0U);
    BOOST_TEST(device.refusals() < 2 * count); // 3 of 4 attempts, if nothing were learned.
    BOOST_TEST(f.statistics().would_block_fallbacks == 0U);
    BOOST_TEST(f.statistics().helper_operations == 0U);
}

BOOST_DATA_TEST_CASE(until_it_works_again, data::make(transfer_modes()), mode)
{
    constexpr std::size_t count = 200;
    const temporary_file target(block_size);
    refusing_kernel kernel(refusal::event_eagain);
    would_block_fixture f;
    if (!f.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file = f.open(target, kaio::file_base::read_only | mode);
    f.read_one_by_one(file, count);
    kernel.relent();
    f.read_one_by_one(file, count);
    const std::uint64_t off_loop =
        f.statistics().helper_operations + f.statistics().helper_submissions;
    f.read_one_by_one(file, count);
    // But for a submission that was interrupted for longer than a millisecond, and what follows it.
    BOOST_TEST(f.statistics().helper_operations + f.statistics().helper_submissions <
               off_loop + count / 2);

    // Old refusals count no more: one new refusal makes attempts only a little rarer.
    kernel.relent(false);
    const std::size_t before = kernel.attempts();
    f.read_one_by_one(file, 12);
    BOOST_TEST(kernel.attempts() - before > 1U);
    f.check();
}

BOOST_DATA_TEST_CASE(no_wait_is_not_learned_from,
                     data::make({refusal::event_eagain, refusal::submit_eopnotsupp}), how)
{
    const temporary_file target(block_size);
    refusing_kernel kernel(how);
    would_block_fixture f;
    if (!f.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file = f.open(target, kaio::file_base::read_only);
    kaio::io_options options;
    options.no_wait = true;
    for (int i = 0; i != 5; ++i)
    {
        f.start(file, true, 0, block_size, options);
        run_again(f.context);
        BOOST_TEST(f.transfers.back().result.failed(
            system_error(how == refusal::event_eagain ? EAGAIN : EOPNOTSUPP)));
        f.transfers.clear();
    }
    BOOST_TEST(f.statistics().would_block_fallbacks == 0U);
    kernel.relent();
    f.start(file, true, 0);
    run_again(f.context);
    BOOST_TEST(stayed_on_loop(f.statistics()));
    f.check();
}

// Without threads the loop itself has to wait, but everything gets done.
BOOST_DATA_TEST_CASE(without_helper_threads, data::make(refusals) * data::make(transfer_modes()),
                     how, mode)
{
    constexpr std::size_t count = 100;
    const temporary_file target(count * block_size);
    refusing_kernel kernel(how);
    kaio::service_options options;
    options.helper_threads = 0;
    options.max_in_flight = 7;
    would_block_fixture f(options);
    if (!f.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file = f.open(target, kaio::file_base::read_write | mode);
    for (std::size_t i = 0; i != count; ++i)
        f.start(file, i % 2 == 0, i * block_size);
    run(f.context);
    f.check();
}

BOOST_DATA_TEST_CASE(one_operation_without_helper_threads,
                     data::make(refusals) * data::make(transfer_modes()), how, mode)
{
    const temporary_file target(block_size);
    refusing_kernel kernel(how);
    kaio::service_options options;
    options.helper_threads = 0;
    would_block_fixture f(options);
    if (!f.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file = f.open(target, kaio::file_base::read_only | mode);
    f.start(file, true, 0);
    run(f.context);
    f.check();
}

// Operations of one file that run one at a time keep their order on any path.
BOOST_DATA_TEST_CASE(serial_operations_keep_their_order_on_any_path, data::make(refusals), how)
{
    constexpr std::size_t count = 50;
    const temporary_file target;
    refusing_kernel kernel(how);
    would_block_fixture f;
    kaio::random_access_file file =
        f.open(target, kaio::file_base::write_only | kaio::file_base::append);
    for (std::size_t i = 0; i != count; ++i)
        f.start(file, false, i * 1000, 1000);
    run(f.context);
    f.check();
    const bool equal = target.contents() == pattern(0, count * 1000);
    BOOST_TEST(equal);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(submission)

// Files and kernels that have no asynchronous reads: the synchronous call decides.
BOOST_DATA_TEST_CASE(an_unknown_command_is_not_tried_again,
                     data::make({EINVAL, ENOSYS}) * data::make(transfer_modes()), error, mode)
{
    constexpr std::size_t count = 20;
    const temporary_file target(count * block_size);
    const failing_kernel kernel(error);
    would_block_fixture f;
    if (!f.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file = f.open(target, kaio::file_base::read_write | mode);
    f.start(file, true, 0);
    run(f.context);
    BOOST_TEST(kernel.calls() == 1U);
    if (mode == transfer_mode::buffered)
    {
        // One direction says nothing of the other.
        f.start(file, false, 0);
        run_again(f.context);
    }
    const std::size_t calls = kernel.calls();
    BOOST_TEST(calls <= 2U);
    for (std::size_t i = 0; i != count; ++i)
        f.start(file, i % 2 == 0, i * block_size);
    run_again(f.context);
    f.check();
    // Now it is known.
    BOOST_TEST(kernel.calls() == calls);
    BOOST_TEST(f.statistics().helper_operations == f.statistics().operations_started);
}

// An error of an option says nothing of transfers without it.
BOOST_AUTO_TEST_CASE(an_unknown_option_says_nothing_of_others,
                     *boost::unit_test::precondition(&tries_reads))
{
    const temporary_file target(block_size);
    std::optional<failing_kernel> kernel(EINVAL);
    would_block_fixture f;
    if (!f.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file = f.open(target, kaio::file_base::read_only);
    kaio::io_options options;
    options.uncached = true;
    f.start(file, true, 0, block_size, options);
    run(f.context);
    BOOST_TEST(kernel->calls() == 1U);
    kernel.reset();
    f.start(file, true, 0);
    run_again(f.context);
    BOOST_TEST(f.transfers.back().right());
    BOOST_TEST(f.statistics().loop_tries == 2U);
    BOOST_TEST(f.statistics().would_block_fallbacks == 1U);
}

// Other errors are those of the operation.
BOOST_DATA_TEST_CASE(an_error_is_that_of_one_operation, data::make(transfer_modes()), mode)
{
    const temporary_file target(block_size);
    const failing_kernel kernel(EACCES);
    would_block_fixture f;
    if (!f.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file = f.open(target, kaio::file_base::read_only | mode);
    const transfer& t = f.start(file, true, 0);
    run(f.context);
    BOOST_TEST(t.result.failed(system_error(EACCES)), t.result);
    BOOST_TEST(f.statistics().operations_failed == 1U);
}

// The loop's call may transfer a part. A helper goes on behind it, and its error doesn't undo that
// part.
BOOST_TEST_DECORATOR(*boost::unit_test::precondition(&tries_reads))
BOOST_DATA_TEST_CASE(a_helper_goes_on_behind_what_the_loop_has_transferred,
                     data::make({1, 2, 3}) * data::make({false, true}), buffer_count, helper_fails)
{
    constexpr std::size_t first = 1000;
    const temporary_file target(std::string(2 * block_size, '-'));
    const interposed_call loop_hook(
        [&](long number, int descriptor, const ::iovec* buffers, long, ::off_t offset, int flags) {
            const ::iovec part{buffers->iov_base, first};
            return kernel_call(number, descriptor, &part, 1, offset, flags & ~RWF_NOWAIT);
        });
    std::atomic<::off_t> went_on_at{0};
    const interposed_write helper_hook(
        [&](int descriptor, const ::iovec* buffers, int n, ::off_t offset, int flags) -> ::ssize_t {
            went_on_at = offset;
            if (!helper_fails)
                return kernel_write(descriptor, buffers, n, offset, flags);
            errno = ENOSPC;
            return -1;
        });
    would_block_fixture f;
    if (!f.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file = f.open(target, kaio::file_base::write_only);

    const std::string text = pattern(0, block_size);
    std::vector<asio::const_buffer> buffers;
    const std::size_t size = block_size / static_cast<std::size_t>(buffer_count);
    for (int i = 0; i != buffer_count; ++i)
        buffers.push_back(asio::buffer(text.data() + static_cast<std::size_t>(i) * size, size));
    const std::size_t all = asio::buffer_size(buffers);
    outcome written;
    file.async_write_some_at(50, buffers, record_in(written));
    run(f.context);
    const std::size_t expected = helper_fails ? first : all;
    BOOST_TEST(written.succeeded(expected), written);
    BOOST_TEST(went_on_at == 50 + static_cast<::off_t>(first));
    const std::string content = std::string(50, '-') + text.substr(0, expected) +
                                std::string(2 * block_size - 50 - expected, '-');
    BOOST_TEST((target.contents() == content));
}

// A call that a signal has interrupted is made again.
BOOST_AUTO_TEST_CASE(interrupted_calls_are_made_again,
                     *boost::unit_test::precondition(&tries_reads))
{
    const temporary_file target(block_size);
    int calls = 0;
    const interposed_call hook([&](long number, int descriptor, const ::iovec* buffers, long n,
                                   ::off_t offset, int flags) {
        if (++calls == 3)
            return kernel_call(number, descriptor, buffers, n, offset, flags);
        errno = EINTR;
        return -1L;
    });
    would_block_fixture f;
    if (!f.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file = f.open(target, kaio::file_base::read_only);
    f.start(file, true, 0);
    run(f.context);
    f.check();
    BOOST_TEST(calls == 3);
    BOOST_TEST(f.statistics().loop_tries == 1U);
}

// After a call that holds the loop up for long, the loop makes no more of them.
BOOST_AUTO_TEST_CASE(calls_that_block_are_not_followed_by_more,
                     *boost::unit_test::precondition(&tries_reads))
{
    constexpr std::size_t count = 20;
    const temporary_file target(count * block_size);
    int calls = 0;
    const around_the_kernel hook([&] {
        ++calls;
        const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(30);
        while (std::chrono::steady_clock::now() < end)
        {
        }
    });
    would_block_fixture f;
    if (!f.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file = f.open(target, kaio::file_base::read_only);
    for (std::size_t i = 0; i != count; ++i)
        f.start(file, true, i * block_size);
    f.context.run_one();
    BOOST_TEST(calls == 1);
    BOOST_TEST(consistent(f.statistics()), f.statistics());
    run(f.context);
    f.check();
    BOOST_TEST(calls < 10);
}

// A call that takes longer than a millisecond has waited.
BOOST_DATA_TEST_CASE(that_blocks_is_a_refusal, data::make(transfer_modes()), mode)
{
    constexpr std::size_t count = 200;
    const temporary_file target(count * block_size);
    const std::thread::id loop = std::this_thread::get_id();
    std::atomic<std::size_t> on_loop{0};
    const auto delay = std::chrono::milliseconds(2);
    const around_the_kernel hook([&] {
        if (std::this_thread::get_id() != loop)
            return;
        ++on_loop;
        const auto end = std::chrono::steady_clock::now() + delay;
        while (std::chrono::steady_clock::now() < end)
        {
        }
    });
    would_block_fixture f;
    if (!f.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file = f.open(target, kaio::file_base::read_only | mode);
    for (std::size_t i = 0; i != count; ++i)
    {
        f.start(file, true, i * block_size);
        run_again(f.context);
    }
    f.check();
    BOOST_TEST(on_loop > 2U);
    BOOST_TEST(on_loop < count / 5);
    BOOST_TEST((f.statistics().longest_submit >= delay));
    BOOST_TEST((mode == transfer_mode::direct
                    ? f.statistics().helper_submissions
                    : f.statistics().helper_operations) == count - on_loop);
}

// A kernel that takes operations and keeps them for a while.
class holding_kernel
{
public:
    // The first of all operations is taken, and for the others there is no room.
    int submit(::aio_context_t kernel, long count, ::iocb** blocks)
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        ++calls_;
        if (released_)
            return kernel_submit(kernel, count, blocks);
        if (taken_)
            return -EAGAIN;
        taken_ = true;
        kernel_ = kernel;
        held_ = *blocks[0];
        return 1;
    }

    void release()
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        released_ = true;
        ::iocb* one[] = {&held_};
        BOOST_REQUIRE(kernel_submit(kernel_, 1, one) == 1);
    }

    std::size_t calls() const
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        return calls_;
    }

private:
    mutable std::mutex mutex_;
    ::aio_context_t kernel_ = 0;
    ::iocb held_ = {};
    bool taken_ = false;
    bool released_ = false;
    std::size_t calls_ = 0;
};

// A full queue is waited for, by the loop and by threads, not asked again and again.
BOOST_DATA_TEST_CASE(the_loop_waits_for_room_in_the_kernel, data::make({false, true}), on_thread)
{
    if (!direct_io_available())
        return skip("no direct I/O in " + directory());
    constexpr std::size_t count = 20;
    const temporary_file target(count * block_size);
    holding_kernel kernel;
    const interposed_submit hook(
        [&](::aio_context_t k, long n, ::iocb** blocks) { return kernel.submit(k, n, blocks); });
    kaio::service_options options;
    options.submission =
        on_thread ? kaio::submission_mode::on_thread : kaio::submission_mode::on_loop;
    would_block_fixture f(options);
    if (!f.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file =
        f.open(target, kaio::file_base::read_only | kaio::file_base::direct);
    for (std::size_t i = 0; i != count; ++i)
        f.start(file, true, i * block_size);

    // Time enough for a hundred thousand calls.
    f.context.run_for(std::chrono::milliseconds(100));
    BOOST_TEST(kernel.calls() < 20U);
    BOOST_TEST(f.statistics().operations_completed == 0U);
    kernel.release();
    run_again(f.context);
    f.check();
    BOOST_TEST(f.statistics().helper_operations == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
