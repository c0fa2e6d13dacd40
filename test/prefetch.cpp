//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Of the reads that wait for a thread the kernel is told beforehand, so that it fetches them.

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <deque>
#include <dlfcn.h>
#include <functional>
#include <future>
#include <iostream>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/block_size.hpp"
#include "support/blocked_helper.hpp"
#include "support/gate.hpp"
#include "support/needs_aio.hpp"
#include "support/outcome.hpp"
#include "support/page_cache.hpp"
#include "support/refusing_kernel.hpp"
#include "support/run.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;

using namespace kaio::test;

using kaio::file_base;

namespace {

struct prefetch_call
{
    int descriptor;
    std::int64_t offset;
    std::int64_t length;

    friend bool operator==(const prefetch_call& a, const prefetch_call& b)
    {
        return a.descriptor == b.descriptor && a.offset == b.offset && a.length == b.length;
    }

    friend std::ostream& operator<<(std::ostream& os, const prefetch_call& a)
    {
        return os << a.length << " bytes at " << a.offset << " of " << a.descriptor;
    }
};

// The advice that the kernel was given, in order, and a function to call then.
std::mutex mutex;
std::vector<prefetch_call> prefetched;
std::function<void(const prefetch_call&)> on_prefetch;

std::vector<prefetch_call> take_prefetched()
{
    const std::lock_guard<std::mutex> lock(mutex);
    return std::move(prefetched);
}

// A thread may be about to do what was to be done before.
void on_each_prefetch(std::function<void(const prefetch_call&)> what)
{
    const std::lock_guard<std::mutex> lock(mutex);
    on_prefetch.swap(what);
}

// Holds the threads that tell the kernel of certain reads, until it is destroyed.
class held_prefetches
{
public:
    template <typename Predicate>
    explicit held_prefetches(Predicate which)
    {
        on_each_prefetch([gate = gate_, which](const prefetch_call& a) {
            if (!which(a))
                return;
            gate->pass();
        });
    }

    held_prefetches(const held_prefetches&) = delete;
    held_prefetches& operator=(const held_prefetches&) = delete;

    ~held_prefetches()
    {
        on_each_prefetch(nullptr);
        gate_->open();
    }

    void wait_for_one() const
    {
        wait_until([this] { return gate_->arrived() != 0; });
    }

private:
    const std::shared_ptr<gate> gate_ = std::make_shared<gate>();
};

// Whether cold reads come from a device here.
boost::test_tools::assertion_result on_device(boost::unit_test::test_unit_id)
{
    static const bool result = [] {
        struct stat status;
        struct statfs file_system;
        const bool known = ::stat(directory().c_str(), &status) == 0 &&
                           ::statfs(directory().c_str(), &file_system) == 0 &&
                           file_system.f_type != 0x65735546 &&
                           (major(status.st_dev) != 0 || file_system.f_type == BTRFS_SUPER_MAGIC ||
                            file_system.f_type == OVERLAYFS_SUPER_MAGIC);
        if (!known)
            std::cerr << "SKIPPED: " << directory() << " is not on a device" << std::endl;
        return known;
    }();
    return result;
}

std::size_t size_of(std::size_t count)
{
    return count * 8 * block_size;
}

// Far from each other.
std::uint64_t offset(std::size_t index)
{
    return size_of(index);
}

prefetch_call expected(kaio::random_access_file& file, std::size_t index,
                       std::size_t size = block_size)
{
    return {file.native_handle(), static_cast<std::int64_t>(offset(index)),
            static_cast<std::int64_t>(size)};
}

// A kernel that has nothing at hand, and threads, one if nothing else is said.
struct fixture
{
    explicit fixture(std::size_t threads = 1) : service(make_service(context, threads))
    {
        take_prefetched();
    }

    fixture(const fixture&) = delete;
    fixture& operator=(const fixture&) = delete;

    ~fixture()
    {
        blocker.reset();
        context.restart();
        context.run_for(time_bound);
        BOOST_CHECK_MESSAGE(context.stopped(), "work is left at the end of the test");
        on_each_prefetch(nullptr);
    }

    static kaio::aio_service& make_service(asio::io_context& context, std::size_t threads)
    {
        kaio::service_options options;
        options.helper_threads = threads;
        return kaio::make_aio_service(context, options);
    }

    kaio::random_access_file open(const temporary_file& target,
                                  file_base::flags flags = file_base::read_only)
    {
        return kaio::random_access_file(context, target.path(), flags);
    }

    // Keep the only thread from what is started.
    void hold_thread()
    {
        blocker = std::make_unique<blocked_helper>(context);
    }

    void read(kaio::random_access_file& file, std::size_t index, std::size_t size = block_size,
              const kaio::io_options& how = {})
    {
        memory.emplace_back(size, '\0');
        results.emplace_back();
        file.async_read_some_at(offset(index), asio::buffer(memory.back()), how,
                                record_in(results.back()));
    }

    void read_range(kaio::random_access_file& file, std::size_t first, std::size_t last)
    {
        for (std::size_t i = first; i != last; ++i)
            read(file, i);
    }

    // Have the loop do with what was started what it can.
    void let_all_wait()
    {
        context.restart();
        wait_until([&] {
            context.poll();
            const kaio::service_statistics s = service.statistics();
            return s.queued + 1 == s.outstanding;
        });
    }

    void run_all()
    {
        let_all_wait();
        blocker.reset();
        run_again(context);
    }

    void expect_all_read(std::size_t size = block_size)
    {
        for (const outcome& o : results)
            BOOST_TEST(o.succeeded(size), o);
    }

    void expect(const std::vector<prefetch_call>& wanted)
    {
        BOOST_TEST(take_prefetched() == wanted, boost::test_tools::per_element());
    }

    refusing_kernel kernel{refusal::event_eagain};
    std::deque<std::string> memory;
    std::deque<outcome> results;
    asio::io_context context;
    kaio::aio_service& service;
    std::unique_ptr<blocked_helper> blocker;
};

struct five_threads : fixture
{
    five_threads() : fixture(5)
    {
    }
};

} // namespace

extern "C" int posix_fadvise(int descriptor, ::off_t offset, ::off_t length, int advice) noexcept
{
    using function = int (*)(int, ::off_t, ::off_t, int);
    static const auto next = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "posix_fadvise"));
    if (advice == POSIX_FADV_WILLNEED)
    {
        const prefetch_call a{descriptor, offset, length};
        std::unique_lock<std::mutex> lock(mutex);
        prefetched.push_back(a);
        const auto what = on_prefetch;
        lock.unlock();
        if (what)
            what(a);
    }
    return next(descriptor, offset, length, advice);
}

BOOST_FIXTURE_TEST_SUITE(prefetching, fixture,
                         *boost::unit_test::precondition(&on_device) *
                             boost::unit_test::precondition(&needs_aio) *
                             boost::unit_test::precondition(&tries_reads))

// In the order started, and of none twice.
BOOST_AUTO_TEST_CASE(tells_of_what_waits)
{
    const temporary_file target(size_of(5));
    kaio::random_access_file file = open(target);
    hold_thread();
    read_range(file, 0, 5);
    run_all();
    expect_all_read();
    expect({expected(file, 0), expected(file, 1), expected(file, 2), expected(file, 3),
            expected(file, 4)});
    BOOST_TEST(service.statistics().prefetched_reads == 5U);
}

BOOST_AUTO_TEST_CASE(says_nothing_of_a_read_alone)
{
    const temporary_file target(size_of(3));
    kaio::random_access_file file = open(target);
    for (std::size_t i = 0; i != 3; ++i)
    {
        read(file, i);
        run_again(context);
    }
    expect_all_read();
    expect({});
    BOOST_TEST(service.statistics().prefetched_reads == 0U);
}

// All of them before the first is read.
BOOST_AUTO_TEST_CASE(has_the_kernel_fetch_them)
{
    constexpr std::size_t count = 10;
    const temporary_file target(size_of(count));
    if (!drop_from_page_cache(target.path()))
        return skip("the page cache keeps the file");
    kaio::random_access_file file = open(target);
    std::size_t cached = 0;
    on_each_prefetch([&](const prefetch_call& a) {
        if (!(a == expected(file, count - 1)))
            return;
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (cached < count - 1 && std::chrono::steady_clock::now() < end)
            cached = cached_pages(target.path());
    });
    hold_thread();
    read_range(file, 0, count);
    run_all();
    expect_all_read();
    BOOST_TEST(cached >= count - 1);
    for (std::size_t i = 0; i != count; ++i)
        BOOST_TEST((memory[i] == pattern(offset(i), block_size)));
}

BOOST_AUTO_TEST_CASE(it_bounds_what_is_prefetched)
{
    constexpr std::size_t count = 200;
    constexpr std::size_t most = 64;
    const temporary_file target(size_of(count));
    kaio::random_access_file file = open(target);
    std::size_t seen = 0;
    hold_thread();
    const std::uint64_t before = service.statistics().helper_operations;
    on_each_prefetch([&](const prefetch_call&) {
        const kaio::service_statistics s = service.statistics();
        seen = std::max<std::size_t>(seen, s.prefetched_reads - (s.helper_operations - before));
    });
    read_range(file, 0, count);
    run_all();
    expect_all_read();
    BOOST_TEST(seen == most);
    std::vector<prefetch_call> all;
    for (std::size_t i = 0; i != count; ++i)
        all.push_back(expected(file, i));
    expect(all);
}

// Cancelled operations make room for others.
BOOST_AUTO_TEST_CASE(forgets_what_is_cancelled)
{
    constexpr std::size_t count = 100;
    const temporary_file target(size_of(2 * count));
    kaio::random_access_file file = open(target);
    hold_thread();
    read_range(file, 0, count);
    let_all_wait();
    {
        const prefetch_call last = expected(file, 70);
        const held_prefetches held([=](const prefetch_call& a) { return a == last; });
        blocker.reset();
        held.wait_for_one();
        file.cancel();
    }
    run_again(context);
    BOOST_TEST(results.back().aborted());
    take_prefetched();
    results.clear();

    hold_thread();
    read_range(file, count, 2 * count);
    run_all();
    expect_all_read();
    BOOST_TEST(take_prefetched().size() == count);
}

BOOST_AUTO_TEST_CASE(says_nothing_of_writes)
{
    const temporary_file target(size_of(10));
    kaio::random_access_file file = open(target, file_base::read_write);
    const std::string block(block_size, 'x');
    hold_thread();
    for (std::size_t i = 0; i != 10; ++i)
    {
        if (i % 3 == 0)
            read(file, i);
        else
            file.async_write_some_at(
                offset(i), asio::buffer(block),
                [](boost::system::error_code ec, std::size_t) { BOOST_TEST(!ec); });
    }
    run_all();
    expect_all_read();
    expect({expected(file, 0), expected(file, 3), expected(file, 6), expected(file, 9)});
}

// The kernel would fetch what has a priority as anything else, and keep what is not to be kept.
BOOST_AUTO_TEST_CASE(says_nothing_of_reads_with_options)
{
    const without_ring by_system_call;
    const temporary_file target(size_of(5));
    kaio::random_access_file file = open(target);
    hold_thread();
    for (std::size_t i = 0; i != 5; ++i)
        read(file, i, block_size, by_io_submit());
    run_all();
    expect_all_read();
    expect({});
}

BOOST_AUTO_TEST_CASE(says_nothing_of_long_reads)
{
    constexpr std::size_t longest = std::size_t(256) << 10;
    const temporary_file target(size_of(5) + longest);
    kaio::random_access_file file = open(target);
    hold_thread();
    for (std::size_t i = 0; i != 5; ++i)
        read(file, i, longest + i % 2);
    run_all();
    expect({expected(file, 0, longest), expected(file, 2, longest), expected(file, 4, longest)});
}

// Files without a device are not prefetched.
BOOST_AUTO_TEST_CASE(says_nothing_of_pseudo_files)
{
    kaio::random_access_file file(context, "/proc/version", file_base::read_only);
    hold_thread();
    for (std::size_t i = 0; i != 5; ++i)
        file.async_read_some_at(i, asio::buffer(memory.emplace_back(1, '\0')),
                                [](boost::system::error_code ec, std::size_t) { BOOST_TEST(!ec); });
    run_all();
    expect({});
}

// Where nothing is refused nothing has to be fetched.
BOOST_AUTO_TEST_CASE(says_nothing_of_what_is_cached)
{
    kaio::service_options options;
    options.submission = kaio::submission_mode::on_thread;
    asio::io_context loop;
    const kaio::aio_service& service_of_loop = kaio::make_aio_service(loop, options);
    const temporary_file target(size_of(100));
    kaio::random_access_file file(loop, target.path(), file_base::read_only);
    read_range(file, 0, 100);
    run(loop);
    expect_all_read();
    expect({});
    BOOST_TEST(service_of_loop.statistics().helper_operations == 100U);
}

BOOST_AUTO_TEST_CASE(tells_of_all_files_in_turn)
{
    constexpr std::size_t count = 12;
    const temporary_file target(size_of(2));
    std::vector<kaio::random_access_file> files;
    for (std::size_t i = 0; i != count; ++i)
        files.push_back(open(target));
    hold_thread();
    for (kaio::random_access_file& file : files)
        read_range(file, 0, 2);
    run_all();
    expect_all_read();
    const std::vector<prefetch_call> all = take_prefetched();
    BOOST_REQUIRE(all.size() == 2 * count);
    for (kaio::random_access_file& file : files)
    {
        BOOST_TEST(std::count(all.begin(), all.end(), expected(file, 0)) == 1);
        BOOST_TEST(std::count(all.begin(), all.end(), expected(file, 1)) == 1);
    }
    std::set<int> first;
    for (std::size_t i = 0; i != count; ++i)
        first.insert(all[i].descriptor);
    BOOST_TEST(first.size() == count);
}

// The advice may hang as well. Only reads of the same file may hang with it.
BOOST_FIXTURE_TEST_CASE(a_file_that_hangs_leaves_a_thread_to_others, five_threads)
{
    constexpr std::size_t count = 100;
    const temporary_file target(size_of(count));
    kaio::random_access_file hanging = open(target);
    kaio::random_access_file others[] = {open(target), open(target)};
    // All threads are there, and wait to be called.
    read_range(hanging, 0, count);
    run_again(context);
    results.clear();
    context.restart();
    {
        const held_prefetches held([number = hanging.native_handle()](const prefetch_call& a) {
            return a.descriptor == number;
        });
        read_range(hanging, 0, count);
        for (kaio::random_access_file& other : others)
            read_range(other, 0, count);
        run_until(context, [&] {
            return std::all_of(results.begin() + count, results.end(),
                               [](const outcome& o) { return o.calls != 0; });
        });
        held.wait_for_one();
    }
    run_again(context);
    expect_all_read();
}

// Its number stands for nothing else as long as the kernel is being told of it.
BOOST_AUTO_TEST_CASE(keeps_the_descriptor_of_a_file_that_is_closed)
{
    const temporary_file target(size_of(2));
    kaio::random_access_file file = open(target);
    const int number = file.native_handle();
    hold_thread();
    read_range(file, 0, 2);
    let_all_wait();
    {
        const held_prefetches held([](const prefetch_call&) { return true; });
        blocker.reset();
        held.wait_for_one();
        file.close();
        kaio::random_access_file another = open(target);
        BOOST_TEST(another.native_handle() != number);
    }
    run_again(context);
    for (const outcome& o : results)
        BOOST_TEST(o.aborted(), o);
}

BOOST_AUTO_TEST_SUITE_END()
