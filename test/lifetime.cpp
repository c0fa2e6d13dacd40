//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <unistd.h>

#include <array>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/test/unit_test.hpp>
#include <kaio/kaio.hpp>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/needs_aio.hpp"
#include "support/outcome.hpp"
#include "support/process_state.hpp"
#include "support/run.hpp"
#include "support/scale.hpp"
#include "support/temporary_file.hpp"
#include "support/tracking_allocator.hpp"

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace kaio::test;
using kaio::file_base;
using kaio::random_access_file;

const file_base::flags direct_read =
    direct_io_available() ? file_base::read_only | file_base::direct : file_base::read_only;

// Every test leaves the process as it found it.
struct fixture
{
    ~fixture()
    {
        BOOST_TEST(open_descriptors() == descriptors);
        BOOST_TEST(aio_contexts() == contexts);
    }

    const temporary_file on_disk{std::size_t(1) << 20};
    const std::size_t descriptors = open_descriptors();
    const std::size_t contexts = aio_contexts();
};

// How many handlers were called, and how many are left that were neither called nor destroyed.
struct handler_count
{
    std::size_t alive = 0;
    std::size_t calls = 0;
};

// A handler that owns what it was given.
template <typename... Owned>
class owning_handler
{
public:
    explicit owning_handler(handler_count& count, Owned&&... owned)
      : count_(&count), owned_(std::move(owned)...)
    {
        ++count_->alive;
    }

    owning_handler(owning_handler&& other) noexcept
      : count_(std::exchange(other.count_, nullptr)), owned_(std::move(other.owned_))
    {
    }

    owning_handler& operator=(owning_handler&&) = delete;

    ~owning_handler()
    {
        if (count_)
            --count_->alive;
    }

    void operator()(const error_code&, std::size_t)
    {
        ++count_->calls;
    }

private:
    handler_count* count_;
    std::tuple<Owned...> owned_;
};

// Start a read into a buffer that only the handler owns.
template <typename File>
void start_owning_read(File& file, handler_count& count, std::uint64_t offset = 0)
{
    auto memory = std::make_unique<aligned_memory>(4096);
    const asio::mutable_buffer buffer(memory->data(), 4096);
    file.async_read_some_at(offset, buffer, owning_handler(count, std::move(memory)));
}

BOOST_FIXTURE_TEST_SUITE(lifetime, fixture)

BOOST_AUTO_TEST_CASE(a_context_gives_its_kernel_context_back,
                     *boost::unit_test::precondition(&needs_aio))
{
    for (int i = 0; i != 3; ++i)
    {
        asio::io_context context;
        random_access_file file(context);
        BOOST_TEST(aio_contexts() == contexts + 1);
    }
    asio::io_context context;
    BOOST_TEST(aio_contexts() == contexts);
}

BOOST_AUTO_TEST_CASE(one_aio_context_for_all_files, *boost::unit_test::precondition(&needs_aio))
{
    asio::io_context context;
    std::list<random_access_file> files;
    for (int i = 0; i != 20; ++i)
        files.emplace_back(context, on_disk.path(), file_base::read_only);
    BOOST_TEST(aio_contexts() == contexts + 1);
}

BOOST_AUTO_TEST_CASE(a_file_destroyed_with_reads_outstanding)
{
    handler_count count;
    {
        context_fixture f;
        {
            random_access_file file(f.context, on_disk.path(), direct_read);
            for (std::uint64_t i = 0; i != 100; ++i)
                start_owning_read(file, count, i * 4096);
        }
        {
            random_access_file file(f.context, on_disk.path(), direct_read);
            for (std::uint64_t i = 0; i != 100; ++i)
                start_owning_read(file, count, i * 4096);
            f.context.run_one();
        }
        run(f.context);
        BOOST_TEST(count.calls == 200u);
    }
    BOOST_TEST(count.alive == 0u);
}

BOOST_AUTO_TEST_CASE(a_file_destroyed_in_a_handler_of_its_own)
{
    context_fixture f;
    auto file = std::make_unique<random_access_file>(f.context, on_disk.path(), direct_read);
    aligned_memory memory(4096);
    random_access_file& alias = *file;
    alias.async_read_some_at(0, asio::buffer(memory.data(), 4096),
                             [file = std::move(file)](error_code ec, std::size_t n) mutable {
                                 BOOST_TEST(!ec);
                                 BOOST_TEST(n == 4096u);
                                 file.reset();
                             });
    run(f.context);
}

BOOST_AUTO_TEST_CASE(a_file_moved_with_reads_outstanding)
{
    context_fixture f;
    outcome before, between, after;
    aligned_memory memory(3 * 4096);
    random_access_file first(f.context, on_disk.path(), direct_read);
    first.async_read_some_at(0, asio::buffer(memory.data(), 4096), record_in(before));
    random_access_file second(std::move(first));
    second.async_read_some_at(4096, asio::buffer(memory.data() + 4096, 4096), record_in(between));
    f.context.run_one();
    first = std::move(second);
    first.async_read_some_at(8192, asio::buffer(memory.data() + 8192, 4096), record_in(after));
    run(f.context);
    BOOST_CHECK(before.succeeded(4096));
    BOOST_CHECK(between.succeeded(4096));
    BOOST_CHECK(after.succeeded(4096));
    BOOST_CHECK(memory.text() == pattern(0, 3 * 4096));
}

BOOST_AUTO_TEST_CASE(a_file_object_swapped_with_another)
{
    context_fixture f;
    temporary_file other_disk(pattern(1 << 20, 100));
    random_access_file a(f.context, on_disk.path(), file_base::read_only);
    random_access_file b(f.context, other_disk.path(), file_base::read_only);
    std::string at(100, '\0'), bt(100, '\0');
    outcome ar, br;
    a.async_read_some_at(0, asio::buffer(at), record_in(ar));
    b.async_read_some_at(0, asio::buffer(bt), record_in(br));
    std::swap(a, b);
    run(f.context);
    BOOST_CHECK(ar.succeeded(100));
    BOOST_CHECK(br.succeeded(100));
    BOOST_CHECK(at == pattern(0, 100));
    BOOST_CHECK(bt == pattern(1 << 20, 100));
}

// The states in which the end of the context can find an operation.

BOOST_AUTO_TEST_CASE(a_context_that_ends_before_anything_was_submitted)
{
    handler_count count;
    {
        asio::io_context context;
        random_access_file file(context, on_disk.path(), direct_read);
        for (std::uint64_t i = 0; i != 100; ++i)
            start_owning_read(file, count, i * 4096);
        BOOST_TEST(count.alive == 100u);
    }
    BOOST_TEST(count.alive == 0u);
    BOOST_TEST(count.calls == 0u);
}

BOOST_AUTO_TEST_CASE(a_context_that_ends_with_reads_in_the_kernel_and_in_the_queue,
                     *boost::unit_test::precondition(&needs_aio))
{
    for (std::size_t round = 0; round != scaled(20, 3); ++round)
    {
        handler_count count;
        {
            asio::io_context context;
            kaio::service_options options;
            options.max_in_flight = 8;
            const auto& service = kaio::make_aio_service(context, options);
            random_access_file file(context, on_disk.path(), direct_read);
            for (std::uint64_t i = 0; i != 100; ++i)
                start_owning_read(file, count, i * 4096);
            run_until(context, [&] { return service.statistics().submit_calls != 0; });
        }
        BOOST_TEST(count.alive == 0u);
        BOOST_TEST(count.calls < 100u);
    }
}

BOOST_AUTO_TEST_CASE(a_context_that_ends_with_completed_reads)
{
    // One turn calls some of the handlers; the others have completed, or nearly so.
    handler_count count;
    std::size_t calls = 0;
    {
        asio::io_context context;
        random_access_file file(context, on_disk.path(), file_base::read_only);
        for (int i = 0; i != 60; ++i)
            start_owning_read(file, count);
        run_until(context, [&] { return count.calls != 0; });
        calls = count.calls;
        BOOST_TEST(calls < 60u);
        BOOST_TEST(count.alive == 60u - calls);
    }
    BOOST_TEST(count.alive == 0u);
    BOOST_TEST(count.calls == calls);
}

BOOST_AUTO_TEST_CASE(a_context_that_ends_with_immediate_completions)
{
    handler_count count;
    {
        asio::io_context context;
        random_access_file file(context, on_disk.path(), file_base::read_only);
        file.async_read_some_at(0, asio::mutable_buffer(), owning_handler(count));
        file.close();
        start_owning_read(file, count);
    }
    BOOST_TEST(count.alive == 0u);
    BOOST_TEST(count.calls == 0u);
}

BOOST_AUTO_TEST_CASE(a_context_that_ends_with_cancelled_reads)
{
    handler_count count;
    {
        asio::io_context context;
        random_access_file file(context, on_disk.path(), file_base::read_only);
        for (int i = 0; i != 5; ++i)
            start_owning_read(file, count);
        file.cancel();
        for (int i = 0; i != 5; ++i)
            start_owning_read(file, count);
        file.close();
    }
    BOOST_TEST(count.alive == 0u);
    BOOST_TEST(count.calls == 0u);
}

BOOST_AUTO_TEST_CASE(a_context_that_ends_while_another_executor_has_the_handler)
{
    handler_count count;
    asio::io_context other;
    {
        asio::io_context context;
        random_access_file file(context, on_disk.path(), file_base::read_only);
        char c = 0;
        file.async_read_some_at(0, asio::buffer(&c, 1),
                                asio::bind_executor(other, owning_handler(count)));
        run(context);
    }
    BOOST_TEST(count.alive == 1u);
    run(other);
    BOOST_TEST(count.calls == 1u);
    BOOST_TEST(count.alive == 0u);
}

BOOST_AUTO_TEST_CASE(handlers_that_own_files_of_the_same_context)
{
    handler_count count;
    {
        asio::io_context context;
        for (int i = 0; i != 5; ++i)
        {
            auto file = std::make_shared<random_access_file>(context, on_disk.path(), direct_read);
            auto memory = std::make_unique<aligned_memory>(4096);
            const asio::mutable_buffer buffer(memory->data(), 4096);

            // An operation's handler may own the file of the operation, or another one.
            auto other = std::make_unique<random_access_file>(context, on_disk.path(), direct_read);
            start_owning_read(*other, count);
            random_access_file& alias = *file;
            alias.async_read_some_at(
                0, buffer,
                owning_handler(count, std::move(memory), std::move(file), std::move(other)));
            if (i == 2)
                context.run_one();
        }
    }
    BOOST_TEST(count.alive == 0u);
}

BOOST_AUTO_TEST_CASE(handlers_of_other_services_that_own_files)
{
    handler_count count;
    {
        asio::io_context context;
        asio::steady_timer timer(context, std::chrono::hours(1));
        auto in_timer = std::make_unique<random_access_file>(context, on_disk.path(), direct_read);
        auto in_post = std::make_unique<random_access_file>(context, on_disk.path(), direct_read);
        start_owning_read(*in_timer, count);
        start_owning_read(*in_post, count);
        timer.async_wait([file = std::move(in_timer)](error_code) {});
        asio::post(context, [file = std::move(in_post)] {});
    }
    BOOST_TEST(count.alive == 0u);
    BOOST_TEST(count.calls == 0u);
}

BOOST_AUTO_TEST_CASE(handlers_that_start_operations_when_they_are_destroyed)
{
    struct restless
    {
        restless(random_access_file& f, int& c) : file(&f), count(&c)
        {
        }

        restless(restless&& other) noexcept
          : file(std::exchange(other.file, nullptr)), count(other.count)
        {
        }

        ~restless()
        {
            if (!file)
                return;
            ++*count;
            static char c;
            file->async_read_some_at(0, asio::buffer(&c, 1), [](auto, auto) {});
            file->cancel();
        }

        void operator()(const error_code&, std::size_t)
        {
        }

        random_access_file* file;
        int* count;
    };
    int destroyed = 0;
    auto context = std::make_unique<asio::io_context>();
    auto file =
        std::make_unique<random_access_file>(*context, on_disk.path(), file_base::read_only);
    char c = 0;
    file->async_read_some_at(0, asio::buffer(&c, 1), restless(*file, destroyed));
    auto* keep = file.get();
    // The file has to be alive in the destructor of the handler: the context owns it last.
    asio::post(*context, [file = std::move(file)] {});
    BOOST_TEST(keep->is_open());
    context.reset();
    BOOST_TEST(destroyed == 1);
}

BOOST_AUTO_TEST_CASE(a_thread_pool_that_is_stopped)
{
    handler_count count;
    {
        asio::thread_pool pool(1);
        random_access_file file(pool, on_disk.path(), direct_read);
        pool.stop();
        pool.join();
        for (int i = 0; i != 20; ++i)
            start_owning_read(file, count);
    }
    BOOST_TEST(count.alive == 0u);
    BOOST_TEST(count.calls == 0u);
}

BOOST_AUTO_TEST_CASE(memory_of_discarded_operations_goes_back)
{
    allocation_count allocations;
    handler_count count;
    {
        asio::io_context context;
        random_access_file file(context, on_disk.path(), file_base::read_only);
        char c = 0;
        for (int i = 0; i != 10; ++i)
        {
            file.async_read_some_at(
                0, asio::buffer(&c, 1),
                asio::bind_allocator(tracking_allocator<>(allocations), owning_handler(count)));
        }
        BOOST_TEST(allocations.live_blocks == 10u);
    }
    BOOST_TEST(allocations.live_blocks == 0u);
    BOOST_TEST(count.alive == 0u);
}

// An operation keeps some objects alive, and others not.

BOOST_AUTO_TEST_CASE(the_sequence_of_buffers_is_copied)
{
    context_fixture f;
    random_access_file file(f.context, on_disk.path(), file_base::read_only);
    std::string text(100, '\0');
    outcome result;
    {
        auto buffers = std::make_unique<std::vector<asio::mutable_buffer>>();
        for (std::size_t i = 0; i != 100; ++i)
            buffers->push_back(asio::buffer(&text[i], 1));
        file.async_read_some_at(0, *buffers, record_in(result));
        std::fill(buffers->begin(), buffers->end(), asio::mutable_buffer());
    }
    run(f.context);
    BOOST_CHECK(result.succeeded(100));
    BOOST_CHECK(text == pattern(0, 100));
}

BOOST_AUTO_TEST_CASE(deferred_operations_outlive_the_temporaries)
{
    context_fixture f;
    random_access_file file(f.context, on_disk.path(), file_base::read_only);
    std::string text(100, '\0');
    outcome result;
    auto make = [&] {
        const std::array<asio::mutable_buffer, 2> buffers = {asio::buffer(&text[0], 50),
                                                             asio::buffer(&text[50], 50)};
        const std::uint64_t offset = 7;
        const kaio::io_options options;
        return file.async_read_some_at(offset, buffers, options, asio::deferred);
    };
    auto operation = make();
    // Whatever lay on the stack has been written over by now.
    volatile char scratch[4096];
    for (volatile char& c : scratch)
        c = 0x55;
    std::move(operation)(record_in(result));
    run(f.context);
    BOOST_CHECK(result.succeeded(100));
    BOOST_CHECK(text == pattern(7, 100));
}

BOOST_AUTO_TEST_CASE(a_handler_is_moved_never_copied_and_destroyed_before_run_returns)
{
    handler_count count;
    context_fixture f;
    random_access_file file(f.context, on_disk.path(), file_base::read_only);
    for (int i = 0; i != 10; ++i)
        start_owning_read(file, count);
    run(f.context);
    BOOST_TEST(count.calls == 10u);
    BOOST_TEST(count.alive == 0u);
}

// Descriptors.

BOOST_AUTO_TEST_CASE(a_descriptor_number_is_not_reused_for_what_was_not_submitted)
{
    // Started, closed, and the number taken by another file before the loop gets to submit.
    context_fixture f;
    temporary_file other_disk(std::string(100, 'x'));
    for (int round = 0; round != 20; ++round)
    {
        outcome aborted, done;
        std::string text(10, '-'), other_text(10, '-');
        random_access_file file(f.context, on_disk.path(), file_base::read_only);
        file.async_read_some_at(0, asio::buffer(text), record_in(aborted));
        file.close();
        random_access_file other(f.context, other_disk.path(), file_base::read_only);
        other.async_read_some_at(0, asio::buffer(other_text), record_in(done));
        run_again(f.context);
        BOOST_CHECK(aborted.aborted());
        BOOST_TEST(text == std::string(10, '-'));
        BOOST_CHECK(done.succeeded(10));
        BOOST_TEST(other_text == std::string(10, 'x'));
    }
}

BOOST_AUTO_TEST_CASE(files_opened_read_and_closed_on_several_threads)
{
    const std::size_t rounds = scaled(300, 30);
    temporary_file other_disk(pattern(1 << 20, 8192));
    context_fixture f;
    struct job
    {
        job(asio::io_context& context, const std::string& p, std::uint64_t o)
          : strand(asio::make_strand(context)), path(p), pattern_offset(o)
        {
        }

        void next()
        {
            if (left-- == 0)
                return;
            random_access_file file(strand, path, file_base::read_only);
            auto text = std::make_shared<std::string>(100, '\0');
            file.async_read_some_at(
                10, asio::buffer(*text), [this, text](error_code ec, std::size_t n) {
                    if (ec == asio::error::operation_aborted)
                        ++aborted;
                    else if (ec || n != 100 || *text != pattern(pattern_offset + 10, 100))
                        ++wrong;
                });
            // Half of them are closed on this turn of the strand, the others on the next.
            if (left % 2 == 0)
                asio::post(strand,
                           [kept = std::make_unique<random_access_file>(std::move(file))] {});
            asio::post(strand, [this] { next(); });
        }

        asio::strand<asio::io_context::executor_type> strand;
        const std::string path;
        const std::uint64_t pattern_offset;
        std::size_t left = 0;
        std::size_t aborted = 0;
        std::size_t wrong = 0;
    };
    std::list<job> jobs;
    for (int i = 0; i != 4; ++i)
    {
        job& j = i % 2 == 0 ? jobs.emplace_back(f.context, on_disk.path(), 0u)
                            : jobs.emplace_back(f.context, other_disk.path(), 1u << 20);
        j.left = rounds;
        asio::post(j.strand, [&j] { j.next(); });
    }
    run_on_threads(f.context, 4);
    for (const job& j : jobs)
        BOOST_TEST(j.wrong == 0u);
}

BOOST_AUTO_TEST_CASE(a_service_can_be_made_once)
{
    asio::io_context context;
    kaio::service_options options;
    options.max_in_flight = 4;
    auto& service = kaio::make_aio_service(context, options);
    BOOST_TEST(&asio::use_service<kaio::aio_service>(context) == &service);
    BOOST_CHECK_THROW(kaio::make_aio_service(context), asio::service_already_exists);
    random_access_file file(context, on_disk.path(), file_base::read_only);
    BOOST_TEST(aio_contexts() == contexts + (aio_available() ? 1 : 0));
}

BOOST_AUTO_TEST_CASE(use_service_alone_works)
{
    handler_count count;
    {
        context_fixture f;
        auto& service = asio::use_service<kaio::aio_service>(f.context);
        random_access_file file(f.context, on_disk.path(), file_base::read_only);
        for (int i = 0; i != 10; ++i)
            start_owning_read(file, count);
        run(f.context);
        BOOST_TEST(service.statistics().operations_completed == 10u);
        start_owning_read(file, count);
    }
    BOOST_TEST(count.alive == 0u);

    // Also when no file ever comes.
    asio::io_context context;
    asio::use_service<kaio::aio_service>(context);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
