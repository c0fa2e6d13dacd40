//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// async_open, async_close, async_resize and async_allocate.

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <kaio/kaio.hpp>

#include "support/blocked_helper.hpp"
#include "support/outcome.hpp"
#include "support/plain_outcome.hpp"
#include "support/process_state.hpp"
#include "support/run.hpp"
#include "support/scale.hpp"
#include "support/skip.hpp"
#include "support/system_error.hpp"
#include "support/temporary_file.hpp"
#include "support/tracking_executor.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using namespace kaio::test;

using kaio::file_base;

namespace {

// A context with one helper thread, and the descriptors that were open before.
struct metadata_fixture
{
    metadata_fixture() : descriptors(open_descriptors()), context(new asio::io_context)
    {
        kaio::service_options options;
        options.helper_threads = 1;
        kaio::make_aio_service(*context, options);
    }

    ~metadata_fixture()
    {
        if (context)
        {
            run_again(*context);
            context.reset();
        }
        BOOST_TEST(open_descriptors() == descriptors);
    }

    kaio::service_statistics statistics()
    {
        return asio::use_service<kaio::aio_service>(*context).statistics();
    }

    void open(kaio::random_access_file& file, const std::string& path, file_base::flags flags)
    {
        initiate([&] { file.async_open(path, flags, record_plain_in(result)); });
    }

    const temporary_file target{std::size_t(10000)};
    const std::size_t descriptors;
    std::unique_ptr<asio::io_context> context;
    outcome result;
};

// Ways of taking back an operation that waits.
enum class way
{
    slot,
    cancel,
    close,
    destruction,
    assignment
};

std::ostream& operator<<(std::ostream& os, way w)
{
    constexpr const char* names[] = {"slot", "cancel", "close", "destruction", "assignment"};
    return os << names[static_cast<int>(w)];
}

const way ways[] = {way::slot, way::cancel, way::close, way::destruction, way::assignment};

struct abortable
{
    explicit abortable(asio::io_context& context)
      : file(std::make_unique<kaio::random_access_file>(context))
    {
    }

    auto handler(outcome& result)
    {
        return asio::bind_cancellation_slot(signal.slot(), record_plain_in(result));
    }

    void abort(way how)
    {
        switch (how)
        {
        case way::slot:
            signal.emit(asio::cancellation_type::total);
            break;
        case way::cancel:
            file->cancel();
            break;
        case way::close:
            file->close();
            break;
        case way::destruction:
            file.reset();
            break;
        case way::assignment:
            *file = kaio::random_access_file(file->get_executor());
            break;
        }
    }

    asio::cancellation_signal signal;
    std::unique_ptr<kaio::random_access_file> file;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(metadata, metadata_fixture)

BOOST_AUTO_TEST_SUITE(opening)

BOOST_AUTO_TEST_CASE(a_file_is_open_once_its_handler_is_called)
{
    kaio::random_access_file file(*context);
    std::string memory(100, '\0');
    outcome read;
    initiate([&] {
        file.async_open(target.path(), file_base::read_only, [&](boost::system::error_code ec) {
            BOOST_TEST(!ec);
            BOOST_TEST(!initiation_guard::active());
            BOOST_TEST(file.is_open());
            BOOST_TEST(file.size() == 10000U);
            file.async_read_some_at(50, asio::buffer(memory), record_in(read));
        });
    });
    BOOST_TEST(!file.is_open());
    run(*context);
    BOOST_TEST(read.succeeded(100), read);
    BOOST_TEST(memory == pattern(50, 100));
    const int flags = ::fcntl(file.native_handle(), F_GETFD);
    BOOST_TEST((flags & FD_CLOEXEC) != 0);
}

BOOST_AUTO_TEST_CASE(errors_are_those_of_open)
{
    kaio::random_access_file file(*context);
    const struct
    {
        std::string path;
        file_base::flags flags;
        int error;
    } cases[] = {
        {target.path() + "/missing", file_base::read_only, ENOTDIR},
        {target.path() + "-missing", file_base::read_only, ENOENT},
        {directory(), file_base::write_only, EISDIR},
        {target.path(), file_base::write_only | file_base::create | file_base::exclusive, EEXIST},
        {"", file_base::read_only, ENOENT},
        {std::string(5000, 'x'), file_base::read_only, ENAMETOOLONG}};
    for (const auto& c : cases)
    {
        outcome o;
        initiate([&] { file.async_open(c.path, c.flags, record_plain_in(o)); });
        run_again(*context);
        BOOST_TEST(o.failed(system_error(c.error)), c.path << ": " << o);
        BOOST_TEST(!file.is_open());
        BOOST_TEST(file.native_handle() == -1);
    }
    // A failure leaves nothing behind.
    open(file, target.path(), file_base::read_only);
    run_again(*context);
    BOOST_TEST(result.succeeded(0), result);
    BOOST_TEST(file.is_open());
}

// The handler of an opening tells another thread of it, while its own is still about to leave it.
BOOST_AUTO_TEST_CASE(another_thread_may_open_the_file_again)
{
    auto work = asio::make_work_guard(*context);
    std::thread runner([&] { context->run(); });
    kaio::random_access_file file(*context);
    for (std::size_t i = scaled(1000, 100); i != 0; --i)
    {
        const bool missing = i % 2 == 0;
        const auto promise = std::make_shared<std::promise<boost::system::error_code>>();
        auto opened = promise->get_future();
        file.async_open(target.path() + (missing ? "-missing" : ""), file_base::read_only,
                        [promise](boost::system::error_code ec) { promise->set_value(ec); });
        BOOST_REQUIRE((opened.wait_for(time_bound) == std::future_status::ready));
        const boost::system::error_code ec = opened.get();
        BOOST_TEST(ec == (missing ? system_error(ENOENT) : boost::system::error_code()));
        boost::system::error_code again;
        file.open(target.path(), file_base::read_only, again);
        BOOST_TEST((missing ? !again : again == asio::error::already_open), again);
        BOOST_TEST(file.is_open());
        file.close();
    }
    work.reset();
    runner.join();
}

BOOST_AUTO_TEST_CASE(what_has_no_offsets_is_refused)
{
    int ends[2];
    BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    kaio::random_access_file file(*context);
    open(file, "/proc/self/fd/" + std::to_string(ends[0]), file_base::read_only);
    run(*context);
    BOOST_TEST(result.failed(system_error(ESPIPE)), result);
    BOOST_TEST(!file.is_open());
    ::close(ends[0]);
    ::close(ends[1]);
}

// A named pipe whose other end nobody has.
class one_ended_pipe
{
public:
    one_ended_pipe()
    {
        ::unlink(place_.c_str());
        BOOST_REQUIRE(::mkfifo(place_.c_str(), 0600) == 0);
    }

    const std::string& path() const
    {
        return place_.path();
    }

    // Whoever waits for the other end goes on.
    void open_both_ends()
    {
        descriptor_ = ::open(place_.c_str(), O_RDWR | O_CLOEXEC);
    }

    ~one_ended_pipe()
    {
        if (descriptor_ != -1)
            ::close(descriptor_);
    }

private:
    temporary_file place_;
    int descriptor_ = -1;
};

// kaio does not wait for a pipe that it refuses, nor wakes the process at its other end.
BOOST_AUTO_TEST_CASE(a_named_pipe_is_refused_at_once)
{
    constexpr std::chrono::seconds soon(10);
    for (const auto flags : {file_base::read_only, file_base::write_only, file_base::read_write,
                             file_base::write_only | file_base::create})
    {
        one_ended_pipe pipe;
        kaio::random_access_file file(*context);
        outcome o;
        initiate([&] { file.async_open(pipe.path(), flags, record_plain_in(o)); });
        context->restart();
        context->run_for(soon);
        BOOST_TEST(o.failed(system_error(ESPIPE)), o);
        BOOST_TEST(!file.is_open());

        kaio::stream_file at_once(*context);
        auto opened = std::async(std::launch::async, [&] {
            boost::system::error_code ec;
            at_once.open(pipe.path(), flags, ec);
            return ec;
        });
        BOOST_TEST((opened.wait_for(soon) == std::future_status::ready));
        pipe.open_both_ends();
        BOOST_TEST(opened.get() == system_error(ESPIPE));
        run_again(*context);
    }
}

BOOST_AUTO_TEST_CASE(a_named_pipe_is_left_alone)
{
    const one_ended_pipe pipe;
    const int reader = ::open(pipe.path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    kaio::random_access_file file(*context);
    open(file, pipe.path(), file_base::write_only);
    run(*context);
    BOOST_TEST(result.failed(system_error(ESPIPE)), result);
    // No writer has come and gone.
    ::pollfd poll = {reader, POLLIN, 0};
    BOOST_TEST(::poll(&poll, 1, 0) == 0);
    ::close(reader);
}

// open(2) refuses these without waiting, each with its own error.
BOOST_AUTO_TEST_CASE(errors_of_a_named_pipe)
{
    const one_ended_pipe pipe;
    const std::string link = pipe.path() + "-link";
    BOOST_REQUIRE(::symlink(pipe.path().c_str(), link.c_str()) == 0);
    const struct
    {
        const std::string& path;
        int flags;
        int error;
    } cases[] = {{pipe.path(), O_WRONLY | O_CREAT | O_EXCL, EEXIST},
                 {pipe.path(), O_RDONLY | O_DIRECTORY, ENOTDIR},
                 {pipe.path(), O_WRONLY | O_NONBLOCK, ENXIO},
                 {link, O_RDONLY | O_NOFOLLOW, ELOOP},
                 {link, O_RDONLY, ESPIPE}};
    for (const auto& c : cases)
    {
        kaio::random_access_file file(*context);
        boost::system::error_code ec;
        file.open(c.path, static_cast<file_base::flags>(c.flags), ec);
        BOOST_TEST(ec == system_error(c.error), c.flags << ": " << ec);
    }
    ::unlink(link.c_str());
}

BOOST_AUTO_TEST_CASE(a_new_file_has_the_permissions_asked_for)
{
    const temporary_file place;
    const ::mode_t mask = ::umask(027);
    const struct
    {
        int given;
        ::mode_t expected;
    } cases[] = {{-1, 0640}, {0600, 0600}, {0666, 0640}, {0777, 0750}};
    for (const auto& c : cases)
    {
        ::unlink(place.c_str());
        kaio::random_access_file file(*context);
        const file_base::flags flags = file_base::write_only | file_base::create;
        outcome o;
        if (c.given == -1)
            file.async_open(place.path(), flags, record_plain_in(o));
        else
            file.async_open(place.path(), flags, static_cast<unsigned>(c.given),
                            record_plain_in(o));
        run_again(*context);
        BOOST_TEST(o.succeeded(0), o);
        struct stat status = {};
        ::stat(place.c_str(), &status);
        BOOST_TEST((status.st_mode & 0777) == c.expected);
    }
    ::umask(mask);
}

BOOST_AUTO_TEST_CASE(the_path_is_copied)
{
    blocked_helper blocker(*context);
    kaio::random_access_file file(*context);
    std::string path = target.path();
    open(file, path, file_base::read_only);
    path.assign(path.size(), 'x');
    blocker.release();
    run_again(*context);
    BOOST_TEST(result.succeeded(0), result);
}

BOOST_AUTO_TEST_CASE(an_open_file_is_not_opened)
{
    kaio::random_access_file file(*context, target.path(), file_base::read_only);
    const int descriptor = file.native_handle();
    open(file, target.path(), file_base::read_only);
    BOOST_TEST(result.calls == 0);
    run(*context);
    BOOST_TEST(result.failed(asio::error::already_open), result);
    BOOST_TEST(file.native_handle() == descriptor);
}

BOOST_AUTO_TEST_CASE(a_second_opening_is_refused)
{
    blocked_helper blocker(*context);
    kaio::random_access_file file(*context);
    open(file, target.path(), file_base::read_only);
    outcome second;
    initiate(
        [&] { file.async_open(target.path(), file_base::read_only, record_plain_in(second)); });
    boost::system::error_code ec;
    file.open(target.path(), file_base::read_only, ec);
    BOOST_TEST(ec == asio::error::already_started);
    const int descriptor = ::open(target.c_str(), O_RDONLY | O_CLOEXEC);
    file.assign(descriptor, ec);
    BOOST_TEST(ec == asio::error::already_started);
    ::close(descriptor);
    blocker.release();
    run_again(*context);
    BOOST_TEST(second.failed(asio::error::already_started), second);
    BOOST_TEST(result.succeeded(0), result);
    BOOST_TEST(file.is_open());
}

BOOST_AUTO_TEST_CASE(operations_before_the_file_is_open)
{
    blocked_helper blocker(*context);
    kaio::random_access_file file(*context);
    open(file, target.path(), file_base::read_only);
    std::string memory(10, '\0');
    outcome read;
    file.async_read_some_at(0, asio::buffer(memory), record_in(read));
    outcome sync;
    file.async_sync_all(record_plain_in(sync));
    blocker.release();
    run_again(*context);
    BOOST_TEST(read.failed(asio::error::bad_descriptor), read);
    BOOST_TEST(sync.failed(asio::error::bad_descriptor), sync);
    BOOST_TEST(result.succeeded(0), result);
}

BOOST_DATA_TEST_CASE_F(metadata_fixture, an_opening_is_aborted_while_it_waits, data::make(ways),
                       how)
{
    blocked_helper blocker(*context);
    abortable a(*context);
    initiate([&] {
        a.file->async_open(target.path(), file_base::read_only, a.handler(result));
        a.abort(how);
    });
    // At once, not when the helper is free.
    run_until(*context, [&] { return result.calls != 0; });
    BOOST_TEST(result.aborted(), result);
    if (a.file)
    {
        BOOST_TEST(!a.file->is_open());
        outcome again;
        a.file->async_open(target.path(), file_base::read_only, record_plain_in(again));
        blocker.release();
        run_again(*context);
        BOOST_TEST(again.succeeded(0), again);
        BOOST_TEST(a.file->is_open());
    }
    blocker.release();
    run_again(*context);
}

// The wait for the helper must not outlive what it was for.
BOOST_DATA_TEST_CASE_F(metadata_fixture, nothing_is_waited_for_after_an_abortion, data::make(ways),
                       how)
{
    const std::size_t rounds = 200;
    for (std::size_t i = 0; i != rounds; ++i)
    {
        abortable a(*context);
        outcome o;
        outcome other;
        kaio::random_access_file first(*context);
        first.async_open(target.path(), file_base::read_only, record_plain_in(other));
        a.file->async_open(target.path(), file_base::read_only, a.handler(o));
        context->restart();
        context->poll_one();
        context->poll_one();
        a.abort(how);
        run_again(*context);
        BOOST_REQUIRE(o.calls == 1);
        BOOST_REQUIRE(other.succeeded(0));
    }
}

// An opening that has begun goes on. If its object was closed or destroyed meanwhile, nothing stays
// open.
BOOST_DATA_TEST_CASE_F(metadata_fixture, an_opening_is_aborted_while_it_is_done, data::make(ways),
                       how)
{
    held_open held(target.path());
    if (!held.works())
        return skip("no leases here");
    abortable a(*context);
    initiate([&] { a.file->async_open(target.path(), file_base::read_only, a.handler(result)); });
    run_until_begun(*context, 1);
    a.abort(how);
    context->restart();
    context->poll();
    BOOST_TEST(result.calls == 0);
    held.release();
    run_again(*context);
    if (how == way::slot)
    {
        BOOST_TEST(result.succeeded(0), result);
        BOOST_TEST(a.file->is_open());
        return;
    }
    BOOST_TEST(result.aborted(), result);
    if (!a.file)
        return;
    BOOST_TEST(!a.file->is_open());
    outcome again;
    a.file->async_open(target.path(), file_base::read_only, record_plain_in(again));
    run_again(*context);
    BOOST_TEST(again.succeeded(0), again);
}

BOOST_DATA_TEST_CASE_F(metadata_fixture, an_object_may_be_moved_during_its_opening,
                       data::make({false, true}), begun)
{
    held_open held(target.path());
    if (!held.works())
        return skip("no leases here");
    kaio::random_access_file file(*context);
    open(file, target.path(), file_base::read_only);
    if (begun)
        run_until_begun(*context, 1);
    kaio::random_access_file moved(std::move(file));
    outcome of_old;
    initiate([&] {
        // The object that was moved from is free for another file.
        file.async_open(target.path() + "-missing", file_base::read_only, record_plain_in(of_old));
    });
    held.release();
    run_again(*context);
    BOOST_TEST(result.succeeded(0), result);
    BOOST_TEST(moved.is_open());
    BOOST_TEST(!file.is_open());
    BOOST_TEST(of_old.failed(system_error(ENOENT)), of_old);
}

BOOST_AUTO_TEST_CASE(opened_in_a_handler_that_destroys_the_object)
{
    auto file = std::make_unique<kaio::random_access_file>(*context);
    auto& reference = *file;
    bool open = false;
    reference.async_open(target.path(), file_base::read_only,
                         [&, owned = std::move(file)](boost::system::error_code) mutable {
                             open = owned->is_open();
                             owned.reset();
                         });
    run(*context);
    BOOST_TEST(open);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(closing)

BOOST_AUTO_TEST_CASE(the_object_is_closed_at_once)
{
    blocked_helper blocker(*context);
    kaio::random_access_file file(*context, target.path(), file_base::read_only);
    const int first = file.native_handle();
    initiate([&] { file.async_close(record_plain_in(result)); });
    BOOST_TEST(!file.is_open());
    file.open(target.path(), file_base::read_write);
    BOOST_TEST(file.native_handle() != first);
    // Nothing takes the number while the old file still has it.
    BOOST_TEST(::fcntl(first, F_GETFD) != -1);
    blocker.release();
    run_again(*context);
    BOOST_TEST(result.succeeded(0), result);
    BOOST_TEST(::fcntl(first, F_GETFD) == -1);
    BOOST_TEST(file.size() == 10000U);
}

BOOST_AUTO_TEST_CASE(a_closed_file_is_closed)
{
    kaio::random_access_file file(*context);
    initiate([&] { file.async_close(record_plain_in(result)); });
    BOOST_TEST(result.calls == 0);
    run(*context);
    BOOST_TEST(result.succeeded(0), result);
}

BOOST_AUTO_TEST_CASE(errors_are_those_of_close)
{
    kaio::random_access_file file(*context, target.path(), file_base::read_only);
    ::close(file.native_handle());
    file.async_close(record_plain_in(result));
    run(*context);
    BOOST_TEST(result.failed(system_error(EBADF)), result);
    BOOST_TEST(!file.is_open());
}

BOOST_AUTO_TEST_CASE(a_close_is_not_given_up)
{
    blocked_helper blocker(*context);
    auto file =
        std::make_unique<kaio::random_access_file>(*context, target.path(), file_base::read_only);
    const int descriptor = file->native_handle();
    asio::cancellation_signal signal;
    file->async_close(asio::bind_cancellation_slot(signal.slot(), record_plain_in(result)));
    signal.emit(asio::cancellation_type::all);
    file.reset();
    blocker.release();
    run_again(*context);
    BOOST_TEST(result.succeeded(0), result);
    BOOST_TEST(::fcntl(descriptor, F_GETFD) == -1);
}

BOOST_AUTO_TEST_CASE(what_waits_is_aborted)
{
    blocked_helper blocker(*context);
    kaio::random_access_file file(*context, target.path(), file_base::read_write);
    outcome resized;
    file.async_resize(5, record_plain_in(resized));
    context->restart();
    context->poll();
    file.async_close(record_plain_in(result));
    run_until(*context, [&] { return resized.calls != 0; });
    BOOST_TEST(resized.aborted(), resized);
    blocker.release();
    run_again(*context);
    BOOST_TEST(result.succeeded(0), result);
    BOOST_TEST(target.contents().size() == 10000U);
}

BOOST_AUTO_TEST_CASE(destruction_of_the_context_closes_the_file)
{
    kaio::random_access_file file(*context, target.path(), file_base::read_only);
    const int descriptor = file.native_handle();
    file.async_close(record_plain_in(result));
    context.reset();
    BOOST_TEST(result.calls == 0);
    BOOST_TEST(::fcntl(descriptor, F_GETFD) == -1);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(sizes)

BOOST_AUTO_TEST_CASE(resize_and_allocate_change_the_file)
{
    kaio::random_access_file file(*context, target.path(), file_base::read_write);
    for (const std::uint64_t size : {0U, 1U, 123456U, 4096U})
    {
        outcome o;
        initiate([&] { file.async_resize(size, record_plain_in(o)); });
        BOOST_TEST(o.calls == 0);
        run_again(*context);
        BOOST_TEST(o.succeeded(0), o);
        BOOST_TEST(file.size() == size);
    }
    initiate([&] { file.async_allocate(4096, 100000, record_plain_in(result)); });
    run_again(*context);
    if (result.ec == boost::system::errc::operation_not_supported)
        return skip("the file system has no fallocate");
    BOOST_TEST(result.succeeded(0), result);
    BOOST_TEST(file.size() == 104096U);
    struct stat status = {};
    ::fstat(file.native_handle(), &status);
    BOOST_TEST(status.st_blocks * 512 >= 100000);
}

BOOST_AUTO_TEST_CASE(errors_are_those_of_the_calls)
{
    kaio::random_access_file file(*context);
    const auto check = [&](auto start, const boost::system::error_code& expected) {
        outcome o;
        initiate([&] { start(record_plain_in(o)); });
        BOOST_TEST(o.calls == 0);
        run_again(*context);
        BOOST_TEST(o.failed(expected), o);
    };
    const auto resize_to = [&](std::uint64_t n) {
        return [&file, n](record_plain_in h) { file.async_resize(n, std::move(h)); };
    };
    const auto allocate = [&](std::uint64_t offset, std::uint64_t length) {
        return [&file, offset, length](record_plain_in h) {
            file.async_allocate(offset, length, std::move(h));
        };
    };
    check(resize_to(1), asio::error::bad_descriptor);
    check(allocate(0, 1), asio::error::bad_descriptor);
    file.open(target.path(), file_base::read_only);
    check(resize_to(1), asio::error::invalid_argument);
    check(allocate(0, 1), asio::error::bad_descriptor);
    file.close();
    file.open(target.path(), file_base::read_write);
    check(resize_to(UINT64_MAX), asio::error::invalid_argument);
    check(allocate(UINT64_MAX, 1), asio::error::invalid_argument);
    check(allocate(0, 0), asio::error::invalid_argument);
    check(allocate(INT64_MAX, INT64_MAX), system_error(EFBIG));
    BOOST_TEST(file.size() == 10000U);
}

BOOST_DATA_TEST_CASE_F(metadata_fixture, operations_are_aborted_while_they_wait,
                       data::make(ways) * data::make({true, false}), how, resize)
{
    blocked_helper blocker(*context);
    abortable a(*context);
    a.file->open(target.path(), file_base::read_write);
    initiate([&] {
        if (resize)
            a.file->async_resize(5, a.handler(result));
        else
            a.file->async_allocate(0, 50000, a.handler(result));
        a.abort(how);
    });
    run_until(*context, [&] { return result.calls != 0; });
    BOOST_TEST(result.aborted(), result);
    blocker.release();
    run_again(*context);
    BOOST_TEST(target.contents().size() == 10000U);
}

BOOST_AUTO_TEST_CASE(an_object_may_be_moved_meanwhile)
{
    blocked_helper blocker(*context);
    kaio::random_access_file file(*context, target.path(), file_base::read_write);
    file.async_resize(5, record_plain_in(result));
    kaio::random_access_file moved(std::move(file));
    blocker.release();
    run_again(*context);
    BOOST_TEST(result.succeeded(0), result);
    BOOST_TEST(moved.size() == 5U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(handlers_run_on_their_executor)
{
    kaio::random_access_file file(*context);
    int calls = 0;
    const tracking_executor executor(7, context->get_executor());
    const auto on = [&](auto f) { return asio::bind_executor(executor, std::move(f)); };
    file.async_open(target.path(), file_base::read_write, on([&](boost::system::error_code) {
                        BOOST_TEST(running_on(7));
                        ++calls;
                        file.async_resize(
                            5, on([&](boost::system::error_code) {
                                BOOST_TEST(running_on(7));
                                ++calls;
                                file.async_allocate(
                                    0, 1, on([&](boost::system::error_code) {
                                        BOOST_TEST(running_on(7));
                                        ++calls;
                                        file.async_sync_all(on([&](boost::system::error_code) {
                                            BOOST_TEST(running_on(7));
                                            ++calls;
                                            file.async_close(on([&](boost::system::error_code) {
                                                BOOST_TEST(running_on(7));
                                                ++calls;
                                            }));
                                        }));
                                    }));
                            }));
                    }));
    run(*context);
    BOOST_TEST(calls == 5);
}

// Handlers are destroyed uncalled, and what was begun for nobody is undone.
BOOST_DATA_TEST_CASE_F(metadata_fixture, the_context_ends, data::make({false, true}), objects_live)
{
    held_open held(target.path());
    if (!held.works())
        return skip("no leases here");
    auto begun = std::make_unique<kaio::random_access_file>(*context);
    auto waiting = std::make_unique<kaio::random_access_file>(*context);
    const temporary_file target2(std::size_t(10000));
    auto closing =
        std::make_unique<kaio::random_access_file>(*context, target2.path(), file_base::read_write);
    auto sizes =
        std::make_unique<kaio::random_access_file>(*context, target2.path(), file_base::read_write);
    const auto life = std::make_shared<int>();
    const auto handler = [&, life](boost::system::error_code) { ++result.calls; };
    begun->async_open(target.path(), file_base::read_only, handler);
    run_until_begun(*context, 1);
    waiting->async_open(target.path(), file_base::read_only, handler);
    closing->async_close(handler);
    sizes->async_resize(5, handler);
    sizes->async_allocate(0, 50000, handler);
    BOOST_TEST(life.use_count() == 7);

    if (objects_live)
    {
        // As when handlers own the files: they are destroyed by the context.
        asio::post(*context, [a = std::move(begun), b = std::move(waiting), c = std::move(closing),
                              d = std::move(sizes)] {});
    }
    begun.reset();
    waiting.reset();
    closing.reset();
    sizes.reset();

    // The end waits for the helper.
    std::thread releaser([&] { held.release(); });
    context.reset();
    releaser.join();
    BOOST_TEST(result.calls == 0);
    BOOST_TEST(life.use_count() == 2);
    // With an object lives its operation, which the helper may still come to.
    BOOST_TEST((objects_live || target2.contents().size() == 10000U));
}

BOOST_AUTO_TEST_CASE(the_context_ends_before_the_handler_of_an_opening_is_called)
{
    kaio::random_access_file file(*context);
    open(file, target.path(), file_base::read_only);
    run_until_begun(*context, 1);
    file.close();
    context.reset();
    BOOST_TEST(result.calls <= 1);
}

namespace {

/// The results of an operation on another thread.
struct answer
{
    boost::system::error_code ec;
    std::size_t bytes;
};

template <typename Start>
std::future<answer> ask(Start start)
{
    auto promise = std::make_shared<std::promise<answer>>();
    auto result = promise->get_future();
    start([promise](boost::system::error_code ec, std::size_t bytes = 0) {
        promise->set_value({ec, bytes});
    });
    return result;
}

} // namespace

// An opening under way may end at any moment. What is started meanwhile sees the file before or
// after.
BOOST_AUTO_TEST_CASE(what_is_started_during_an_opening_sees_one_moment)
{
    asio::thread_pool pool(2);
    kaio::random_access_file file(pool);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i != scaled(6000, 500); ++i)
    {
        const bool opens = i % 2 == 0;
        auto opened = ask([&](auto handler) {
            file.async_open(opens ? target.path() : "/nonexistent/a", file_base::read_only,
                            std::move(handler));
        });
        answer other;
        char byte;
        do
        {
            other =
                ask([&](auto handler) {
                    if (opens)
                        file.async_read_some_at(0, asio::buffer(&byte, 1), std::move(handler));
                    else
                        file.async_open("/nonexistent/b", file_base::read_only, std::move(handler));
                }).get();
        } while (other.ec == asio::error::already_started ||
                 other.ec == asio::error::bad_descriptor);
        wrong += opens ? other.ec || other.bytes != 1 : other.ec != system_error(ENOENT);
        opened.wait();
        boost::system::error_code ignored;
        file.close(ignored);
    }
    BOOST_TEST(wrong == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
