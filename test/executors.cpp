//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/test/unit_test.hpp>
#include <future>
#include <kaio/kaio.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/gate.hpp"
#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/scale.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"
#include "support/tracking_executor.hpp"

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace kaio::test;
using kaio::file_base;
using kaio::random_access_file;

struct fixture : context_fixture
{
    temporary_file on_disk{std::size_t(1000)};
    std::string text = std::string(100, '\0');

    // A handler that says where it ran.
    auto at(int executor, outcome& result, bool& there)
    {
        return [&result, &there, executor](error_code ec, std::size_t n) {
            there = running_on(executor);
            record_in{result}(ec, n);
        };
    }
};

BOOST_FIXTURE_TEST_SUITE(executors, fixture)

template <typename File>
void check_runs_on(fixture& f, File& file, int executor)
{
    outcome read, write, empty, refused, unreadable;
    bool read_there = false, write_there = false, empty_there = false, refused_there = false;
    bool unreadable_there = false;
    random_access_file closed(f.context);
    initiate([&] {
        file.async_read_some_at(10, asio::buffer(f.text), f.at(executor, read, read_there));
        file.async_write_some_at(900, asio::buffer("text", 4), f.at(executor, write, write_there));
        file.async_read_some_at(0, asio::mutable_buffer(), f.at(executor, empty, empty_there));
        file.async_read_some_at(~std::uint64_t(0), asio::buffer(f.text),
                                f.at(executor, refused, refused_there));
        file.async_read_some_at(2000, asio::buffer(f.text),
                                f.at(executor, unreadable, unreadable_there));
    });
    run_again(f.context);
    BOOST_CHECK(read.succeeded(100));
    BOOST_CHECK(write.succeeded(4));
    BOOST_CHECK(empty.succeeded(0));
    BOOST_CHECK(refused.failed(asio::error::invalid_argument));
    BOOST_CHECK(unreadable.failed(asio::error::eof));
    BOOST_TEST(read_there);
    BOOST_TEST(write_there);
    BOOST_TEST(empty_there);
    BOOST_TEST(refused_there);
    BOOST_TEST(unreadable_there);
}

BOOST_AUTO_TEST_CASE(handlers_run_on_the_executor_of_the_file)
{
    using tracked = tracking_executor<asio::io_context::executor_type>;
    const tracked executor(1, context.get_executor());
    kaio::basic_random_access_file<tracked> file(executor, on_disk.path(), file_base::read_write);
    check_runs_on(*this, file, 1);

    random_access_file erased(executor, on_disk.path(), file_base::read_write);
    check_runs_on(*this, erased, 1);

    kaio::basic_random_access_file<asio::strand<tracked>> on_strand(
        asio::make_strand(executor), on_disk.path(), file_base::read_write);
    check_runs_on(*this, on_strand, 1);
}

// Made of the context's own executor without a word, as one may be that a program wraps around it.
struct converted_executor : tracking_executor<asio::io_context::executor_type>
{
    converted_executor(const asio::io_context::executor_type& inner) noexcept
      : tracking_executor(3, inner)
    {
    }
};

BOOST_AUTO_TEST_CASE(handlers_run_on_the_executor_that_a_file_has_after_a_move)
{
    using own = kaio::basic_random_access_file<asio::io_context::executor_type>;
    own first(context, on_disk.path(), file_base::read_write);
    kaio::basic_random_access_file<converted_executor> constructed(std::move(first));
    check_runs_on(*this, constructed, 3);

    own second(context, on_disk.path(), file_base::read_write);
    kaio::basic_random_access_file<converted_executor> assigned(context.get_executor());
    assigned = std::move(second);
    check_runs_on(*this, assigned, 3);
}

BOOST_AUTO_TEST_CASE(handlers_run_on_their_own_executor)
{
    const tracking_executor for_file(1, context.get_executor());
    const tracking_executor for_handler(2, asio::make_strand(context));
    random_access_file file(for_file, on_disk.path(), file_base::read_write);
    outcome read, empty, refused;
    bool read_there = false, empty_there = false, refused_there = false;
    initiate([&] {
        file.async_read_some_at(10, asio::buffer(text),
                                asio::bind_executor(for_handler, at(2, read, read_there)));
        file.async_read_some_at(0, asio::mutable_buffer(),
                                asio::bind_executor(for_handler, at(2, empty, empty_there)));
        file.async_write_some_at(~std::uint64_t(0), asio::buffer(text),
                                 asio::bind_executor(for_handler, at(2, refused, refused_there)));
    });
    run(context);
    BOOST_CHECK(read.succeeded(100));
    BOOST_CHECK(empty.succeeded(0));
    BOOST_CHECK(refused.failed(asio::error::invalid_argument));
    BOOST_TEST(read_there);
    BOOST_TEST(empty_there);
    BOOST_TEST(refused_there);
}

BOOST_AUTO_TEST_CASE(no_handler_runs_inside_the_initiating_function)
{
    // Started within a handler, on the executor on which the next would be allowed to run.
    random_access_file file(context, on_disk.path(), file_base::read_write);
    random_access_file closed(context);
    std::vector<outcome> results(8);
    std::size_t next = 0;
    const auto record = [&] { return record_in(results[next++]); };
    asio::post(context, [&] {
        const initiation_guard guard;
        file.async_read_some_at(0, asio::buffer(text), record());
        file.async_write_some_at(0, asio::buffer(text, 1), record());
        file.async_read_some_at(5000, asio::buffer(text), record());
        file.async_read_some_at(0, asio::mutable_buffer(), record());
        file.async_read_some_at(~std::uint64_t(0), asio::buffer(text), record());
        closed.async_read_some_at(0, asio::buffer(text), record());
        file.async_read_some_at(0, asio::buffer(text), record());
        file.cancel();
        file.async_read_some_at(0, asio::buffer(text), record());
        file.close();
    });
    run(context);
    for (const outcome& result : results)
    {
        BOOST_TEST(result.calls == 1);
        BOOST_TEST(!result.inline_call);
    }
}

BOOST_AUTO_TEST_CASE(a_handler_bound_to_another_context_runs_there)
{
    context_fixture other;
    random_access_file file(context, on_disk.path(), file_base::read_only);
    for (const bool immediate : {false, true})
    {
        outcome result;
        std::thread::id ran_on;
        const asio::mutable_buffer buffer = immediate ? asio::mutable_buffer() : asio::buffer(text);
        file.async_read_some_at(
            0, buffer, asio::bind_executor(other.context, [&](error_code ec, std::size_t n) {
                ran_on = std::this_thread::get_id();
                record_in{result}(ec, n);
            }));

        // The other context has work as long as the operation is outstanding, and only then.
        std::thread other_thread([&] {
            other.context.restart();
            other.context.run_for(time_bound);
        });
        const std::thread::id expected = other_thread.get_id();
        run_again(context);
        other_thread.join();
        BOOST_TEST(result.calls == 1);
        BOOST_TEST(!result.ec);
        BOOST_CHECK(ran_on == expected);
    }
}

BOOST_AUTO_TEST_CASE(the_other_context_stays_busy_while_an_operation_is_outstanding)
{
    asio::io_context other;
    outcome result;
    {
        random_access_file file(context, on_disk.path(), file_base::read_only);
        file.async_read_some_at(0, asio::buffer(text),
                                asio::bind_executor(other, record_in(result)));
        other.poll();
        BOOST_TEST(!other.stopped());
        run(context);
        BOOST_TEST(result.calls == 0);
        BOOST_TEST(!other.stopped());
        run(other);
        BOOST_CHECK(result.succeeded(100));
    }
}

BOOST_AUTO_TEST_CASE(the_context_of_the_file_stays_busy_while_an_operation_is_outstanding)
{
    asio::io_context other;
    outcome result;
    random_access_file file(context, on_disk.path(), file_base::read_only);
    file.async_read_some_at(0, asio::buffer(text), asio::bind_executor(other, record_in(result)));
    BOOST_TEST(run(context) != 0u);
    run(other);
    BOOST_CHECK(result.succeeded(100));
}

BOOST_AUTO_TEST_CASE(a_file_whose_executor_counts_work_itself)
{
    // An executor of which kaio knows nothing: the work is told to it, and it is let go again.
    using tracked = tracking_executor<asio::io_context::executor_type>;
    kaio::basic_random_access_file<tracked> file(tracked(1, context.get_executor()), on_disk.path(),
                                                 file_base::read_only);
    outcome result;
    file.async_read_some_at(0, asio::buffer(text), record_in(result));
    run(context);
    BOOST_CHECK(result.succeeded(100));
}

BOOST_AUTO_TEST_CASE(a_thread_pool_runs_handlers)
{
    const std::size_t count = scaled(500, 50);
    temporary_file f(count * 100);
    std::vector<std::string> texts(count, std::string(100, '\0'));
    std::vector<outcome> results(count);
    {
        asio::thread_pool pool(2);
        random_access_file file(pool, f.path(), file_base::read_only);
        for (std::size_t i = 0; i != count; ++i)
            file.async_read_some_at(i * 100, asio::buffer(texts[i]), record_in(results[i]));
        pool.join();
    }
    for (std::size_t i = 0; i != count; ++i)
    {
        BOOST_CHECK(results[i].succeeded(100));
        BOOST_CHECK(texts[i] == pattern(i * 100, 100));
    }
}

// Chains of reads, several side by side, each on a strand of its own.
class chains
{
public:
    chains(asio::io_context& context, const temporary_file& on_disk, std::size_t count,
           std::size_t length)
      : length_(length)
    {
        for (std::size_t i = 0; i != count; ++i)
            all_.push_back(std::make_unique<chain>(context, on_disk));
    }

    void start()
    {
        for (const auto& c : all_)
        {
            const initiation_guard guard;
            next(*c);
        }
    }

    std::size_t errors() const
    {
        std::size_t result = 0;
        for (const auto& c : all_)
            result += c->done != length_ || c->wrong;
        return result;
    }

private:
    struct chain
    {
        chain(asio::io_context& context, const temporary_file& on_disk)
          : file(asio::make_strand(context), on_disk.path(), file_base::read_only)
        {
        }

        kaio::basic_random_access_file<asio::strand<asio::io_context::executor_type>> file;
        std::string text = std::string(50, '\0');
        std::size_t done = 0;
        bool wrong = false;
    };

    void next(chain& c)
    {
        const std::uint64_t offset = c.done * 37 % 900;
        c.file.async_read_some_at(offset, asio::buffer(c.text),
                                  [this, &c, offset](error_code ec, std::size_t n) {
                                      if (ec || n != 50 || c.text != pattern(offset, 50))
                                          c.wrong = true;
                                      if (++c.done != length_)
                                          next(c);
                                  });
    }

    std::vector<std::unique_ptr<chain>> all_;
    std::size_t length_;
};

BOOST_AUTO_TEST_CASE(chains_run_on_one_thread)
{
    chains c(context, on_disk, 8, scaled(500, 50));
    c.start();
    run(context);
    BOOST_TEST(c.errors() == 0u);
}

BOOST_AUTO_TEST_CASE(chains_run_on_four_threads)
{
    chains c(context, on_disk, 8, scaled(500, 50));
    c.start();
    run_on_threads(context, 4);
    BOOST_TEST(c.errors() == 0u);
}

BOOST_AUTO_TEST_CASE(chains_run_with_each_concurrency_hint)
{
    for (const int hint :
         {1, BOOST_ASIO_CONCURRENCY_HINT_UNSAFE, BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO})
    {
        context_fixture with_hint(hint);
        chains c(with_hint.context, on_disk, 8, scaled(200, 20));
        c.start();
        run(with_hint.context);
        BOOST_TEST(c.errors() == 0u);
    }
}

BOOST_AUTO_TEST_CASE(work_comes_from_another_thread)
{
    // run() sleeps, or not, while another thread starts operations: none is forgotten.
    const std::size_t count = scaled(500, 50);
    random_access_file file(context, on_disk.path(), file_base::read_only);
    std::vector<outcome> results(count);
    std::vector<std::string> texts(count, std::string(50, '\0'));
    std::thread starter;
    {
        const auto guard = asio::make_work_guard(context);
        starter = std::thread([&] {
            const auto hold = asio::make_work_guard(context);
            for (std::size_t i = 0; i != count; ++i)
                file.async_read_some_at(i, asio::buffer(texts[i]), record_in(results[i]));
        });
    }
    asio::post(context, [] {});
    run(context);
    starter.join();
    run_again(context);
    for (const outcome& result : results)
        BOOST_CHECK(result.succeeded(50));
}

BOOST_AUTO_TEST_CASE(a_busy_strand_does_not_hold_back_other_files)
{
    for (const bool erased : {false, true})
    {
        // The first file of a context has the service made, here on a strand.
        context_fixture f;
        const auto strand = asio::make_strand(f.context);
        const auto erased_strand =
            asio::make_strand(asio::any_io_executor(f.context.get_executor()));
        random_access_file on_strand(erased ? asio::any_io_executor(erased_strand)
                                            : asio::any_io_executor(strand),
                                     on_disk.path(), file_base::read_only);
        random_access_file other(f.context, on_disk.path(), file_base::read_only);
        gate other_completed;
        bool met = false;
        std::string other_text(100, '\0');
        on_strand.async_read_some_at(0, asio::buffer(text), [&](auto, auto) {
            asio::post(f.context, [&] {
                other.async_read_some_at(0, asio::buffer(other_text),
                                         [&](auto, auto) { other_completed.open(); });
            });
            met = other_completed.pass_within(std::chrono::seconds(20));
        });
        run_on_threads(f.context, 2);
        BOOST_TEST(met);
    }
}

BOOST_AUTO_TEST_CASE(a_blocked_handler_does_not_hold_back_what_completed_with_it)
{
    random_access_file file(context, on_disk.path(), file_base::read_only);
    gate other_completed;
    bool met = false;
    std::string other_text(100, '\0');
    file.async_read_some_at(0, asio::buffer(text), [&](auto, auto) {
        met = other_completed.pass_within(std::chrono::seconds(20));
    });
    file.async_read_some_at(0, asio::buffer(other_text),
                            [&](auto, auto) { other_completed.open(); });
    run_on_threads(context, 2);
    BOOST_TEST(met);
}

BOOST_AUTO_TEST_CASE(a_blocked_handler_does_not_hold_back_what_completes_later)
{
    if (!direct_io_available())
    {
        skip("no direct I/O in " + directory());
        return;
    }
    // The long read is still in the kernel when the handler of the cached one begins to wait.
    constexpr std::size_t size = std::size_t(16) << 20;
    temporary_file large(std::string(size, 'x'));
    random_access_file file(context, on_disk.path(), file_base::read_only);
    random_access_file direct(context, large.path(), file_base::read_only | file_base::direct);
    aligned_memory memory(size);
    gate other_completed;
    bool met = false;
    direct.async_read_some_at(0, asio::buffer(memory.data(), size),
                              [&](auto, auto) { other_completed.open(); });
    file.async_read_some_at(0, asio::buffer(text), [&](auto, auto) {
        met = other_completed.pass_within(std::chrono::seconds(20));
    });
    run_on_threads(context, 2);
    BOOST_TEST(met);
}

BOOST_AUTO_TEST_CASE(a_blocked_handler_does_not_hold_back_what_waits_in_kaio)
{
    // The second read gets its place in the kernel when the first has completed.
    context_fixture f;
    kaio::service_options options;
    options.max_in_flight = 1;
    kaio::make_aio_service(f.context, options);
    random_access_file file(f.context, on_disk.path(), file_base::read_only);
    gate other_completed;
    bool met = false;
    std::string other_text(100, '\0');
    file.async_read_some_at(0, asio::buffer(text), [&](auto, auto) {
        met = other_completed.pass_within(std::chrono::seconds(20));
    });
    file.async_read_some_at(0, asio::buffer(other_text),
                            [&](auto, auto) { other_completed.open(); });
    run_on_threads(f.context, 2);
    BOOST_TEST(met);
    file.close();
}

BOOST_AUTO_TEST_CASE(blocked_handlers_leave_the_rest_to_every_free_thread)
{
    // Three handlers wait for the fourth, all of one batch, on four threads.
    random_access_file file(context, on_disk.path(), file_base::read_only);
    std::promise<void> last;
    const std::shared_future<void> last_completed = last.get_future().share();
    std::atomic<int> waiting{0}, met{0};
    std::vector<std::string> texts(4, std::string(100, '\0'));
    for (std::string& mine : texts)
    {
        file.async_read_some_at(0, asio::buffer(mine), [&](auto, auto) {
            if (++waiting == 4)
                last.set_value();
            met += last_completed.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
        });
    }
    run_on_threads(context, 4);
    BOOST_TEST(met == 4);
}

BOOST_AUTO_TEST_CASE(what_a_handler_starts_before_it_blocks_is_carried_out)
{
    random_access_file file(context, on_disk.path(), file_base::read_only);
    gate other_completed;
    bool met = false;
    std::string other_text(100, '\0');
    file.async_read_some_at(0, asio::buffer(text), [&](auto, auto) {
        file.async_read_some_at(0, asio::buffer(other_text),
                                [&](auto, auto) { other_completed.open(); });
        met = other_completed.pass_within(std::chrono::seconds(20));
    });
    run_on_threads(context, 2);
    BOOST_TEST(met);
}

BOOST_AUTO_TEST_CASE(threads_share_one_file_on_a_strand)
{
    // As the documentation asks, operations are started on the strand, by any thread.
    const std::size_t count = scaled(200, 20);
    const auto strand = asio::make_strand(context);
    kaio::basic_random_access_file file(strand, on_disk.path(), file_base::read_only);
    std::vector<outcome> results(count);
    std::vector<std::string> texts(count, std::string(50, '\0'));
    std::vector<std::thread> starters;
    for (std::size_t t = 0; t != 4; ++t)
    {
        starters.emplace_back([&, t] {
            for (std::size_t i = t; i < count; i += 4)
            {
                asio::post(strand, [&, i] {
                    const initiation_guard guard;
                    file.async_read_some_at(i, asio::buffer(texts[i]), record_in(results[i]));
                });
            }
        });
    }
    for (std::thread& starter : starters)
        starter.join();
    run_on_threads(context, 2);
    for (std::size_t i = 0; i != count; ++i)
    {
        BOOST_CHECK(results[i].succeeded(50));
        BOOST_CHECK(texts[i] == pattern(i, 50));
    }
}

BOOST_AUTO_TEST_CASE(two_contexts_are_apart)
{
    context_fixture other;
    random_access_file here(context, on_disk.path(), file_base::read_only);
    random_access_file there(other.context, on_disk.path(), file_base::read_only);
    outcome h, t;
    std::string other_text(100, '\0');
    here.async_read_some_at(0, asio::buffer(text), record_in(h));
    there.async_read_some_at(0, asio::buffer(other_text), record_in(t));
    run(context);
    BOOST_CHECK(h.succeeded(100));
    BOOST_TEST(t.calls == 0);
    run(other.context);
    BOOST_CHECK(t.succeeded(100));
    BOOST_CHECK(&asio::use_service<kaio::aio_service>(context) !=
                &asio::use_service<kaio::aio_service>(other.context));
    there.close();
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
