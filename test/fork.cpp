//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// A process is forked with operations in any state: both go on, and neither disturbs the other.

#include <stdlib.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include <kaio/kaio.hpp>

#include "support/block_size.hpp"
#include "support/blocked_helper.hpp"
#include "support/child_process.hpp"
#include "support/environment_variable.hpp"
#include "support/needs_aio.hpp"
#include "support/outcome.hpp"
#include "support/page_cache.hpp"
#include "support/plain_outcome.hpp"
#include "support/process_state.hpp"
#include "support/run.hpp"
#include "support/sanitizers.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using namespace kaio::test;

using kaio::file_base;

namespace fork_test {

constexpr std::size_t blocks = 64;

struct fork_fixture
{
    explicit fork_fixture(const kaio::service_options& options = {},
                          transfer_mode mode = transfer_mode::buffered)
      : context(new asio::io_context), service(&kaio::make_aio_service(*context, options)),
        file(new kaio::random_access_file(*context, target.path(), file_base::read_write | mode))
    {
    }

    void read(std::size_t count)
    {
        for (std::size_t i = 0; i != count; ++i)
        {
            results.emplace_back();
            memory.emplace_back(block_size);
            file->async_read_some_at(i * block_size, asio::buffer(memory.back().data(), block_size),
                                     record_in(results.back()));
        }
    }

    // Run all there is, and say whether all is as expected.
    bool finish()
    {
        context->restart();
        context->run_for(time_bound);
        return context->stopped();
    }

    std::size_t right() const
    {
        std::size_t result = 0;
        for (std::size_t i = 0; i != results.size(); ++i)
            result += results[i].succeeded(block_size) &&
                      memory[i].text() == pattern(i % blocks * block_size, block_size);
        return result;
    }

    std::size_t aborted() const
    {
        std::size_t result = 0;
        for (const outcome& o : results)
            result += o.aborted();
        return result;
    }

    void prepare()
    {
        context->notify_fork(asio::execution_context::fork_prepare);
    }

    void go_on_as_parent()
    {
        context->notify_fork(asio::execution_context::fork_parent);
    }

    void go_on_as_child()
    {
        context->notify_fork(asio::execution_context::fork_child);
    }

    const temporary_file target{blocks * block_size};
    std::unique_ptr<asio::io_context> context;
    kaio::aio_service* service;
    std::unique_ptr<kaio::random_access_file> file;
    std::deque<outcome> results;
    std::deque<aligned_memory> memory;
};

// At the end the child uses a context of its own.
inline bool reads_on(fork_fixture& f)
{
    f.results.clear();
    f.memory.clear();
    f.read(blocks);
    return f.finish() && f.right() == blocks;
}

// The eventfds of this process, whatever their numbers.
inline std::set<std::string> eventfds()
{
    std::set<std::string> result;
    for (int descriptor = 0; descriptor != 100; ++descriptor)
    {
        std::ifstream info("/proc/self/fdinfo/" + std::to_string(descriptor));
        for (std::string line; std::getline(info, line);)
        {
            if (line.find("eventfd-id") != std::string::npos)
                result.insert(line);
        }
    }
    return result;
}

} // namespace fork_test

using namespace fork_test;

BOOST_AUTO_TEST_SUITE(fork_)

BOOST_DATA_TEST_CASE(both_go_on_with_nothing_outstanding,
                     data::make(transfer_modes()) * data::make({"on", "off"}), mode, ring)
{
    const environment_variable how_to_harvest("KAIO_RING", ring);
    const std::size_t descriptors = open_descriptors();
    fork_fixture f({}, mode);
    f.read(blocks);
    BOOST_TEST(f.finish());
    const std::set<std::string> eventfds_before = eventfds();
    f.prepare();
    const kaio::service_statistics before = f.service->statistics();
    const ::pid_t child = start_child([&] {
        f.go_on_as_child();
        KAIO_REQUIRE_IN_CHILD(f.right() == blocks);
        KAIO_REQUIRE_IN_CHILD(reads_on(f));
        const kaio::service_statistics after = f.service->statistics();
        KAIO_REQUIRE_IN_CHILD(after.outstanding == 0);
        KAIO_REQUIRE_IN_CHILD(after.kernel_aio == before.kernel_aio);
        if (mode == transfer_mode::direct)
            KAIO_REQUIRE_IN_CHILD((after.submit_calls > before.submit_calls) == after.kernel_aio);
        // A signal that the child sends or forgets is none of the parent's.
        for (const std::string& id : eventfds())
            KAIO_REQUIRE_IN_CHILD(eventfds_before.count(id) == 0);
        f.file.reset();
        f.context.reset();
        KAIO_REQUIRE_IN_CHILD(open_descriptors() == descriptors);
        return 0;
    });
    f.go_on_as_parent();
    BOOST_TEST(wait_for(child) == 0);
    f.read(blocks);
    BOOST_TEST(f.finish());
    BOOST_TEST(f.right() == 2 * blocks);
}

// Nothing has been submitted: it all stays the parent's.
BOOST_DATA_TEST_CASE(operations_that_wait, data::make(transfer_modes()), mode)
{
    fork_fixture f({}, mode);
    f.read(blocks);
    f.prepare();
    const ::pid_t child = start_child([&] {
        f.go_on_as_child();
        KAIO_REQUIRE_IN_CHILD(f.finish());
        KAIO_REQUIRE_IN_CHILD(f.aborted() == blocks);
        KAIO_REQUIRE_IN_CHILD(reads_on(f));
        return 0;
    });
    f.go_on_as_parent();
    BOOST_TEST(f.finish());
    BOOST_TEST(f.right() == blocks);
    BOOST_TEST(wait_for(child) == 0);
}

// Some are with the kernel, some wait: those have true results in both, these in the parent.
BOOST_DATA_TEST_CASE(both_go_on_with_operations_in_flight,
                     data::make({1U, 8U, 64U}) * data::make({"on", "off"}), max_in_flight, ring)
{
    if (!direct_io_available())
        return skip("no direct I/O in " + directory());
    const environment_variable how_to_harvest("KAIO_RING", ring);
    kaio::service_options options;
    options.max_in_flight = max_in_flight;
    fork_fixture f(options, transfer_mode::direct);
    if (!f.service->statistics().kernel_aio)
        return skip("needs AIO");
    f.read(blocks);
    f.context->poll_one();
    const std::size_t completed = f.service->statistics().operations_completed;
    f.prepare();
    const ::pid_t child = start_child([&] {
        f.go_on_as_child();
        KAIO_REQUIRE_IN_CHILD(f.finish());
        KAIO_REQUIRE_IN_CHILD(f.right() + f.aborted() == blocks);
        KAIO_REQUIRE_IN_CHILD(f.right() >= max_in_flight);
        KAIO_REQUIRE_IN_CHILD(f.right() >= completed);
        KAIO_REQUIRE_IN_CHILD(reads_on(f));
        return 0;
    });
    f.go_on_as_parent();
    BOOST_TEST(f.finish());
    BOOST_TEST(f.right() == blocks);
    BOOST_TEST(wait_for(child) == 0);
}

// One is with a helper when prepare is called, which waits for it. Others wait for a helper.
BOOST_AUTO_TEST_CASE(operations_on_helpers)
{
    kaio::service_options options;
    options.helper_threads = 1;
    fork_fixture f(options);
    const temporary_file slow;
    held_open held(slow.path());
    if (!held.works())
        return skip("no leases here");
    kaio::random_access_file file(*f.context);
    outcome begun;
    outcome waiting;
    file.async_open(slow.path(), file_base::read_only, record_plain_in(begun));
    run_until_begun(*f.context, 1);
    f.file->async_resize(5, record_plain_in(waiting));
    std::thread releaser([&] { held.release(); });
    f.prepare();
    releaser.join();
    const ::pid_t child = start_child([&] {
        f.go_on_as_child();
        KAIO_REQUIRE_IN_CHILD(f.finish());
        KAIO_REQUIRE_IN_CHILD(begun.succeeded(0));
        KAIO_REQUIRE_IN_CHILD(file.is_open());
        KAIO_REQUIRE_IN_CHILD(waiting.succeeded(0) || waiting.aborted());
        return 0;
    });
    f.go_on_as_parent();
    BOOST_TEST(f.finish());
    BOOST_TEST(begun.succeeded(0), begun);
    BOOST_TEST(waiting.succeeded(0), waiting);
    BOOST_TEST(wait_for(child) == 0);
}

// Of a read that goes on behind what was cached the child has the beginning. The position of the
// file, which is one for both processes, is left to the parent.
BOOST_AUTO_TEST_CASE(the_position_is_left_to_the_parent,
                     *boost::unit_test::precondition(&needs_aio) *
                         boost::unit_test::precondition(&tries_reads))
{
    kaio::service_options options;
    options.helper_threads = 1;
    fork_fixture f(options);
    const temporary_file slow;
    held_open held(slow.path());
    if (!held.works())
        return skip("no leases here");
    if (!leave_in_page_cache(f.target.path(), block_size))
        return skip("the page cache keeps what it likes");
    kaio::random_access_file file(*f.context);
    outcome begun;
    file.async_open(slow.path(), file_base::read_only, record_plain_in(begun));
    run_until_begun(*f.context, 1);
    kaio::stream_file stream(*f.context, f.target.path(), file_base::read_only);
    std::string text(4 * block_size, '\0');
    outcome read;
    stream.async_read_some(asio::buffer(text), record_in(read));
    wait_until([&] {
        f.context->restart();
        f.context->poll();
        return read.calls != 0 || f.service->statistics().would_block_fallbacks != 0;
    });
    if (read.calls != 0)
    {
        // Linux 6.18 begins to read what it refuses, and looks again.
        held.release();
        BOOST_TEST(f.finish());
        return skip("the disk was faster than the refusal");
    }
    std::thread releaser([&] { held.release(); });
    f.prepare();
    releaser.join();
    const ::pid_t child = start_child([&] {
        f.go_on_as_child();
        KAIO_REQUIRE_IN_CHILD(f.finish());
        KAIO_REQUIRE_IN_CHILD(read.succeeded(block_size));
        return 0;
    });
    BOOST_TEST(wait_for(child) == 0);
    BOOST_TEST(stream.seek(0, file_base::seek_cur) == 0U);
    f.go_on_as_parent();
    BOOST_TEST(f.finish());
    BOOST_TEST(read.succeeded(text.size()), read);
    BOOST_TEST(stream.seek(0, file_base::seek_cur) == text.size());
}

BOOST_AUTO_TEST_CASE(helpers_are_remade)
{
    fork_fixture f;
    outcome resized;
    f.file->async_resize(blocks * block_size, record_plain_in(resized));
    BOOST_TEST(f.finish());
    BOOST_TEST(resized.succeeded(0), resized);
    for (int round = 0; round != 3; ++round)
    {
        outcome waiting;
        f.file->async_resize(blocks * block_size + static_cast<std::size_t>(round),
                             record_plain_in(waiting));
        f.prepare();
        const ::pid_t child = start_child([&] {
            f.go_on_as_child();
            KAIO_REQUIRE_IN_CHILD(f.finish());
            // Done before, or given up.
            KAIO_REQUIRE_IN_CHILD(waiting.succeeded(0) || waiting.aborted());
            outcome again;
            kaio::random_access_file other(*f.context);
            other.async_open(f.target.path(), file_base::read_only, record_plain_in(again));
            KAIO_REQUIRE_IN_CHILD(f.finish());
            KAIO_REQUIRE_IN_CHILD(again.succeeded(0));
            return 0;
        });
        f.go_on_as_parent();
        BOOST_TEST(f.finish());
        BOOST_TEST(waiting.succeeded(0), waiting);
        BOOST_TEST(wait_for(child) == 0);
    }
}

BOOST_AUTO_TEST_CASE(each_kind_of_operation_may_wait_during_a_fork)
{
    fork_fixture f;
    kaio::random_access_file opening(*f.context);
    kaio::random_access_file closing(*f.context, f.target.path(), file_base::read_only);
    std::deque<outcome> o(5);
    f.file->async_sync_all(record_plain_in(o[0]));
    f.file->async_resize(blocks * block_size, record_plain_in(o[1]));
    f.file->async_allocate(0, 1, record_plain_in(o[2]));
    opening.async_open(f.target.path(), file_base::read_only, record_plain_in(o[3]));
    closing.async_close(record_plain_in(o[4]));
    f.read(blocks);
    f.prepare();
    const ::pid_t child = start_child([&] {
        f.go_on_as_child();
        KAIO_REQUIRE_IN_CHILD(f.finish());
        for (const outcome& each : o)
            KAIO_REQUIRE_IN_CHILD(each.succeeded(0) || each.aborted());
        KAIO_REQUIRE_IN_CHILD(opening.is_open() == !o[3].ec);
        KAIO_REQUIRE_IN_CHILD(f.right() + f.aborted() == blocks);
        KAIO_REQUIRE_IN_CHILD(reads_on(f));
        opening.close();
        f.file.reset();
        f.context.reset();
        return 0;
    });
    f.go_on_as_parent();
    BOOST_TEST(f.finish());
    for (const outcome& each : o)
        BOOST_TEST(each.succeeded(0), each);
    BOOST_TEST(opening.is_open());
    BOOST_TEST(f.right() == blocks);
    BOOST_TEST(wait_for(child) == 0);
}

// Finished, but not yet handed to a handler: finished in both.
BOOST_AUTO_TEST_CASE(operations_that_have_finished)
{
    fork_fixture f;
    f.read(blocks);
    // One turn, which runs but some handlers.
    f.context->poll_one();
    const std::size_t before = f.right();
    f.prepare();
    const ::pid_t child = start_child([&] {
        f.go_on_as_child();
        KAIO_REQUIRE_IN_CHILD(f.finish());
        KAIO_REQUIRE_IN_CHILD(f.right() >= before);
        KAIO_REQUIRE_IN_CHILD(f.right() + f.aborted() == blocks);
        return 0;
    });
    f.go_on_as_parent();
    BOOST_TEST(f.finish());
    BOOST_TEST(f.right() == blocks);
    BOOST_TEST(wait_for(child) == 0);
}

BOOST_AUTO_TEST_CASE(a_context_without_files)
{
    asio::io_context context;
    kaio::make_aio_service(context);
    context.notify_fork(asio::execution_context::fork_prepare);
    const ::pid_t child = start_child([&] {
        context.notify_fork(asio::execution_context::fork_child);
        return 0;
    });
    context.notify_fork(asio::execution_context::fork_parent);
    BOOST_TEST(wait_for(child) == 0);
}

// Both busy at the same time, on the same file.
BOOST_AUTO_TEST_CASE(children_of_children_go_on)
{
    fork_fixture f;
    f.read(10);
    f.prepare();
    const ::pid_t child = start_child([&] {
        f.go_on_as_child();
        f.read(10);
        f.prepare();
        const ::pid_t grandchild = start_child([&] {
            f.go_on_as_child();
            KAIO_REQUIRE_IN_CHILD(f.finish());
            KAIO_REQUIRE_IN_CHILD(f.aborted() == 20);
            KAIO_REQUIRE_IN_CHILD(reads_on(f));
            return 0;
        });
        f.go_on_as_parent();
        KAIO_REQUIRE_IN_CHILD(f.finish());
        KAIO_REQUIRE_IN_CHILD(f.aborted() == 10);
        KAIO_REQUIRE_IN_CHILD(wait_for(grandchild) == 0);
        return 0;
    });
    f.go_on_as_parent();
    BOOST_REQUIRE(f.finish());
    BOOST_TEST(f.right() == 10U);
    for (int i = 0; i != 100; ++i)
    {
        f.results.clear();
        f.memory.clear();
        f.read(blocks);
        BOOST_REQUIRE(f.finish());
        BOOST_REQUIRE(f.right() == blocks);
    }
    BOOST_TEST(wait_for(child) == 0);
}

BOOST_AUTO_TEST_SUITE(without_notify_fork)

// How a child ends that knows nothing of the context.
enum class end
{
    quick_exit,
    destruction,
    static_destruction
};

std::ostream& operator<<(std::ostream& os, end e)
{
    return os << (e == end::quick_exit    ? "_exit"
                  : e == end::destruction ? "the context destroyed"
                                          : "exit");
}

// A context that lives until exit().
std::unique_ptr<fork_fixture>& static_fixture()
{
    static std::unique_ptr<fork_fixture> value;
    return value;
}

// Such a child leaks its context by design, and a sanitizer would report that at exit().
const auto ends =
    under_sanitizer ? std::vector<end>{end::quick_exit, end::destruction}
                    : std::vector<end>{end::quick_exit, end::destruction, end::static_destruction};

BOOST_DATA_TEST_CASE(the_child_ends,
                     data::make(ends) * data::make(transfer_modes()) * data::make({"on", "off"}) *
                         data::make({false, true}),
                     how, mode, ring, helper_busy)
{
    const environment_variable how_to_harvest("KAIO_RING", ring);
    kaio::service_options options;
    options.max_in_flight = 8;
    static_fixture() = std::make_unique<fork_fixture>(options, mode);
    fork_fixture& f = *static_fixture();
    // There is a thread that has nothing to do, or one that has.
    outcome resized;
    f.file->async_resize(blocks * block_size, record_plain_in(resized));
    BOOST_TEST(f.finish());
    f.context->restart();
    std::unique_ptr<blocked_helper> blocker;
    if (helper_busy)
        blocker = std::make_unique<blocked_helper>(*f.context);
    f.read(blocks);
    f.context->poll_one();
    const ::pid_t child = ::fork();
    if (child == 0)
    {
        ::alarm(static_cast<unsigned>(time_bound.count()));
        if (how == end::quick_exit)
            ::_exit(0);
        if (how == end::static_destruction)
            std::exit(0);
        f.file.reset();
        f.context.reset();
        ::_exit(0);
    }
    BOOST_TEST(wait_for(child) == 0);
    blocker.reset();
    BOOST_TEST(f.finish());
    BOOST_TEST(f.right() == blocks);
    f.read(blocks);
    BOOST_TEST(f.finish());
    BOOST_TEST(f.right() == 2 * blocks);
    static_fixture().reset();
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
