//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// The system refuses AIO contexts, eventfds, threads or descriptors.

#include <fcntl.h>
#include <grp.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/block_size.hpp"
#include "support/child_process.hpp"
#include "support/interposed_io.hpp"
#include "support/needs_aio.hpp"
#include "support/outcome.hpp"
#include "support/plain_outcome.hpp"
#include "support/process_state.hpp"
#include "support/run.hpp"
#include "support/seccomp.hpp"
#include "support/skip.hpp"
#include "support/system_error.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using namespace kaio::test;

using kaio::file_base;

namespace {

constexpr std::size_t blocks = 50;

// Every kind of operation, many at once. The number of the step that went wrong, or 0.
int use(asio::io_context& context, const std::string& path)
{
    kaio::random_access_file file(context, path, file_base::read_write);
    std::deque<outcome> transfers(2 * blocks);
    std::string memory(blocks * block_size, '\0');
    const std::string text = pattern(0, block_size);
    for (std::size_t i = 0; i != blocks; ++i)
        file.async_read_some_at(i * block_size, asio::buffer(&memory[i * block_size], block_size),
                                record_in(transfers[i]));
    context.restart();
    context.run_for(time_bound);
    for (std::size_t i = 0; i != blocks; ++i)
    {
        if (!transfers[i].succeeded(block_size))
            return 1;
    }
    if (memory != pattern(0, blocks * block_size))
        return 2;
    for (std::size_t i = 0; i != blocks; ++i)
        file.async_write_some_at(0, asio::buffer(text), record_in(transfers[blocks + i]));
    outcome synced;
    file.async_sync_all(record_plain_in(synced));
    outcome behind;
    file.async_read_some_at(1 << 30, asio::buffer(memory), record_in(behind));
    kaio::random_access_file other(context);
    outcome opened;
    other.async_open(path, file_base::read_only, record_plain_in(opened));
    context.restart();
    context.run_for(time_bound);
    for (std::size_t i = blocks; i != 2 * blocks; ++i)
    {
        if (!transfers[i].succeeded(block_size))
            return 3;
    }
    if (!synced.succeeded(0))
        return 4;
    if (!behind.failed(asio::error::eof))
        return 5;
    if (!opened.succeeded(0))
        return 6;
    return context.stopped() ? 0 : 7;
}

kaio::service_statistics statistics_of(asio::io_context& context)
{
    return asio::use_service<kaio::aio_service>(context).statistics();
}

} // namespace

BOOST_AUTO_TEST_SUITE(refused_resources)

BOOST_AUTO_TEST_SUITE(io_setup_refused)

BOOST_DATA_TEST_CASE(kaio_works_without_a_kernel_context,
                     data::make({EAGAIN, ENOSYS, EPERM, ENOMEM, EINVAL}), error)
{
    const temporary_file target(blocks * block_size);
    std::vector<unsigned> asked;
    const interposed_setup hook([&](unsigned count, ::aio_context_t*) {
        asked.push_back(count);
        return -error;
    });
    asio::io_context context;
    BOOST_TEST(use(context, target.path()) == 0);
    const kaio::service_statistics s = statistics_of(context);
    BOOST_TEST(!s.kernel_aio);
    BOOST_TEST(s.setup_error.find("io_setup") != std::string::npos, s.setup_error);
    BOOST_TEST(s.helper_operations == s.operations_started);
    BOOST_TEST(s.submit_calls == 0U);

    // Fewer would do, if it is their number that is refused.
    const bool by_number = error != ENOSYS && error != EPERM;
    BOOST_TEST(asked.front() == kaio::service_options().max_in_flight);
    BOOST_TEST(asked.size() == (by_number ? 9U : 1U));
    BOOST_TEST(asked.back() == (by_number ? 1U : asked.front()));
}

// A filter of system calls may know io_setup and not io_getevents.
BOOST_AUTO_TEST_CASE(io_getevents_refused, *boost::unit_test::precondition(&needs_aio))
{
    const temporary_file target(blocks * block_size);
    const interposed_get_events hook(
        [](::aio_context_t, long, long, ::io_event*, ::timespec*) { return -EPERM; });
    asio::io_context context;
    BOOST_TEST(use(context, target.path()) == 0);
    const kaio::service_statistics s = statistics_of(context);
    BOOST_TEST(!s.kernel_aio);
    BOOST_TEST(s.setup_error.find("io_getevents") != std::string::npos, s.setup_error);
    BOOST_TEST(s.submit_calls == 0U);
}

// Then nobody can tell when the operations in flight are done: they are left where they are.
BOOST_AUTO_TEST_CASE(io_getevents_refused_later)
{
    const temporary_file target(blocks * block_size);
    const int status = run_in_child([&] {
        auto context = std::make_unique<asio::io_context>();
        if (!statistics_of(*context).kernel_aio)
            return 0;
        auto file = std::make_unique<kaio::random_access_file>(*context, target.path(),
                                                               file_base::read_only);
        aligned_memory memory(block_size);
        const interposed_submit holds([](::aio_context_t, long count, ::iocb**) { return count; });
        const interposed_get_events refuses(
            [](::aio_context_t, long, long, ::io_event*, ::timespec*) { return -EINVAL; });
        outcome read;
        file->async_read_some_at(0, asio::buffer(memory.data(), block_size), by_io_submit(),
                                 record_in(read));
        context->poll();
        KAIO_REQUIRE_IN_CHILD(statistics_of(*context).submit_calls == 1);
        context->notify_fork(asio::execution_context::fork_prepare);
        context->notify_fork(asio::execution_context::fork_parent);
        file.reset();
        context.reset();
        KAIO_REQUIRE_IN_CHILD(read.calls == 0);
        return 0;
    });
    BOOST_TEST(status == 0);
}

BOOST_DATA_TEST_CASE(although_it_is_required, data::make({EAGAIN, ENOSYS, EPERM, ENOMEM}), error)
{
    const interposed_setup hook([&](unsigned, ::aio_context_t*) { return -error; });
    const std::size_t descriptors = open_descriptors();
    {
        asio::io_context context;
        kaio::service_options options;
        options.require_kernel_aio = true;
        options.max_in_flight = 1234;
        BOOST_CHECK_EXCEPTION(kaio::make_aio_service(context, options), boost::system::system_error,
                              [&](const boost::system::system_error& e) {
                                  const std::string what = e.what();
                                  return e.code() == system_error(error) &&
                                         what.find("1234") != std::string::npos &&
                                         what.find("aio-nr") != std::string::npos &&
                                         what.find("aio-max-nr") != std::string::npos;
                              });
        // Nothing was made: another attempt, without the demand.
        options.require_kernel_aio = false;
        BOOST_TEST(!kaio::make_aio_service(context, options).statistics().kernel_aio);
    }
    BOOST_TEST(open_descriptors() == descriptors);
}

// With room for so many, no more are submitted at once.
BOOST_DATA_TEST_CASE(kaio_works_with_a_few_slots, data::make({1U, 3U, 100U}), granted)
{
    const temporary_file target(blocks * block_size);
    unsigned got = 0;
    const interposed_setup hook([&](unsigned count, ::aio_context_t* context) {
        if (count > granted)
            return -EAGAIN;
        got = count;
        return kernel_setup(count, context);
    });
    asio::io_context context;
    BOOST_TEST(use(context, target.path()) == 0);
    const kaio::service_statistics s = statistics_of(context);
    if (!s.kernel_aio)
        return skip("needs AIO");
    BOOST_TEST(got <= granted);
    BOOST_TEST(got > granted / 2);
    BOOST_TEST(s.setup_error == "");
    BOOST_TEST(s.in_flight_high_water <= got);
}

BOOST_AUTO_TEST_CASE(and_no_helpers)
{
    const temporary_file target(blocks * block_size);
    const interposed_setup hook([&](unsigned, ::aio_context_t*) { return -ENOSYS; });
    asio::io_context context;
    kaio::service_options options;
    options.helper_threads = 0;
    kaio::make_aio_service(context, options);
    BOOST_TEST(use(context, target.path()) == 0);
    const kaio::service_statistics s = statistics_of(context);
    BOOST_TEST(s.helper_operations == s.operations_started);
}

BOOST_AUTO_TEST_SUITE_END()

// A filter can't be taken away again: it is for a process of its own.
BOOST_DATA_TEST_CASE(system_calls_are_forbidden, data::make({EPERM, ENOSYS}), error)
{
    const temporary_file target(blocks * block_size);
    const int status = run_in_child([&] {
        KAIO_REQUIRE_IN_CHILD(forbid(asynchronous_calls(), error));
        KAIO_REQUIRE_IN_CHILD(::syscall(SYS_io_setup, 1, nullptr) == -1 && errno == error);
        asio::io_context context;
        KAIO_REQUIRE_IN_CHILD(use(context, target.path()) == 0);
        KAIO_REQUIRE_IN_CHILD(!statistics_of(context).kernel_aio);
        KAIO_REQUIRE_IN_CHILD(!statistics_of(context).setup_error.empty());
        return 0;
    });
    BOOST_TEST(status == 0);
}

// Forbidden only when the context is there already: it is as if each file refused it.
BOOST_DATA_TEST_CASE(io_submit_is_forbidden, data::make({ENOSYS, EINVAL, EPERM}), error)
{
    const temporary_file target(blocks * block_size);
    const int status = run_in_child([&] {
        asio::io_context context;
        kaio::make_aio_service(context);
        if (!statistics_of(context).kernel_aio)
            return 0;
        KAIO_REQUIRE_IN_CHILD(forbid({SYS_io_submit}, error));
        KAIO_REQUIRE_IN_CHILD(use(context, target.path()) == 0);
        // Only operations started before the first refusal was seen have tried.
        KAIO_REQUIRE_IN_CHILD(statistics_of(context).submit_calls <= blocks);
        return 0;
    });
    BOOST_TEST(status == 0);
}

// The older functions do what needs no flag.
BOOST_DATA_TEST_CASE(calls_with_flags_are_forbidden, data::make({ENOSYS, EPERM}), error)
{
    const temporary_file target(blocks * block_size);
    const int status = run_in_child([&] {
        asio::io_context context;
        kaio::make_aio_service(context);
        KAIO_REQUIRE_IN_CHILD(forbid({SYS_preadv2, SYS_pwritev2}, error));
        KAIO_REQUIRE_IN_CHILD(use(context, target.path()) == 0);
        kaio::stream_file stream(context, target.path(), file_base::read_write);
        std::string text(block_size, '\0');
        KAIO_REQUIRE_IN_CHILD(stream.read_some(asio::buffer(text)) == block_size);
        KAIO_REQUIRE_IN_CHILD(stream.write_some(asio::buffer(text)) == block_size);
        outcome read;
        stream.async_read_some(asio::buffer(text), record_in(read));
        context.restart();
        context.run_for(time_bound);
        KAIO_REQUIRE_IN_CHILD(read.succeeded(block_size));
        KAIO_REQUIRE_IN_CHILD(stream.seek(0, file_base::seek_cur) == 3 * block_size);
        return 0;
    });
    BOOST_TEST(status == 0);
}

BOOST_AUTO_TEST_CASE(eventfd_is_refused)
{
    const int status = run_in_child([&] {
        asio::io_context context;
        // The reactor of the context has got its own before.
        asio::posix::stream_descriptor make(context);
        KAIO_REQUIRE_IN_CHILD(forbid({SYS_eventfd2}, EMFILE));
        try
        {
            kaio::random_access_file file(context);
        }
        catch (const boost::system::system_error& e)
        {
            KAIO_REQUIRE_IN_CHILD(e.code() == system_error(EMFILE));
            KAIO_REQUIRE_IN_CHILD(std::string(e.what()).find("eventfd") != std::string::npos);
            return 0;
        }
        return 1;
    });
    BOOST_TEST(status == 0);
}

// Operations that need a thread fail with the system's code; those that need none work.
BOOST_AUTO_TEST_CASE(threads_are_refused)
{
    const temporary_file target(blocks * block_size);
    const temporary_file new_file;
    const int status = run_in_child([&] {
        asio::io_context context;
        kaio::random_access_file file(context, target.path(), file_base::read_only);
        const bool aio = statistics_of(context).kernel_aio;
        std::vector<long> calls{SYS_clone};
#if defined(SYS_clone3)
        calls.push_back(SYS_clone3);
#endif
        KAIO_REQUIRE_IN_CHILD(forbid(calls, EAGAIN));
        std::string memory(block_size, '\0');
        outcome read;
        file.async_read_some_at(0, asio::buffer(memory), record_in(read));
        std::deque<outcome> opened(3);
        kaio::random_access_file other(context);
        for (outcome& o : opened)
        {
            other.async_open(target.path(), file_base::read_only, record_plain_in(o));
            context.restart();
            context.run_for(time_bound);
            KAIO_REQUIRE_IN_CHILD(o.failed(system_error(EAGAIN)));
            KAIO_REQUIRE_IN_CHILD(!other.is_open());
        }
        // Several at once, all of which need a thread.
        std::deque<outcome> resized(10);
        kaio::random_access_file writable(context, new_file.path(), file_base::write_only);
        for (outcome& o : resized)
            writable.async_resize(1, record_plain_in(o));
        context.restart();
        context.run_for(time_bound);
        for (const outcome& o : resized)
            KAIO_REQUIRE_IN_CHILD(o.failed(system_error(EAGAIN)));
        KAIO_REQUIRE_IN_CHILD(aio ? read.succeeded(block_size) : read.failed(system_error(EAGAIN)));
        const int descriptor = file.native_handle();
        outcome closed;
        file.async_close(record_plain_in(closed));
        context.restart();
        context.run_for(time_bound);
        KAIO_REQUIRE_IN_CHILD(closed.calls == 1);
        KAIO_REQUIRE_IN_CHILD(::fcntl(descriptor, F_GETFD) == -1);
        return 0;
    });
    BOOST_TEST(status == 0);
}

// As a user who may have one process, which is this one.
BOOST_AUTO_TEST_CASE(the_limit_of_processes)
{
    if (!is_root())
        return skip("needs root, to become somebody else");
    const int status = run_in_child([&] {
        asio::io_context context;
        kaio::random_access_file file(context);
        const ::rlimit one = {1, 1};
        KAIO_REQUIRE_IN_CHILD(::setrlimit(RLIMIT_NPROC, &one) == 0);
        constexpr ::uid_t nobody_else = 54321;
        KAIO_REQUIRE_IN_CHILD(::setgroups(0, nullptr) == 0);
        KAIO_REQUIRE_IN_CHILD(::setresuid(nobody_else, nobody_else, nobody_else) == 0);
        outcome opened;
        file.async_open("/dev/null", file_base::read_only, record_plain_in(opened));
        context.run_for(time_bound);
        KAIO_REQUIRE_IN_CHILD(opened.failed(system_error(EAGAIN)));
        return 0;
    });
    BOOST_TEST(status == 0);
}

// Root may do anything, so a child that gave up being root checks the rights.
BOOST_AUTO_TEST_CASE(rights_are_checked_as_by_the_kernel)
{
    const temporary_file target(std::size_t(100));
    ::chmod(target.c_str(), 0400);
    const int status = run_in_child([&] {
        if (is_root())
        {
            constexpr ::uid_t nobody_else = 54321;
            KAIO_REQUIRE_IN_CHILD(::setgroups(0, nullptr) == 0);
            KAIO_REQUIRE_IN_CHILD(::setresuid(nobody_else, nobody_else, nobody_else) == 0);
        }
        asio::io_context context;
        kaio::random_access_file file(context);
        outcome opened;
        file.async_open(target.path(), file_base::read_write, record_plain_in(opened));
        context.run_for(time_bound);
        KAIO_REQUIRE_IN_CHILD(opened.failed(system_error(EACCES)));
        KAIO_REQUIRE_IN_CHILD(!file.is_open());
        return 0;
    });
    BOOST_TEST(status == 0);
}

BOOST_AUTO_TEST_CASE(the_limit_of_descriptors)
{
    const temporary_file target(blocks * block_size);
    const int status = run_in_child([&] {
        asio::io_context context;
        kaio::random_access_file file(context, target.path(), file_base::read_write);
        const ::rlimit none = {static_cast<::rlim_t>(::dup(0)), 1000};
        ::close(static_cast<int>(none.rlim_cur));
        KAIO_REQUIRE_IN_CHILD(::setrlimit(RLIMIT_NOFILE, &none) == 0);

        // Files that are open are none the worse for it.
        std::string memory(block_size, '\0');
        outcome read;
        file.async_read_some_at(0, asio::buffer(memory), record_in(read));
        outcome synced;
        file.async_sync_all(record_plain_in(synced));
        kaio::random_access_file other(context);
        outcome opened;
        other.async_open(target.path(), file_base::read_only, record_plain_in(opened));
        boost::system::error_code ec;
        kaio::random_access_file third(context);
        third.open(target.path(), file_base::read_only, ec);
        context.run_for(time_bound);
        KAIO_REQUIRE_IN_CHILD(ec == system_error(EMFILE));
        KAIO_REQUIRE_IN_CHILD(opened.failed(system_error(EMFILE)));
        KAIO_REQUIRE_IN_CHILD(read.succeeded(block_size));
        KAIO_REQUIRE_IN_CHILD(synced.succeeded(0));

        // Another context can't be made, and says so.
        try
        {
            asio::io_context second;
            kaio::random_access_file never(second);
        }
        catch (const boost::system::system_error& e)
        {
            KAIO_REQUIRE_IN_CHILD(e.code() == system_error(EMFILE));
            return 0;
        }
        return 1;
    });
    BOOST_TEST(status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
