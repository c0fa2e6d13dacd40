//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// A context is at work from the moment at which an operation was started until its handler has been
// called, whatever other threads do with other files at that moment.

#include <sys/eventfd.h>

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/blocked_helper.hpp"
#include "support/run.hpp"
#include "support/scale.hpp"
#include "support/temporary_file.hpp"

namespace asio = boost::asio;

using boost::system::error_code;
using kaio::file_base;
using kaio::random_access_file;

using namespace kaio::test;

namespace {

// A thread that does something at the moment at which this one begins something else.
class other_thread
{
public:
    using clock = std::chrono::steady_clock;

    explicit other_thread(std::function<void()> act)
      : act_(std::move(act)), thread_([this] { run(); })
    {
    }

    other_thread(const other_thread&) = delete;
    other_thread& operator=(const other_thread&) = delete;

    ~other_thread()
    {
        over_ = true;
        thread_.join();
    }

    /// Both go on from here, each a little earlier or later than the other from round to round.
    void meet()
    {
        ++round_;
        wait_until([this] { return arrived_ == round_; });
        const auto moment = clock::now().time_since_epoch() + std::chrono::microseconds(1);
        moment_ = moment.count();
        pass_until(moment + std::chrono::nanoseconds(round_ % 16 * 50));
    }

    /// The other thread has done its part of this round.
    void wait()
    {
        wait_until([this] { return done_ == round_; });
    }

    /// Without a sleep, and without a look at what other threads write.
    static void pass(clock::duration time)
    {
        pass_until(clock::now().time_since_epoch() + time);
    }

private:
    static void pass_until(clock::duration moment)
    {
        while (clock::now().time_since_epoch() < moment)
        {
        }
    }

    void run()
    {
        for (std::size_t round = 1;; ++round)
        {
            while (round_ != round)
            {
                if (over_)
                    return;
                std::this_thread::yield();
            }
            moment_ = 0;
            arrived_ = round;
            // No longer than the other thread takes to see that.
            clock::rep moment = 0;
            for (int looks = 1; (moment = moment_) == 0 && !over_; ++looks)
            {
                if (looks % 1000 == 0)
                    std::this_thread::yield();
            }
            pass_until(clock::duration(moment) + std::chrono::nanoseconds(round / 16 % 16 * 50));
            act_();
            done_ = round;
        }
    }

    const std::function<void()> act_;
    std::atomic<bool> over_{false};
    std::atomic<std::size_t> round_{0};
    std::atomic<std::size_t> arrived_{0};
    std::atomic<clock::rep> moment_{0};
    std::atomic<std::size_t> done_{0};
    std::thread thread_;
};

// A file of one thread, and whether the handler of its last operation has been called.
template <typename Context>
class reader
{
public:
    explicit reader(Context& context) : file_(context, on_disk().path(), file_base::read_only)
    {
    }

    void start()
    {
        done_ = false;
        file_.async_read_some_at(0, asio::buffer(text_),
                                 [this](error_code, std::size_t) { done_ = true; });
    }

    bool done() const
    {
        return done_;
    }

private:
    static const temporary_file& on_disk()
    {
        static const temporary_file result{std::size_t(512)};
        return result;
    }

    random_access_file file_;
    std::string text_ = std::string(512, '\0');
    std::atomic<bool> done_{true};
};

// Rounds up to a number, as far as there is time for them, and what was seen in them.
class rounds
{
public:
    explicit rounds(std::size_t most) : most_(scaled(most, 100))
    {
    }

    bool next()
    {
        if (begun_ == most_ || clock::now() > end_)
            return false;
        ++begun_;
        return true;
    }

    /// Whether the handler had been called when the context had no work left.
    void returned(bool done)
    {
        early_ += !done;
    }

    ~rounds()
    {
        BOOST_TEST(begun_ != 0u);
        BOOST_TEST(early_ == 0u,
                   "no work was left too early in " << early_ << " of " << begun_ << " rounds");
    }

private:
    using clock = std::chrono::steady_clock;

    const std::size_t most_;
    const clock::time_point end_ = clock::now() + std::chrono::milliseconds(scaled(2500, 250));
    std::size_t begun_ = 0;
    std::size_t early_ = 0;
};

// Looks first without a clock: what another thread is about to do takes no longer than that.
void run_at_once(asio::io_context& context)
{
    context.poll();
    if (!context.stopped())
        run(context);
}

// All other operations end before the next round begins.
void finish(asio::io_context& context, other_thread& other)
{
    other.wait();
    run_again(context);
    context.restart();
}

} // namespace

BOOST_AUTO_TEST_SUITE(outstanding_work)

BOOST_AUTO_TEST_CASE(started_while_another_thread_starts)
{
    asio::io_context context;
    reader<asio::io_context> here(context);
    reader<asio::io_context> there(context);
    other_thread other([&] { there.start(); });

    rounds r(200000);
    while (r.next())
    {
        other.meet();
        here.start();
        run_at_once(context);
        r.returned(here.done());
        finish(context, other);
        BOOST_REQUIRE((here.done() && there.done()));
    }
}

BOOST_AUTO_TEST_CASE(started_by_a_handler_while_another_thread_starts)
{
    asio::io_context context;
    reader<asio::io_context> here(context);
    reader<asio::io_context> there(context);
    other_thread other([&] { there.start(); });

    rounds r(200000);
    while (r.next())
    {
        asio::post(context, [&] {
            other.meet();
            here.start();
        });
        run(context);
        r.returned(here.done());
        finish(context, other);
        BOOST_REQUIRE((here.done() && there.done()));
    }
}

BOOST_AUTO_TEST_CASE(started_on_a_pool_while_another_thread_starts)
{
    using pool_reader = reader<asio::thread_pool>;
    struct pool_of_a_round
    {
        asio::thread_pool pool{1};
        pool_reader here{pool};
        pool_reader there{pool};
    };
    // It takes 30 ms to destroy one, but no longer to destroy many at a time.
    constexpr std::size_t at_a_time = 64;
    std::vector<std::unique_ptr<pool_of_a_round>> pools;
    const auto destroy = [&] {
        std::vector<std::thread> threads;
        for (auto& pool : pools)
            threads.emplace_back([&pool] { pool.reset(); });
        for (std::thread& thread : threads)
            thread.join();
        pools.clear();
    };

    other_thread other([&] { pools.back()->there.start(); });
    rounds r(2000);
    while (r.next())
    {
        pools.push_back(std::make_unique<pool_of_a_round>());
        pool_of_a_round& current = *pools.back();
        other.meet();
        current.here.start();
        current.pool.join();
        r.returned(current.here.done());
        other.wait();
        if (pools.size() == at_a_time)
            destroy();
    }
    destroy();
}

namespace {

// Two operations for one helper thread: the second one waits until it is cancelled or the first one
// has come to an end.
class waiting_operations
{
public:
    explicit waiting_operations(asio::io_context& context)
      : first_(context), second_(context, on_disk_.path(), file_base::read_write)
    {
        // A read of it waits for a count.
        first_.assign(::eventfd(0, EFD_CLOEXEC));
    }

    template <typename Function>
    void start(Function&& when_the_first_is_done)
    {
        done_ = 0;
        first_.async_read_some(asio::buffer(&count_, sizeof(count_)),
                               [this, when_the_first_is_done](error_code ec, std::size_t) {
                                   failed_ = failed_ || ec;
                                   ++done_;
                                   when_the_first_is_done();
                               });
        second_.async_resize(
            0, asio::bind_cancellation_slot(signal_.slot(), [this](error_code) { ++done_; }));
    }

    void let_the_first_end()
    {
        ::eventfd_write(first_.native_handle(), 1);
    }

    void cancel_file()
    {
        second_.cancel();
    }

    void cancel_by_slot()
    {
        signal_.emit(asio::cancellation_type::terminal);
    }

    bool done() const
    {
        return done_ == 2 && !failed_;
    }

private:
    temporary_file on_disk_;
    kaio::stream_file first_;
    random_access_file second_;
    std::uint64_t count_ = 0;
    asio::cancellation_signal signal_;
    std::atomic<int> done_{0};
    std::atomic<bool> failed_{false};
};

// This thread starts a read when one operation has ended, while another thread cancels the next
// one.
void cancel_while_starting(const std::function<void(waiting_operations&)>& cancel)
{
    asio::io_context context;
    kaio::service_options options;
    options.helper_threads = 1;
    kaio::make_aio_service(context, options);
    reader<asio::io_context> here(context);
    waiting_operations there(context);
    std::size_t round = 0;
    other_thread other([&] {
        there.let_the_first_end();
        other_thread::pass(std::chrono::nanoseconds(++round % 512 * 50));
        cancel(there);
    });

    rounds r(5000);
    while (r.next())
    {
        there.start([&] { asio::post(context, [&] { here.start(); }); });
        other.meet();
        run_at_once(context);
        r.returned(here.done());
        finish(context, other);
        BOOST_REQUIRE((here.done() && there.done()));
    }
}

} // namespace

BOOST_AUTO_TEST_CASE(started_while_another_thread_cancels_a_file)
{
    cancel_while_starting([](waiting_operations& w) { w.cancel_file(); });
}

BOOST_AUTO_TEST_CASE(started_while_another_thread_cancels_by_slot)
{
    cancel_while_starting([](waiting_operations& w) { w.cancel_by_slot(); });
}

BOOST_AUTO_TEST_SUITE_END()
