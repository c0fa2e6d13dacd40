//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Turns belong to the execution context. Which executor its first file has makes no difference, and
// no thread that is held up keeps the other threads of the context from what they could do.

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/require.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <future>
#include <kaio/kaio.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/blocked_helper.hpp"
#include "support/gate.hpp"
#include "support/interposed_io.hpp"
#include "support/needs_aio.hpp"
#include "support/outcome.hpp"
#include "support/plain_outcome.hpp"
#include "support/run.hpp"
#include "support/scale.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"
#include "support/tracking_executor.hpp"

namespace asio = boost::asio;
using namespace kaio::test;
using boost::system::error_code;
using kaio::file_base;
using kaio::random_access_file;

namespace {

/// A queue of functions that the program calls when it likes.
class function_queue
{
public:
    void push(std::function<void()> f)
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        functions_.push_back(std::move(f));
    }

    std::size_t size() const
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        return functions_.size();
    }

    void run()
    {
        for (;;)
        {
            std::function<void()> f;
            {
                const std::lock_guard<std::mutex> lock(mutex_);
                if (functions_.empty())
                    return;
                f = std::move(functions_.front());
                functions_.pop_front();
            }
            f();
        }
    }

private:
    mutable std::mutex mutex_;
    std::deque<std::function<void()>> functions_;
};

/// Belongs to a context, but has a queue of its own. @c Context is how it gives its context.
template <typename Context>
class queue_executor
{
public:
    queue_executor(Context& context, function_queue& queue) noexcept
      : context_(&context), queue_(&queue)
    {
    }

    Context& query(asio::execution::context_t) const noexcept
    {
        return *context_;
    }

    static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept
    {
        return asio::execution::blocking.never;
    }

    template <typename Function>
    void execute(Function&& f) const
    {
        auto shared = std::make_shared<std::decay_t<Function>>(std::forward<Function>(f));
        queue_->push([shared] { std::move (*shared)(); });
    }

    friend bool operator==(const queue_executor& a, const queue_executor& b) noexcept
    {
        return a.context_ == b.context_ && a.queue_ == b.queue_;
    }

    friend bool operator!=(const queue_executor& a, const queue_executor& b) noexcept
    {
        return !(a == b);
    }

private:
    Context* context_;
    function_queue* queue_;
};

struct fixture : context_fixture
{
    temporary_file on_disk{std::size_t(1 << 16)};
    std::string text = std::string(100, '\0');

    void check_that_a_file_works()
    {
        random_access_file file(context, on_disk.path(), file_base::read_only);
        outcome result;
        std::string buffer(100, '\0');
        file.async_read_some_at(10, asio::buffer(buffer), record_in(result));
        run_again(context);
        BOOST_CHECK(result.succeeded(100));
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(the_first_executor, fixture)

BOOST_AUTO_TEST_CASE(may_count_work)
{
    {
        const auto tracked =
            asio::require(context.get_executor(), asio::execution::outstanding_work.tracked);
        random_access_file file(tracked, on_disk.path(), file_base::read_only);
        outcome result;
        file.async_read_some_at(0, asio::buffer(text), record_in(result));
        run_until(context, [&] { return result.calls == 1; });
    }
    run_again(context);
}

BOOST_AUTO_TEST_CASE(may_count_work_on_a_thread_pool)
{
    asio::thread_pool pool(2);
    {
        const auto tracked =
            asio::require(pool.get_executor(), asio::execution::outstanding_work.tracked);
        random_access_file file(tracked, on_disk.path(), file_base::read_only);
        BOOST_TEST(file.async_read_some_at(0, asio::buffer(text), asio::use_future).get() == 100U);
    }
    std::promise<void> joined;
    std::thread joins([&] {
        pool.join();
        joined.set_value();
    });
    const bool in_time = joined.get_future().wait_for(time_bound) == std::future_status::ready;
    BOOST_TEST(in_time);
    if (!in_time)
        pool.stop();
    joins.join();
}

template <typename Context>
void check_queue(fixture& f)
{
    {
        function_queue queue;
        const queue_executor<Context> executor(f.context, queue);
        random_access_file file(executor, f.on_disk.path(), file_base::read_only);
        outcome result;
        file.async_read_some_at(0, asio::buffer(f.text), record_in(result));
        // The context completes the operation; the handler then waits in its own queue.
        run_until(f.context, [&] { return queue.size() != 0; });
        BOOST_TEST(result.calls == 0);
        queue.run();
        BOOST_CHECK(result.succeeded(100));
        f.check_that_a_file_works();
    }
    // The queue and its executor are gone.
    f.check_that_a_file_works();
    random_access_file file(f.context, f.on_disk.path(), file_base::read_only);
    outcome result;
    file.async_read_some_at(0, asio::buffer(f.text), record_in(result));
    file.cancel();
    run_again(f.context);
    BOOST_TEST(result.calls == 1);
}

BOOST_AUTO_TEST_CASE(may_have_a_queue_of_its_own)
{
    check_queue<asio::io_context>(*this);
}

BOOST_AUTO_TEST_CASE(may_have_a_queue_of_its_own_and_not_know_its_context)
{
    check_queue<asio::execution_context>(*this);
}

BOOST_AUTO_TEST_CASE(may_be_of_a_type_that_file_knows)
{
    function_queue queue;
    using executor_type = queue_executor<asio::io_context>;
    kaio::basic_random_access_file<executor_type> file(executor_type(context, queue),
                                                       on_disk.path(), file_base::read_only);
    outcome result;
    file.async_read_some_at(0, asio::buffer(text), record_in(result));
    run_until(context, [&] { return queue.size() != 0; });
    queue.run();
    BOOST_CHECK(result.succeeded(100));
}

BOOST_AUTO_TEST_CASE(may_be_a_strand_of_any_executor)
{
    const auto strand = asio::make_strand(tracking_executor(1, context.get_executor()));
    random_access_file on_strand(strand, on_disk.path(), file_base::read_only);
    random_access_file other(context, on_disk.path(), file_base::read_only);
    std::promise<void> other_completed;
    bool met = false;
    std::string other_text(100, '\0');
    on_strand.async_read_some_at(0, asio::buffer(text), [&](error_code, std::size_t) {
        asio::post(context, [&] {
            other.async_read_some_at(0, asio::buffer(other_text),
                                     [&](error_code, std::size_t) { other_completed.set_value(); });
        });
        met = other_completed.get_future().wait_for(std::chrono::seconds(20)) ==
              std::future_status::ready;
    });
    run_on_threads(context, 2);
    BOOST_TEST(met);
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

/// An execution context of which Asio and kaio know nothing. It calls functions on a thread of its
/// own.
class foreign_context : public asio::execution_context
{
public:
    foreign_context() = default;

    // The posted functions are destroyed before the objects that they refer to.
    ~foreign_context()
    {
        thread_->stop();
        thread_->join();
        shutdown();
        thread_.reset();
        destroy();
    }

    class executor_type
    {
    public:
        explicit executor_type(foreign_context& context) noexcept : context_(&context)
        {
        }

        foreign_context& query(asio::execution::context_t) const noexcept
        {
            return *context_;
        }

        static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept
        {
            return asio::execution::blocking.never;
        }

        template <typename Function>
        void execute(Function&& f) const
        {
            asio::post(*context_->thread_, std::forward<Function>(f));
        }

        friend bool operator==(const executor_type& a, const executor_type& b) noexcept
        {
            return a.context_ == b.context_;
        }

        friend bool operator!=(const executor_type& a, const executor_type& b) noexcept
        {
            return a.context_ != b.context_;
        }

    private:
        foreign_context* context_;
    };

    executor_type get_executor() noexcept
    {
        return executor_type(*this);
    }

private:
    std::optional<asio::thread_pool> thread_{std::in_place, 1U};
};

/// Reads that start one another until their handlers are destroyed.
class chain
{
public:
    chain(std::shared_ptr<random_access_file> file, std::atomic<int>& handlers)
      : file_(std::move(file)), buffer_(std::make_shared<kaio::aligned_buffer>(4096)),
        alive_(handlers)
    {
    }

    void start() &&
    {
        random_access_file& file = *file_;
        const asio::mutable_buffer buffer = *buffer_;
        file.async_read_some_at(0, buffer, std::move(*this));
    }

    void operator()(error_code ec, std::size_t)
    {
        if (!ec)
            std::move(*this).start();
    }

private:
    class counted
    {
    public:
        explicit counted(std::atomic<int>& count) : count_(&count)
        {
            ++*count_;
        }

        counted(counted&& other) noexcept : count_(std::exchange(other.count_, nullptr))
        {
        }

        counted& operator=(counted&&) = delete;

        ~counted()
        {
            if (count_)
                --*count_;
        }

    private:
        std::atomic<int>* count_;
    };

    std::shared_ptr<random_access_file> file_;
    std::shared_ptr<kaio::aligned_buffer> buffer_;
    counted alive_;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_context_of_ones_own_works)
{
    const temporary_file on_disk(std::size_t(1 << 16));
    foreign_context context;
    std::vector<std::thread> threads;
    std::atomic<std::size_t> wrong{0};
    constexpr std::size_t thread_count = 3;
    threads.reserve(thread_count);
    for (std::size_t t = 0; t != thread_count; ++t)
    {
        threads.emplace_back([&] {
            random_access_file file(context, on_disk.path(), file_base::read_only);
            for (std::size_t i = 0; i != scaled(500, 50); ++i)
            {
                std::string text(100, '\0');
                auto read = file.async_read_some_at(i, asio::buffer(text), asio::use_future);
                if (read.wait_for(time_bound) != std::future_status::ready)
                    std::terminate(); // The buffer can't be given up.
                wrong += read.get() != 100 || text != pattern(i, 100);
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    BOOST_TEST(wrong == 0U);
}

// Asio's thread still runs turns when such a context begins to be destroyed.
BOOST_AUTO_TEST_CASE(a_context_of_ones_own_may_be_destroyed_with_operations_outstanding)
{
    const temporary_file on_disk(std::size_t(1 << 16));
    const file_base::flags flags =
        direct_io_available() ? file_base::read_only | file_base::direct : file_base::read_only;
    std::atomic<int> handlers{0};
    for (std::size_t i = 0; i != scaled(200, 40); ++i)
    {
        foreign_context context;
        std::promise<void> started;
        asio::post(context.get_executor(), [&] {
            const auto file = std::make_shared<random_access_file>(context, on_disk.path(), flags);
            for (int n = 0; n != 32; ++n)
                chain(file, handlers).start();
            started.set_value();
        });
        started.get_future().wait();
        for (std::atomic<std::size_t> n{0}; n != i % 8 * 20000; ++n)
        {
        }
    }
    BOOST_TEST(handlers == 0);
}

namespace {

struct two_files : context_fixture
{
    two_files()
    {
        kaio::service_options options;
        options.max_batch = 1;
        kaio::make_aio_service(context, options);
    }

    temporary_file fast_on_disk{std::size_t(1 << 16)};
    temporary_file slow_on_disk{std::size_t(1 << 16)};
    kaio::aligned_buffer fast_buffer{4096, 4096};
    kaio::aligned_buffer slow_buffer{4096, 4096};
};

} // namespace

// Without helper threads one thread of the context opens a file, which may take long. Another has
// nothing to do until then.
BOOST_AUTO_TEST_CASE(a_thread_with_nothing_to_do_begins_no_turns)
{
    asio::io_context context;
    kaio::service_options options;
    options.helper_threads = 0;
    const kaio::aio_service& service = kaio::make_aio_service(context, options);
    const temporary_file slow_on_disk(std::size_t(100));
    held_open held(slow_on_disk.path());
    if (!held.works())
        return skip("no leases here");
    kaio::random_access_file slow(context);
    kaio::random_access_file waiting(context);
    outcome slow_opened;
    outcome waiting_opened;
    slow.async_open(slow_on_disk.path(), file_base::read_only, record_plain_in(slow_opened));
    waiting.async_open(slow_on_disk.path(), file_base::read_only, record_plain_in(waiting_opened));
    std::thread opener([&] { context.run_for(time_bound); });
    wait_until([&] { return service.statistics().helper_operations == 1; });
    constexpr int plenty = 1000;
    int turns = 0;
    while (turns != plenty && context.poll_one() != 0)
        ++turns;
    BOOST_TEST(turns < plenty);
    held.release();
    opener.join();
    BOOST_TEST(context.stopped());
    BOOST_TEST(slow_opened.succeeded(0), slow_opened);
    BOOST_TEST(waiting_opened.succeeded(0), waiting_opened);
}

BOOST_FIXTURE_TEST_SUITE(a_thread_that_is_held_up, two_files,
                         *boost::unit_test::precondition(needs_aio))

BOOST_AUTO_TEST_CASE(in_a_submission_leaves_others_to_see_to_the_rest)
{
    random_access_file fast(context, fast_on_disk.path(), file_base::read_only | file_base::direct);
    random_access_file slow(context, slow_on_disk.path(), file_base::read_only | file_base::direct);
    gate fast_one_done;
    std::atomic<bool> in_time{false};
    interposed_submit hook([&](::aio_context_t c, long count, ::iocb** blocks) {
        if (static_cast<int>(blocks[0]->aio_fildes) == slow.native_handle())
            in_time = fast_one_done.pass_within(std::chrono::seconds(20));
        return kernel_submit(c, count, blocks);
    });
    outcome slow_read, fast_read;
    fast.async_read_some_at(0, asio::buffer(fast_buffer), [&](error_code ec, std::size_t n) {
        record_in{fast_read}(ec, n);
        fast_one_done.open();
    });
    slow.async_read_some_at(0, asio::buffer(slow_buffer), record_in(slow_read));
    run_on_threads(context, 2);
    BOOST_TEST(in_time);
    BOOST_CHECK(fast_read.succeeded(4096));
    BOOST_CHECK(slow_read.succeeded(4096));
}

BOOST_AUTO_TEST_CASE(in_a_read_from_the_page_cache_leaves_others_to_see_to_the_rest)
{
    random_access_file fast(context, fast_on_disk.path(), file_base::read_only | file_base::direct);
    random_access_file slow(context, slow_on_disk.path(), file_base::read_only);
    gate fast_one_done;
    std::atomic<bool> in_time{false};
    interposed_call hook([&](long number, int descriptor, const ::iovec* buffers, long count,
                             ::off_t offset, int flags) {
        if (descriptor == slow.native_handle())
            in_time = fast_one_done.pass_within(std::chrono::seconds(20));
        return kernel_call(number, descriptor, buffers, count, offset, flags);
    });
    outcome slow_read, fast_read;
    fast.async_read_some_at(0, asio::buffer(fast_buffer), [&](error_code ec, std::size_t n) {
        record_in{fast_read}(ec, n);
        fast_one_done.open();
    });
    slow.async_read_some_at(0, asio::buffer(slow_buffer), record_in(slow_read));
    run_on_threads(context, 2);
    BOOST_TEST(in_time);
    BOOST_CHECK(fast_read.succeeded(4096));
    BOOST_CHECK(slow_read.succeeded(4096));
}

BOOST_AUTO_TEST_SUITE_END()
