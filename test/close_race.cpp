//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// One thread closes a file, and opens another under the first free number, while a second thread is
// inside io_submit or a transfer with operations of the first file: no byte may reach the second.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/around_the_kernel.hpp"
#include "support/block_size.hpp"
#include "support/file_systems.hpp"
#include "support/fuse_server.hpp"
#include "support/gate.hpp"
#include "support/interposed_io.hpp"
#include "support/needs_aio.hpp"
#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/scale.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using namespace kaio::test;

namespace {

constexpr std::size_t count = 4;

bool is_open(int descriptor)
{
    return ::fcntl(descriptor, F_GETFD) != -1;
}

// As long as it lives, the process can have no further descriptor.
class no_free_descriptor
{
public:
    no_free_descriptor()
    {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int first_free = ::fcntl(0, F_DUPFD_CLOEXEC, 0);
        ::close(first_free);
        const ::rlimit none = {static_cast<::rlim_t>(first_free), before_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &none);
    }

    no_free_descriptor(const no_free_descriptor&) = delete;
    no_free_descriptor& operator=(const no_free_descriptor&) = delete;

    ~no_free_descriptor()
    {
        ::setrlimit(RLIMIT_NOFILE, &before_);
    }

private:
    ::rlimit before_;
};

// Whether a descriptor refers to the file of a name.
bool refers_to(int descriptor, const std::string& path)
{
    struct stat a;
    struct stat b;
    return ::fstat(descriptor, &a) == 0 && ::stat(path.c_str(), &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

// Four writes of one file, submitted on a thread of its own.
struct race_fixture
{
    explicit race_fixture(transfer_mode mode = transfer_mode::buffered)
      : victim_contents(count * block_size, 'v'), victim(victim_contents),
        target(std::string(count * block_size, '-')), memory(count * block_size),
        file(context, target.path(), kaio::file_base::read_write | mode), results(count)
    {
        for (std::size_t i = 0; i != count; ++i)
            std::memset(block(i), static_cast<int>('a' + i), block_size);
        const auto s = asio::use_service<kaio::aio_service>(context).statistics();
        BOOST_REQUIRE_MESSAGE(s.kernel_aio || !aio_available(),
                              "without Linux AIO nothing is submitted: " << s.setup_error);
    }

    char* block(std::size_t i)
    {
        return memory.data() + i * block_size;
    }

    void start(const kaio::io_options& how = {})
    {
        for (std::size_t i = 0; i != count; ++i)
            file.async_write_some_at(i * block_size, asio::buffer(block(i), block_size), how,
                                     record_in(results[i]));
    }

    // Open another file, under the first number that is free.
    int open_victim()
    {
        return ::open(victim.c_str(), O_RDWR | O_CLOEXEC);
    }

    // Each write has happened, or says that it was aborted; the other file is as it was.
    void check()
    {
        const std::string contents = target.contents();
        for (std::size_t i = 0; i != count; ++i)
        {
            const bool written = contents[i * block_size] == *block(i);
            BOOST_TEST((written ? results[i].succeeded(block_size) : results[i].aborted()),
                       i << ": " << results[i] << (written ? ", written" : ", not written"));
        }
        check_victim();
    }

    void check_victim()
    {
        const bool unharmed = victim.contents() == victim_contents;
        BOOST_TEST(unharmed);
    }

    std::size_t aborted() const
    {
        return static_cast<std::size_t>(std::count_if(
            results.begin(), results.end(), [](const outcome& o) { return o.aborted(); }));
    }

    std::string victim_contents;
    temporary_file victim;
    temporary_file target;
    aligned_memory memory;
    asio::io_context context;
    kaio::random_access_file file;
    std::vector<outcome> results;
};

// The ways of letting go of a descriptor that don't wait.
enum way
{
    close_function,
    destructor,
    move_assignment
};

std::ostream& operator<<(std::ostream& os, way w)
{
    return os << (w == close_function ? "close"
                  : w == destructor   ? "destructor"
                                      : "move assignment");
}

void let_go(way w, kaio::random_access_file& file)
{
    switch (w)
    {
    case close_function:
        file.close();
        break;
    case destructor:
        kaio::random_access_file(std::move(file));
        break;
    case move_assignment:
        file = kaio::random_access_file(file.get_executor());
        break;
    }
}

const way ways[] = {close_function, destructor, move_assignment};

// A thread that lets go of a descriptor by a call that waits for the submission under way.
class waiting_call
{
public:
    template <typename Function>
    explicit waiting_call(Function function)
      : thread_([=] {
            const auto id = std::to_string(::syscall(SYS_gettid));
            state_ = ::open(("/proc/self/task/" + id + "/stat").c_str(), O_RDONLY | O_CLOEXEC);
            begun_.open();
            function();
            returned_ = true;
        })
    {
        begun_.pass();
    }

    ~waiting_call()
    {
        thread_.join();
        ::close(state_);
    }

    // Waits until the thread sleeps. If it shouldn't, it returns some time.
    void wait_until_asleep()
    {
        const auto end = std::chrono::steady_clock::now() + time_bound;
        while (!returned_ && !asleep() && std::chrono::steady_clock::now() < end)
            std::this_thread::yield();
    }

    bool returned() const
    {
        return returned_;
    }

private:
    // The state is what follows the name, which is in parentheses.
    bool asleep() const
    {
        char text[256] = {};
        if (::pread(state_, text, sizeof(text) - 1, 0) <= 0)
            return false;
        const char* const name_end = std::strrchr(text, ')');
        return name_end && std::strncmp(name_end, ") S", 3) == 0;
    }

    int state_ = -1;
    gate begun_;
    std::atomic<bool> returned_{false};
    std::thread thread_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(close_race)

// Before the call during which the file is closed, some operations were accepted already.
BOOST_TEST_DECORATOR(*boost::unit_test::precondition(&needs_aio))
BOOST_DATA_TEST_CASE(closed_before_the_kernel_looks,
                     data::make(transfer_modes()) * data::xrange(std::size_t(0), count) *
                         data::make(ways),
                     mode, accepted, how)
{
    race_fixture f(mode);
    const int number = f.file.native_handle();
    gate inside;
    gate closed;
    std::atomic<bool> first{true};
    std::atomic<bool> stopped{false};
    std::atomic<std::size_t> calls{0};
    const auto stop_once = [&] {
        if (!stopped.exchange(true))
        {
            inside.open();
            closed.pass();
        }
    };
    const interposed_submit submit_hook([&](::aio_context_t kernel, long n, ::iocb** blocks) {
        if (first.exchange(false) && accepted != 0)
            return kernel_submit(kernel, static_cast<long>(accepted), blocks);
        stop_once();
        return kernel_submit(kernel, n, blocks);
    });
    const interposed_call call_hook([&](long number_of_call, int descriptor, const ::iovec* buffers,
                                        long n, ::off_t offset, int flags) {
        if (calls++ >= accepted)
            stop_once();
        return kernel_call(number_of_call, descriptor, buffers, n, offset, flags);
    });

    f.start();
    std::thread loop([&] { f.context.run_for(time_bound); });
    inside.pass();
    let_go(how, f.file);
    BOOST_TEST(!f.file.is_open());
    const int other = f.open_victim();
    const bool still_taken = is_open(number);
    closed.open();
    loop.join();

    // Nothing else may have had the number meanwhile, and now it is free.
    BOOST_TEST(still_taken);
    BOOST_TEST(other != number);
    BOOST_TEST(!is_open(number));
    BOOST_TEST(refers_to(other, f.victim.path()));
    ::close(other);
    f.check();
    BOOST_TEST(f.aborted() >= count - accepted);
}

BOOST_TEST_DECORATOR(*boost::unit_test::precondition(&needs_aio))
BOOST_DATA_TEST_CASE(closed_after_the_kernel_has_looked,
                     data::make(transfer_modes()) * data::make(ways), mode, how)
{
    race_fixture f(mode);
    const int number = f.file.native_handle();
    gate inside;
    gate closed;
    std::atomic<bool> stopped{false};
    const around_the_kernel hook([] {},
                                 [&] {
                                     if (!stopped.exchange(true))
                                     {
                                         inside.open();
                                         closed.pass();
                                     }
                                 });

    f.start();
    std::thread loop([&] { f.context.run_for(time_bound); });
    inside.pass();
    let_go(how, f.file);
    const int other = f.open_victim();
    closed.open();
    loop.join();
    BOOST_TEST(!is_open(number));
    ::close(other);
    f.check();
}

BOOST_AUTO_TEST_CASE(the_kernel_had_no_room_when_the_file_was_closed,
                     *boost::unit_test::precondition(&needs_aio))
{
    race_fixture f;
    const int number = f.file.native_handle();
    gate inside;
    gate closed;
    std::atomic<bool> stopped{false};
    const interposed_submit hook([&](::aio_context_t, long, ::iocb**) {
        if (!stopped.exchange(true))
        {
            inside.open();
            closed.pass();
        }
        return -EAGAIN;
    });

    f.start(by_io_submit());
    std::thread loop([&] { f.context.run_for(time_bound); });
    inside.pass();
    f.file.close();
    const int other = f.open_victim();
    closed.open();
    loop.join();
    BOOST_TEST(!is_open(number));
    ::close(other);
    f.check();
    BOOST_TEST(f.aborted() == count);
}

// Buffered writes, which io_submit would have to wait for, are carried out by threads.
BOOST_DATA_TEST_CASE(closed_while_a_thread_writes, data::make({false, true}) * data::make(ways),
                     has_written, how)
{
    race_fixture f;
    const int number = f.file.native_handle();
    gate inside;
    gate closed;
    std::atomic<bool> stopped{false};
    const interposed_write hook(
        [&](int descriptor, const ::iovec* buffers, int n, ::off_t offset, int flags) {
            ::ssize_t result = -1;
            if (has_written)
                result = kernel_write(descriptor, buffers, n, offset, flags);
            if (!stopped.exchange(true))
            {
                inside.open();
                closed.pass();
            }
            return has_written ? result : kernel_write(descriptor, buffers, n, offset, flags);
        });

    f.start();
    std::thread loop([&] {
        f.context.run_for(time_bound);
        // Where the kernel takes them, no thread writes.
        if (!stopped.exchange(true))
            inside.open();
    });
    inside.pass();
    const bool written_by_thread = !f.context.stopped();
    let_go(how, f.file);
    const int other = f.open_victim();
    const bool still_taken = is_open(number);
    closed.open();
    loop.join();
    if (written_by_thread)
    {
        BOOST_TEST(still_taken);
        BOOST_TEST(other != number);
        BOOST_TEST(!is_open(number));
    }
    ::close(other);
    f.check();
}

BOOST_AUTO_TEST_CASE(an_operation_that_waits_is_not_submitted_after_the_close,
                     *boost::unit_test::precondition(&needs_aio))
{
    race_fixture f;
    kaio::random_access_file other(f.context, f.victim.path(), kaio::file_base::read_only);
    std::string memory(block_size, '\0');
    outcome of_other;
    gate inside;
    gate closed;
    std::atomic<int> calls{0};
    const around_the_kernel hook([&] {
        if (calls++ == 0)
        {
            inside.open();
            closed.pass();
        }
    });

    // Only an operation of the other file is being submitted: the number is free at once.
    other.async_read_some_at(0, asio::buffer(memory), record_in(of_other));
    std::thread loop([&] { f.context.run_for(time_bound); });
    inside.pass();
    const int number = f.file.native_handle();
    f.start();
    f.file.close();
    const int reused = f.open_victim();
    closed.open();
    loop.join();
    BOOST_TEST(reused == number);
    BOOST_TEST(of_other.succeeded(block_size), of_other);
    BOOST_TEST(calls == 1);
    ::close(reused);
    f.check();
    BOOST_TEST(f.aborted() == count);
}

BOOST_AUTO_TEST_CASE(several_files_are_closed_at_once, *boost::unit_test::precondition(&needs_aio))
{
    race_fixture f;
    constexpr std::size_t files = 8;
    std::vector<kaio::random_access_file> others;
    std::vector<int> numbers;
    std::vector<outcome> of_others(files);
    for (std::size_t i = 0; i != files; ++i)
    {
        others.emplace_back(f.context, f.target.path(), kaio::file_base::read_write);
        numbers.push_back(others.back().native_handle());
        others.back().async_write_some_at(0, asio::buffer(f.block(0), block_size),
                                          record_in(of_others[i]));
    }
    gate inside;
    gate closed;
    std::atomic<int> calls{0};
    const around_the_kernel hook([&] {
        if (calls++ == 0)
        {
            inside.open();
            closed.pass();
        }
    });

    std::thread loop([&] { f.context.run_for(time_bound); });
    inside.pass();
    others.clear();
    std::vector<int> reused;
    for (std::size_t i = 0; i != files; ++i)
        reused.push_back(f.open_victim());
    closed.open();
    loop.join();
    for (const outcome& o : of_others)
        BOOST_TEST(o.aborted(), o);
    for (const int number : numbers)
        BOOST_TEST(!is_open(number));
    for (const int number : reused)
        ::close(number);
    f.check_victim();
}

// release() gives the number away, so it can't keep it busy: it waits.
BOOST_AUTO_TEST_CASE(release_waits_for_the_submission, *boost::unit_test::precondition(&needs_aio))
{
    race_fixture f;
    int released = -1;
    std::unique_ptr<waiting_call> call;
    gate inside;
    gate called;
    std::atomic<bool> first{true};
    bool returned_early = false;
    const around_the_kernel hook([&] {
        if (first.exchange(false))
        {
            inside.open();
            called.pass();
            call->wait_until_asleep();
            returned_early = call->returned();
        }
    });

    f.start();
    std::thread loop([&] { f.context.run_for(time_bound); });
    inside.pass();
    int reused = -1;
    call = std::make_unique<waiting_call>([&] {
        released = f.file.release();
        // A caller may do anything with it now, close it and open something else for example.
        ::close(released);
        reused = f.open_victim();
    });
    called.open();
    loop.join();
    call.reset();
    BOOST_TEST(!returned_early);
    BOOST_TEST(released != -1);
    BOOST_TEST(reused == released);
    ::close(reused);
    f.check();
}

// The kernel may refuse to keep the number busy: close() waits then.
BOOST_AUTO_TEST_CASE(close_waits_where_the_number_cannot_be_kept,
                     *boost::unit_test::precondition(&needs_aio))
{
    race_fixture f;
    std::unique_ptr<waiting_call> call;
    gate inside;
    gate called;
    std::atomic<bool> first{true};
    bool returned_early = false;
    const interposed_duplicate duplicate_hook([](int, int, int) {
        errno = EBUSY;
        return -1;
    });
    const around_the_kernel hook([&] {
        if (first.exchange(false))
        {
            inside.open();
            called.pass();
            call->wait_until_asleep();
            returned_early = call->returned();
        }
    });

    f.start();
    std::thread loop([&] { f.context.run_for(time_bound); });
    inside.pass();
    int reused = -1;
    call = std::make_unique<waiting_call>([&] {
        f.file.close();
        reused = f.open_victim();
    });
    called.open();
    loop.join();
    call.reset();
    BOOST_TEST(!returned_early);
    ::close(reused);
    f.check();
}

// Whatever close() needs, it has: it doesn't wait if no descriptor is left, for the process or
// altogether.
BOOST_AUTO_TEST_CASE(close_does_not_wait_without_descriptors,
                     *boost::unit_test::precondition(&needs_aio))
{
    race_fixture f;
    const int number = f.file.native_handle();
    std::unique_ptr<waiting_call> call;
    gate inside;
    gate called;
    std::atomic<bool> first{true};
    bool returned = false;
    bool still_taken = false;
    const around_the_kernel hook([&] {
        if (first.exchange(false))
        {
            inside.open();
            called.pass();
            call->wait_until_asleep();
            returned = call->returned();
            still_taken = is_open(number);
        }
    });

    f.start();
    std::thread loop([&] { f.context.run_for(time_bound); });
    inside.pass();
    boost::system::error_code ec;
    call = std::make_unique<waiting_call>([&] {
        const no_free_descriptor limit;
        f.file.close(ec);
    });
    called.open();
    loop.join();
    call.reset();
    BOOST_TEST(returned);
    BOOST_TEST(still_taken);
    BOOST_TEST(!ec, ec.message());
    BOOST_TEST(!is_open(number));
    f.check();
}

// close() reports the error of close(2), even if kaio has to keep the descriptor number busy.
BOOST_DATA_TEST_CASE(close_reports_the_error_of_the_kernel,
                     data::make({false, true}) * data::make({false, true}), in_use, no_descriptors)
{
    if (!is_root())
        return skip("needs root");
    if (!fuse_file_system::why_not().empty())
        return skip(fuse_file_system::why_not());
    if (in_use && !aio_available())
        return skip("needs AIO");
    private_mounts();
    fuse_file_system fuse(true);
    asio::io_context context;
    kaio::random_access_file file(context, fuse.path("lost"), kaio::file_base::read_write);
    boost::system::error_code ec;
    const auto close = [&] {
        std::optional<no_free_descriptor> limit;
        if (no_descriptors)
            limit.emplace();
        file.close(ec);
    };
    const around_the_kernel hook([&] {
        if (in_use && file.is_open())
            close();
    });
    std::string memory(block_size, '\0');
    outcome read;
    file.async_read_some_at(0, asio::buffer(memory), record_in(read));
    run(context);
    if (!in_use)
        close();
    BOOST_TEST(ec == boost::system::error_code(EIO, boost::system::system_category()));
    BOOST_TEST(!file.is_open());
    BOOST_TEST((in_use ? read.aborted() : read.succeeded(block_size)), read);
}

// Without interposition, in many ways at once: files of several threads that are written, closed at
// some time, and whose numbers are taken by files of somebody else.
BOOST_AUTO_TEST_CASE(many_files_come_and_go)
{
    constexpr std::size_t writers = 4;
    const std::size_t rounds = scaled(1500, 100);
    const std::string victim_contents(block_size, 'v');
    const std::string ours(block_size, 'w');
    temporary_file victim(victim_contents);
    std::vector<std::unique_ptr<temporary_file>> targets;
    for (std::size_t i = 0; i != writers; ++i)
        targets.emplace_back(new temporary_file(block_size));

    asio::io_context context;
    auto work = asio::make_work_guard(context);
    std::atomic<std::size_t> calls{0};
    std::atomic<std::size_t> wrong{0};
    std::vector<std::thread> loops;
    for (int i = 0; i != 2; ++i)
        loops.emplace_back([&] { context.run_for(time_bound); });
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i != writers; ++i)
    {
        threads.emplace_back([&, i] {
            for (std::size_t round = 0; round != rounds; ++round)
            {
                kaio::random_access_file file(context, targets[i]->path(),
                                              kaio::file_base::write_only);
                for (int w = 0; w != 3; ++w)
                {
                    file.async_write_some_at(0, asio::buffer(ours),
                                             [&](boost::system::error_code ec, std::size_t bytes) {
                                                 ++calls;
                                                 wrong += ec ? ec != asio::error::operation_aborted
                                                             : bytes != block_size;
                                             });
                }
                // Let the loop come to different points.
                for (std::size_t spin = 0; spin != round % 7 * 50; ++spin)
                    std::atomic_signal_fence(std::memory_order_seq_cst);
                file.close();
                const int other = ::open(victim.c_str(), O_RDWR | O_CLOEXEC);
                wrong += !refers_to(other, victim.path());
                ::close(other);
            }
        });
    }
    for (std::thread& t : threads)
        t.join();
    work.reset();
    for (std::thread& t : loops)
        t.join();
    BOOST_TEST(context.stopped());
    BOOST_TEST(calls == writers * rounds * 3);
    BOOST_TEST(wrong == 0);
    const bool unharmed = victim.contents() == victim_contents;
    BOOST_TEST(unharmed);
}

BOOST_AUTO_TEST_SUITE_END()
