//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// What threads and events of the parent do to a forked child, and what the system refuses around a
// fork.

#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <csignal>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/block_size.hpp"
#include "support/child_process.hpp"
#include "support/interposed_io.hpp"
#include "support/needs_aio.hpp"
#include "support/outcome.hpp"
#include "support/plain_outcome.hpp"
#include "support/run.hpp"
#include "support/sanitizers.hpp"
#include "support/scale.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;

using namespace kaio::test;

using kaio::file_base;

namespace {

// The descriptor that the reactor refuses, and the number of refusals.
std::atomic<int> refused_descriptor{-1};
std::atomic<int> refusals{0};

} // namespace

// In place of the C library's.
extern "C" int epoll_ctl(int set, int operation, int descriptor, ::epoll_event* event)
{
    if (descriptor == refused_descriptor && operation == EPOLL_CTL_ADD)
    {
        ++refusals;
        errno = ENOSPC;
        return -1;
    }
    return static_cast<int>(::syscall(SYS_epoll_ctl, set, operation, descriptor, event));
}

namespace {

constexpr std::size_t blocks = 64;

struct context_with_file
{
    explicit context_with_file(transfer_mode mode = transfer_mode::buffered)
      : file(std::make_unique<kaio::random_access_file>(*context, target.path(),
                                                        file_base::read_only | mode))
    {
    }

    void notify(asio::execution_context::fork_event event)
    {
        context->notify_fork(event);
    }

    void start_reads(std::size_t count)
    {
        results.clear();
        results.resize(count);
        for (std::size_t i = 0; i != count; ++i)
            file->async_read_some_at(i % blocks * block_size,
                                     asio::buffer(memory.data(), block_size),
                                     record_in(results[i]));
    }

    bool run()
    {
        context->restart();
        context->run_for(time_bound);
        return context->stopped();
    }

    // Reads that all have the right result.
    bool reads(std::size_t count)
    {
        start_reads(count);
        bool right = run();
        for (const outcome& o : results)
            right = right && o.succeeded(block_size);
        return right;
    }

    const temporary_file target{blocks * block_size};
    std::unique_ptr<asio::io_context> context = std::make_unique<asio::io_context>();
    std::unique_ptr<kaio::random_access_file> file;
    std::deque<outcome> results;
    aligned_memory memory{block_size};
};

constexpr auto prepare = asio::execution_context::fork_prepare;
constexpr auto in_parent = asio::execution_context::fork_parent;
constexpr auto in_child = asio::execution_context::fork_child;

// The eventfds of this process.
std::set<int> eventfds()
{
    std::set<int> result;
    for (int descriptor = 0; descriptor != 100; ++descriptor)
    {
        const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
        char target[64] = {};
        if (::readlink(link.c_str(), target, sizeof(target) - 1) > 0 &&
            std::string(target) == "anon_inode:[eventfd]")
            result.insert(descriptor);
    }
    return result;
}

// The only eventfd that is not among those of before.
int new_eventfd(const std::set<int>& before)
{
    std::vector<int> made;
    for (const int descriptor : eventfds())
    {
        if (before.count(descriptor) == 0)
            made.push_back(descriptor);
    }
    BOOST_REQUIRE(made.size() == 1U);
    return made.front();
}

class descriptor_limit
{
public:
    explicit descriptor_limit(::rlim_t limit)
    {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const ::rlimit lower = {limit, before_.rlim_max};
        BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &lower) == 0);
    }

    ~descriptor_limit()
    {
        ::setrlimit(RLIMIT_NOFILE, &before_);
    }

    descriptor_limit(const descriptor_limit&) = delete;
    descriptor_limit& operator=(const descriptor_limit&) = delete;

private:
    ::rlimit before_;
};

// The first descriptor that a limit of the process has to refuse, so that it refuses the next.
::rlim_t first_free_descriptor()
{
    const int descriptor = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(descriptor);
    return static_cast<::rlim_t>(descriptor);
}

// A thread that starts more operations than it keeps memory for, and completes them: it takes the
// lock of the store of memory that all threads share as often as it can.
class busy_context
{
public:
    explicit busy_context(const std::string& path)
      : file_(context_, path, file_base::read_only), thread_([this] {
            while (!stop_)
                start_and_complete(500);
        })
    {
    }

    ~busy_context()
    {
        stop_ = true;
        thread_.join();
    }

    busy_context(const busy_context&) = delete;
    busy_context& operator=(const busy_context&) = delete;

private:
    void start_and_complete(int operations)
    {
        for (int i = 0; i != operations; ++i)
            file_.async_read_some_at(0, asio::buffer(&byte_, 1),
                                     [](const boost::system::error_code&, std::size_t) {});
        context_.restart();
        context_.run();
    }

    asio::io_context context_;
    kaio::random_access_file file_;
    char byte_ = 0;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(fork_isolation)

// They may hold any lock of the process at the moment of the fork.
BOOST_AUTO_TEST_CASE(threads_of_an_unrelated_context, *boost::unit_test::timeout(120))
{
    if (under_sanitizer)
        return skip("the allocator of gcc 12's sanitizers has locks that a child may find held");
    context_with_file f;
    const temporary_file other(block_size);
    BOOST_TEST(f.reads(blocks));
    const busy_context first(other.path());
    const busy_context second(other.path());
    for (std::size_t round = 0; round != scaled(1500); ++round)
    {
        f.notify(prepare);
        const ::pid_t child = start_child([&] {
            // Each AIO context would cost 70 ms at the end of the child.
            const interposed_setup without_aio([](unsigned, ::aio_context_t*) { return -ENOSYS; });
            f.notify(in_child);
            KAIO_REQUIRE_IN_CHILD(f.reads(4 * blocks));
            asio::io_context context;
            kaio::random_access_file file(context, other.path(), file_base::read_only);
            outcome read;
            char byte;
            file.async_read_some_at(0, asio::buffer(&byte, 1), record_in(read));
            context.run_for(time_bound);
            KAIO_REQUIRE_IN_CHILD(read.succeeded(1));
            return 0;
        });
        f.notify(in_parent);
        BOOST_REQUIRE(wait_for(child) == 0);
    }
}

// The kernel still signals the parent's eventfd. The child must not take that for its own events.
BOOST_AUTO_TEST_CASE(signals_of_the_parent_are_not_taken_for_events)
{
    asio::io_context context;
    const asio::posix::stream_descriptor makes_the_reactor(context);
    const std::set<int> before = eventfds();
    kaio::make_aio_service(context);
    // Signals go this way whatever the child makes of the number.
    const int parents = ::dup(new_eventfd(before));
    const temporary_file target(block_size);
    kaio::random_access_file file(context, target.path(), file_base::read_only);
    std::string memory(block_size, '\0');
    const auto reads = [&] {
        outcome read;
        file.async_read_some_at(0, asio::buffer(memory), record_in(read));
        context.restart();
        context.run_for(time_bound);
        return read.succeeded(block_size);
    };
    BOOST_TEST(reads());
    context.notify_fork(prepare);
    const ::pid_t child = start_child([&] {
        context.notify_fork(in_child);
        asio::posix::stream_descriptor own(context, ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
        bool readable = false;
        own.async_wait(asio::posix::descriptor_base::wait_read,
                       [&](const boost::system::error_code& ec) { readable = !ec; });
        for (int i = 0; i != 100; ++i)
        {
            ::eventfd_write(parents, 1);
            context.restart();
            context.poll();
            KAIO_REQUIRE_IN_CHILD(!readable);
        }
        ::eventfd_write(own.native_handle(), 1);
        context.restart();
        context.run_for(time_bound);
        KAIO_REQUIRE_IN_CHILD(readable);
        KAIO_REQUIRE_IN_CHILD(reads());
        return 0;
    });
    context.notify_fork(in_parent);
    BOOST_TEST(wait_for(child) == 0);
    BOOST_TEST(reads());
    ::close(parents);
}

// A wait that has ended in the parent, and whose turn has not begun, is none of the child's.
BOOST_AUTO_TEST_CASE(turns_that_the_parent_has_not_begun)
{
    for (std::size_t handlers = 0; handlers != 40; ++handlers)
    {
        context_with_file f;
        f.start_reads(blocks);
        for (std::size_t i = 0; i != handlers; ++i)
            f.context->poll_one();
        f.notify(prepare);
        const ::pid_t child = start_child([&] {
            f.notify(in_child);
            KAIO_REQUIRE_IN_CHILD(f.run());
            for (const outcome& o : f.results)
                KAIO_REQUIRE_IN_CHILD(o.succeeded(block_size) || o.aborted());
            for (int i = 0; i != 3; ++i)
                KAIO_REQUIRE_IN_CHILD(f.reads(blocks));
            return 0;
        });
        f.notify(in_parent);
        BOOST_TEST(f.run());
        for (const outcome& o : f.results)
            BOOST_TEST(o.succeeded(block_size), o);
        BOOST_TEST(wait_for(child) == 0);
    }
}

// in_new_namespace() returns this where new namespaces are not allowed.
constexpr int no_namespaces = 4;

// The first process of a PID namespace isn't ended by the alarm that bounds the time of a child.
void end_with_parent()
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
}

// Call a function in a child process that is the first of a new PID namespace.
template <typename Function>
int in_new_namespace(Function&& function)
{
    return run_in_child([&] {
        if (::unshare(CLONE_NEWPID) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0)
            return no_namespaces;
        return wait_for(start_child([&] {
            end_with_parent();
            return function();
        }));
    });
}

// Parent and child both have the process id 1.
BOOST_AUTO_TEST_CASE(a_child_in_a_new_pid_namespace_goes_on,
                     *boost::unit_test::precondition(&needs_aio) *
                         boost::unit_test::precondition(&needs_direct_io))
{
    for (int round = 0; round != 10; ++round)
    {
        const int status = in_new_namespace([] {
            KAIO_REQUIRE_IN_CHILD(::getpid() == 1);
            context_with_file f(transfer_mode::direct);
            f.start_reads(blocks);
            f.context->poll_one();
            if (::unshare(CLONE_NEWPID) != 0)
                return no_namespaces;
            const ::pid_t child = start_child([&] {
                end_with_parent();
                KAIO_REQUIRE_IN_CHILD(::getpid() == 1);
                f.file->cancel();
                f.file.reset();
                f.context.reset();
                return 0;
            });
            KAIO_REQUIRE_IN_CHILD(wait_for(child) == 0);
            KAIO_REQUIRE_IN_CHILD(f.run());
            for (const outcome& o : f.results)
                KAIO_REQUIRE_IN_CHILD(o.succeeded(block_size));
            return 0;
        });
        if (status == no_namespaces)
            return skip("no new PID namespaces here");
        BOOST_REQUIRE(status == 0);
    }
}

// The child's eventfd is made before the fork, so that it can't lack one.
BOOST_AUTO_TEST_CASE(a_fork_is_refused_without_a_descriptor_for_the_child)
{
    context_with_file f;
    f.start_reads(blocks);
    {
        const descriptor_limit limit(first_free_descriptor());
        BOOST_CHECK_EXCEPTION(f.notify(prepare), boost::system::system_error,
                              [](const boost::system::system_error& e) {
                                  return e.code() == boost::system::errc::too_many_files_open &&
                                         std::string(e.what()).find("eventfd") != std::string::npos;
                              });
        f.notify(in_parent);
        BOOST_TEST(f.run());
        for (const outcome& o : f.results)
            BOOST_TEST(o.succeeded(block_size), o);
    }
    f.notify(prepare);
    const ::pid_t child = start_child([&] {
        const descriptor_limit limit(first_free_descriptor());
        f.notify(in_child);
        KAIO_REQUIRE_IN_CHILD(f.reads(blocks));
        return 0;
    });
    f.notify(in_parent);
    BOOST_TEST(f.reads(blocks));
    BOOST_TEST(wait_for(child) == 0);
}

// So the reactor is told of the child's eventfd before the fork, too.
BOOST_AUTO_TEST_CASE(a_fork_is_refused_without_room_in_the_reactor)
{
    context_with_file f;
    f.start_reads(blocks);
    refused_descriptor = static_cast<int>(first_free_descriptor());
    BOOST_CHECK_EXCEPTION(f.notify(prepare), boost::system::system_error,
                          [](const boost::system::system_error& e) {
                              return e.code() == boost::system::errc::no_space_on_device;
                          });
    BOOST_TEST(refusals == 1);
    refused_descriptor = -1;
    f.notify(in_parent);
    BOOST_TEST(f.run());
    for (const outcome& o : f.results)
        BOOST_TEST(o.succeeded(block_size), o);
    BOOST_TEST(f.reads(blocks));
}

// It may end, whatever lock another thread of the parent held at the moment of the fork.
BOOST_AUTO_TEST_CASE(a_child_that_is_not_told_may_destroy_what_it_has)
{
    if (under_sanitizer)
        return skip("the allocator of gcc 12's sanitizers has locks that a child may find held");
    const temporary_file target(block_size);
    auto context = std::make_unique<asio::io_context>();
    auto other = std::make_unique<asio::io_context>();
    kaio::aio_service& service = kaio::make_aio_service(*context);
    std::atomic<bool> stop{false};
    // Takes the lock as often as it can.
    std::thread busy([&] {
        while (!stop)
            static_cast<void>(service.statistics());
    });
    for (std::size_t round = 0; round != scaled(300); ++round)
    {
        auto file = std::make_unique<kaio::random_access_file>(*context, target.path(),
                                                               file_base::read_only);
        kaio::random_access_file opening(*context);
        auto signal = std::make_unique<asio::cancellation_signal>();
        char byte = 0;
        outcome read;
        outcome opened;
        file->async_read_some_at(0, asio::buffer(&byte, 1),
                                 asio::bind_cancellation_slot(signal->slot(), record_in(read)));
        // Its handler's context isn't that of the file.
        opening.async_open(target.path(), file_base::read_only,
                           asio::bind_executor(other->get_executor(), record_plain_in(opened)));
        const ::pid_t child = start_child([&] {
            signal->emit(asio::cancellation_type::terminal);
            signal.reset();
            file.reset();
            other.reset();
            context.reset();
            return 0;
        });
        const int status = wait_for(child);
        context->restart();
        while (read.calls == 0 || opened.calls == 0)
        {
            context->poll();
            context->restart();
            other->poll();
            other->restart();
        }
        if (status != 0)
            stop = true;
        BOOST_TEST(status == 0);
        if (stop)
            break;
    }
    stop = true;
    busy.join();
}

BOOST_AUTO_TEST_SUITE_END()
