//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// async_sync_all and async_sync_data.

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <deque>
#include <string>
#include <utility>

#include <kaio/kaio.hpp>

#include "support/blocked_helper.hpp"
#include "support/file_systems.hpp"
#include "support/interposed_io.hpp"
#include "support/outcome.hpp"
#include "support/plain_outcome.hpp"
#include "support/run.hpp"
#include "support/skip.hpp"
#include "support/system_error.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using namespace kaio::test;

using kaio::file_base;

namespace {

enum class kind
{
    all,
    data_only
};

std::ostream& operator<<(std::ostream& os, kind k)
{
    return os << (k == kind::all ? "async_sync_all" : "async_sync_data");
}

const kind kinds[] = {kind::all, kind::data_only};

template <typename Handler>
void start(kind k, kaio::random_access_file& file, Handler&& handler)
{
    initiate([&] {
        if (k == kind::all)
            file.async_sync_all(std::forward<Handler>(handler));
        else
            file.async_sync_data(std::forward<Handler>(handler));
    });
}

// The calls made by threads.
std::atomic<int> fsyncs{0};
std::atomic<int> fdatasyncs{0};

struct sync_fixture : context_fixture
{
    explicit sync_fixture(const kaio::service_options& options = {})
      : service(kaio::make_aio_service(context, options))
    {
    }

    const outcome& sync(kind k, kaio::random_access_file& file)
    {
        results.emplace_back();
        start(k, file, record_plain_in(results.back()));
        run_again(context);
        return results.back();
    }

    kaio::aio_service& service;
    std::deque<outcome> results;
};

} // namespace

// In place of the C library's.
extern "C" {

int fsync(int descriptor)
{
    ++fsyncs;
    return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

int fdatasync(int descriptor)
{
    ++fdatasyncs;
    return static_cast<int>(::syscall(SYS_fdatasync, descriptor));
}

} // extern "C"

BOOST_AUTO_TEST_SUITE(sync_operations)

// One sync is for the data alone, the other for the metadata, too.
BOOST_DATA_TEST_CASE(the_call_that_was_meant, data::make(kinds) * data::make({false, true}), k,
                     by_thread)
{
    const temporary_file target(std::size_t(5000));
    std::atomic<int> opcode{-1};
    const interposed_submit submit([&](::aio_context_t kernel, long n, ::iocb** blocks) {
        opcode = blocks[0]->aio_lio_opcode;
        return kernel_submit(kernel, n, blocks);
    });
    const interposed_setup setup([&](unsigned events, ::aio_context_t* context) {
        return by_thread ? -ENOSYS : kernel_setup(events, context);
    });
    sync_fixture f;
    if (!by_thread && !f.service.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file(f.context, target.path(), file_base::read_write);
    fsyncs = fdatasyncs = 0;
    const outcome& result = f.sync(k, file);
    BOOST_TEST(result.succeeded(0), result);
    BOOST_TEST(fsyncs == (by_thread && k == kind::all ? 1 : 0));
    BOOST_TEST(fdatasyncs == (by_thread && k == kind::data_only ? 1 : 0));
    if (!by_thread)
        BOOST_TEST(opcode == (k == kind::all ? IOCB_CMD_FSYNC : IOCB_CMD_FDSYNC));
}

BOOST_DATA_TEST_CASE(a_sync_after_writes_succeeds, data::make(kinds) * data::make(transfer_modes()),
                     k, mode)
{
    constexpr std::size_t size = 16384;
    const temporary_file target;
    sync_fixture f;
    kaio::random_access_file file(f.context, target.path(), file_base::read_write | mode);
    aligned_memory memory(size);
    pattern(0, size).copy(memory.data(), size);
    outcome written;
    file.async_write_some_at(0, asio::buffer(memory.data(), size), record_in(written));
    run(f.context);
    BOOST_TEST(written.succeeded(size), written);
    const kaio::service_statistics before = f.service.statistics();
    const outcome& result = f.sync(k, file);
    BOOST_TEST(result.succeeded(0), result);
    if (before.kernel_aio)
    {
        BOOST_TEST(f.service.statistics().submit_calls > before.submit_calls);
        BOOST_TEST(f.service.statistics().helper_operations == before.helper_operations);
    }
    const bool equal = target.contents() == pattern(0, size);
    BOOST_TEST(equal);
}

BOOST_DATA_TEST_CASE(a_sync_takes_any_open_mode, data::make(kinds), k)
{
    const temporary_file target(std::size_t(5000));
    sync_fixture f;
    for (const file_base::flags flags :
         {file_base::read_only, file_base::write_only, file_base::read_write})
    {
        kaio::random_access_file file(f.context, target.path(), flags);
        const outcome& result = f.sync(k, file);
        BOOST_TEST(result.succeeded(0), result);
    }
}

BOOST_DATA_TEST_CASE(a_closed_file_is_not_synced, data::make(kinds), k)
{
    const temporary_file target(std::size_t(5000));
    sync_fixture f;
    kaio::random_access_file file(f.context);
    const outcome& never_open = f.sync(k, file);
    BOOST_TEST(never_open.failed(asio::error::bad_descriptor), never_open);
    file.open(target.path(), file_base::read_write);
    file.close();
    const outcome& closed = f.sync(k, file);
    BOOST_TEST(closed.failed(asio::error::bad_descriptor), closed);
}

BOOST_DATA_TEST_CASE(a_descriptor_that_somebody_else_closed, data::make(kinds), k)
{
    const temporary_file target(std::size_t(5000));
    sync_fixture f;
    kaio::random_access_file file(f.context, target.path(), file_base::read_write);
    ::close(file.native_handle());
    const outcome& result = f.sync(k, file);
    BOOST_TEST(result.failed(asio::error::bad_descriptor), result);
}

// A file that can't be synced reports an error by every path, never a silent success.
BOOST_DATA_TEST_CASE(as_fsync_says,
                     data::make(kinds) *
                         data::make({"/dev/null", "/dev/zero", "/proc/self/status",
                                     "/proc/sys/kernel/hostname", "/sys/kernel/mm/hugepages",
                                     "/dev/shm", "/etc"}),
                     k, path)
{
    const int descriptor = ::open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor == -1)
        return skip(std::string("no ") + path);
    const int expected =
        (k == kind::all ? ::fsync(descriptor) : ::fdatasync(descriptor)) == -1 ? errno : 0;
    sync_fixture f;
    kaio::random_access_file file(f.context, descriptor);
    for (int i = 0; i != 2; ++i)
    {
        const outcome& result = f.sync(k, file);
        if (expected == 0)
            BOOST_TEST(result.succeeded(0), result);
        else
            BOOST_TEST(result.failed(system_error(expected)), result);
    }
}

BOOST_DATA_TEST_CASE(a_file_in_memory_is_synced, data::make(kinds), k)
{
    const std::string path = "/dev/shm/kaio-test-" + std::to_string(::getpid());
    sync_fixture f;
    kaio::random_access_file file(f.context);
    boost::system::error_code ec;
    file.open(path, file_base::read_write | file_base::create, ec);
    if (ec)
        return skip("/dev/shm: " + ec.message());
    ::unlink(path.c_str());
    const outcome& result = f.sync(k, file);
    BOOST_TEST(result.succeeded(0), result);
}

// A kernel, or a file, without the command: fsync on a helper thread.
BOOST_DATA_TEST_CASE(refused_by_the_kernel,
                     data::make(kinds) * data::make({EINVAL, ENOSYS, EOPNOTSUPP}), k, error)
{
    const temporary_file target(std::size_t(5000));
    std::atomic<int> syncs{0};
    const interposed_submit hook([&](::aio_context_t kernel, long n, ::iocb** blocks) {
        for (long i = 0; i != n; ++i)
        {
            if (blocks[i]->aio_lio_opcode != IOCB_CMD_FSYNC &&
                blocks[i]->aio_lio_opcode != IOCB_CMD_FDSYNC)
                continue;
            ++syncs;
            return i != 0 ? kernel_submit(kernel, i, blocks) : -error;
        }
        return kernel_submit(kernel, n, blocks);
    });
    sync_fixture f;
    if (!f.service.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file(f.context, target.path(), file_base::read_write);
    for (std::size_t i = 1; i != 4; ++i)
    {
        const outcome& result = f.sync(k, file);
        BOOST_TEST(result.succeeded(0), result);
        BOOST_TEST(f.service.statistics().helper_operations == i);
    }
    BOOST_TEST(syncs > 0);

    // That says nothing of its reads.
    std::string memory(5000, '\0');
    outcome read;
    file.async_read_some_at(0, asio::buffer(memory), record_in(read));
    run_again(f.context);
    BOOST_TEST(read.succeeded(5000), read);
    BOOST_TEST(f.service.statistics().helper_operations == 3U);
}

BOOST_DATA_TEST_CASE(other_errors_reach_the_user, data::make(kinds), k)
{
    const temporary_file target(std::size_t(5000));
    const interposed_submit hook([&](::aio_context_t, long, ::iocb**) { return -EACCES; });
    sync_fixture f;
    if (!f.service.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file(f.context, target.path(), file_base::read_write);
    const outcome& result = f.sync(k, file);
    BOOST_TEST(result.failed(system_error(EACCES)), result);
}

BOOST_DATA_TEST_CASE(a_sync_works_without_helpers_and_aio, data::make(kinds), k)
{
    const temporary_file target(std::size_t(5000));
    const interposed_setup hook([](unsigned, ::aio_context_t*) { return -ENOSYS; });
    kaio::service_options options;
    options.helper_threads = 0;
    sync_fixture f(options);
    kaio::random_access_file file(f.context, target.path(), file_base::read_write);
    const outcome& result = f.sync(k, file);
    BOOST_TEST(result.succeeded(0), result);
    BOOST_TEST(f.service.statistics().helper_operations == 1U);
}

BOOST_DATA_TEST_CASE(a_sync_goes_by_the_thread_of_submission, data::make(kinds), k)
{
    const temporary_file target(std::size_t(5000));
    kaio::service_options options;
    options.submission = kaio::submission_mode::on_thread;
    sync_fixture f(options);
    kaio::random_access_file file(f.context, target.path(), file_base::read_write);
    const outcome& result = f.sync(k, file);
    BOOST_TEST(result.succeeded(0), result);
    BOOST_TEST(f.service.statistics().longest_submit.count() == 0);
}

// Waiting in kaio, one is taken back. With the kernel or a helper, it isn't.
BOOST_DATA_TEST_CASE(a_sync_that_waits_is_cancelled, data::make(kinds) * data::make({false, true}),
                     k, by_slot)
{
    const temporary_file target(std::size_t(5000));
    const interposed_setup hook([](unsigned, ::aio_context_t*) { return -ENOSYS; });
    kaio::service_options options;
    options.helper_threads = 1;
    sync_fixture f(options);
    blocked_helper blocker(f.context);
    kaio::random_access_file file(f.context, target.path(), file_base::read_write);
    outcome result;
    asio::cancellation_signal signal;
    start(k, file, asio::bind_cancellation_slot(signal.slot(), record_plain_in(result)));
    f.context.restart();
    f.context.poll();
    BOOST_TEST(result.calls == 0);
    if (by_slot)
        signal.emit(asio::cancellation_type::partial);
    else
        file.cancel();
    run_until(f.context, [&] { return result.calls != 0; });
    BOOST_TEST(result.aborted(), result);
    blocker.release();
    run_again(f.context);
    const outcome& next = f.sync(k, file);
    BOOST_TEST(next.succeeded(0), next);
}

BOOST_AUTO_TEST_CASE(many_with_writes_between)
{
    constexpr std::size_t count = 100;
    const temporary_file target;
    sync_fixture f;
    kaio::random_access_file file(f.context, target.path(), file_base::read_write);
    const std::string text = pattern(0, count * 1000);
    std::deque<outcome> writes(count);
    std::deque<outcome> syncs(2 * count);
    for (std::size_t i = 0; i != count; ++i)
    {
        file.async_write_some_at(i * 1000, asio::buffer(text.data() + i * 1000, 1000),
                                 record_in(writes[i]));
        start(kind::all, file, record_plain_in(syncs[2 * i]));
        start(kind::data_only, file, record_plain_in(syncs[2 * i + 1]));
    }
    run(f.context);
    for (const outcome& o : writes)
        BOOST_TEST(o.succeeded(1000), o);
    for (const outcome& o : syncs)
        BOOST_TEST(o.succeeded(0), o);
    BOOST_TEST(target.contents() == text);
}

// A write to the page cache succeeds, and what becomes of it only the sync tells.
BOOST_DATA_TEST_CASE(a_sync_reports_the_error_of_an_earlier_write, data::make(kinds), k)
{
    if (!is_root())
        return skip("needs root");
    private_mounts();
    const std::string why = why_no_loop_device();
    if (!why.empty())
        return skip(why);
    constexpr std::size_t size = 8 * 1024 * 1024;
    const mounted small("tmpfs", "tmpfs", 0, "size=1m");
    const image_file image(small.path() + "/image", size);
    const loop_device device(image.path());
    sync_fixture f;
    kaio::random_access_file file(f.context, device.path(), file_base::read_write);
    const std::string text(size, 'x');
    outcome written;
    file.async_write_some_at(0, asio::buffer(text), record_in(written));
    run(f.context);
    BOOST_TEST(written.succeeded(size), written);
    const outcome& result = f.sync(k, file);
    BOOST_TEST(result.calls == 1);
    BOOST_TEST((result.ec == system_error(EIO) || result.ec == system_error(ENOSPC)), result);
}

BOOST_AUTO_TEST_SUITE_END()
