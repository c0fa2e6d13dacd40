//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// A stream file whose descriptor somebody else writes to by a duplicate, for as long as it takes:
// the
// kernel lets nobody else see the position meanwhile.

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <deque>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include <kaio/kaio.hpp>

#include "support/block_size.hpp"
#include "support/blocked_helper.hpp"
#include "support/fuse_server.hpp"
#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using namespace kaio::test;

using kaio::file_base;
using std::chrono::steady_clock;

namespace {

// No longer than this does anything take that doesn't wait.
constexpr std::chrono::seconds soon(10);

std::string why_not()
{
    return is_root() ? fuse_file_system::why_not() : "needs root";
}

template <typename Condition>
bool comes_true(Condition condition)
{
    const auto end = steady_clock::now() + soon;
    while (!condition())
    {
        if (steady_clock::now() > end)
            return false;
        std::this_thread::yield();
    }
    return true;
}

// Whether a thread sleeps in a seek.
bool somebody_seeks()
{
    const std::string seek = std::to_string(SYS_lseek) + ' ';
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task"))
    {
        std::ifstream file(task.path() / "syscall");
        std::string text;
        std::getline(file, text);
        if (text.compare(0, seek.size(), seek) == 0)
            return true;
    }
    return false;
}

// A thread of a context.
class loop_thread
{
public:
    explicit loop_thread(asio::io_context& context)
      : thread_([&context] { context.run_for(time_bound); })
    {
    }

    ~loop_thread()
    {
        thread_.join();
    }

private:
    std::thread thread_;
};

// All calls in the file system end with this object, even if the test fails.
struct shared_fixture
{
    shared_fixture()
    {
        private_mounts();
        fuse = std::make_unique<fuse_file_system>(true);
    }

    ~shared_fixture()
    {
        let_go();
        context.restart();
        context.run_for(time_bound);
        BOOST_CHECK_MESSAGE(context.stopped(), "work is left at the end of the test");
    }

    void open(transfer_mode mode)
    {
        file.open(fuse->path("hung"), file_base::read_write | mode);
        std::string all(fuse_file_system::file_size, '\0');
        if (mode == transfer_mode::buffered)
            BOOST_REQUIRE(::pread(file.native_handle(), all.data(), all.size(), 0) > 0);
    }

    // Have another thread hold the position.
    void hold()
    {
        duplicate = ::dup(file.native_handle());
        fuse->hold();
        holder = std::async(std::launch::async, [this] {
            aligned_memory zeros(block_size);
            return ::write(duplicate, zeros.data(), block_size) ==
                   static_cast<::ssize_t>(block_size);
        });
        BOOST_REQUIRE(comes_true([&] { return fuse->held() != 0; }));
    }

    void let_go()
    {
        fuse->release();
        if (!holder.valid())
            return;
        BOOST_TEST(holder.get());
        ::close(duplicate);
    }

    // Start a read of the file.
    outcome& read()
    {
        results.emplace_back();
        memory.emplace_back(block_size);
        file.async_read_some(asio::buffer(memory.back().data(), block_size),
                             record_in(results.back()));
        return results.back();
    }

    std::unique_ptr<fuse_file_system> fuse;
    std::deque<aligned_memory> memory;
    std::deque<outcome> results;
    std::future<bool> holder;
    int duplicate = -1;
    asio::io_context context;
    kaio::stream_file file{context};
};

const transfer_mode modes[] = {transfer_mode::buffered, transfer_mode::direct};

// Nobody but the thread that has to waits for a position.
void check_that_others_go_on(transfer_mode mode)
{
    if (!why_not().empty())
        return skip(why_not());
    shared_fixture f;
    f.open(mode);
    const temporary_file target(block_size);
    kaio::random_access_file other(f.context, target.path(), file_base::read_only);
    std::string text(block_size, '\0');
    outcome from_other;

    f.hold();
    outcome& from_shared = f.read();
    auto work = asio::make_work_guard(f.context);
    bool gone_on = false;
    {
        loop_thread first(f.context);
        BOOST_TEST(comes_true(somebody_seeks));
        loop_thread second(f.context);
        std::thread starter(
            [&] { other.async_read_some_at(0, asio::buffer(text), record_in(from_other)); });
        gone_on = comes_true([&] { return from_other.calls != 0; });
        BOOST_TEST(from_shared.calls == 0);
        f.let_go();
        starter.join();
        work.reset();
    }
    BOOST_TEST(gone_on);
    BOOST_TEST(from_other.succeeded(block_size), from_other);
    BOOST_TEST(from_shared.succeeded(block_size), from_shared);
    // It took place behind what the other thread wrote.
    const bool right = f.memory.front().text() == pattern(block_size, block_size);
    BOOST_TEST(right);
    BOOST_TEST(f.file.seek(0, file_base::seek_cur) == 2 * block_size);
}

// A seek that has waited once is left to the helpers, so that the loop goes on.
void check_that_the_loop_learns(transfer_mode mode)
{
    if (!why_not().empty())
        return skip(why_not());
    shared_fixture f;
    f.open(mode);
    f.hold();
    outcome& first = f.read();
    auto work = asio::make_work_guard(f.context);
    bool gone_on = false;
    {
        loop_thread loop(f.context);
        BOOST_TEST(comes_true(somebody_seeks));
        // Long enough to be noticed.
        const auto begin = steady_clock::now();
        while (steady_clock::now() < begin + std::chrono::milliseconds(5))
            std::this_thread::yield();
        f.let_go();
        BOOST_TEST(comes_true([&] { return first.calls != 0; }));

        f.hold();
        outcome& second = f.read();
        std::atomic<bool> called{false};
        asio::post(f.context, [&] { asio::post(f.context, [&] { called = true; }); });
        gone_on = comes_true([&] { return called.load(); });
        BOOST_TEST(second.calls == 0);
        f.let_go();
        BOOST_TEST(comes_true([&] { return second.calls != 0; }));
        work.reset();
    }
    BOOST_TEST(gone_on);
    // Without Linux AIO a helper has made the seek.
    const auto statistics = asio::use_service<kaio::aio_service>(f.context).statistics();
    if (statistics.kernel_aio)
        BOOST_TEST(statistics.longest_submit.count() >= 5'000'000);
    for (std::size_t i = 0; i != 2; ++i)
    {
        BOOST_TEST(f.results[i].succeeded(block_size), f.results[i]);
        const bool right = f.memory[i].text() == pattern((2 * i + 1) * block_size, block_size);
        BOOST_TEST(right);
    }
    BOOST_TEST(f.file.seek(0, file_base::seek_cur) == 4 * block_size);
}

} // namespace

BOOST_AUTO_TEST_SUITE(shared_position)

BOOST_DATA_TEST_CASE(others_go_on, data::make(modes), mode)
{
    check_that_others_go_on(mode);
}

BOOST_DATA_TEST_CASE(the_loop_waits_no_second_time, data::make(modes), mode)
{
    check_that_the_loop_learns(mode);
}

BOOST_AUTO_TEST_SUITE_END()
