//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Any file that a user can open: file systems, devices, pseudo-files, and what is refused.

#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <deque>
#include <fstream>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/block_size.hpp"
#include "support/blocked_helper.hpp"
#include "support/disk.hpp"
#include "support/file_systems.hpp"
#include "support/fuse_server.hpp"
#include "support/outcome.hpp"
#include "support/page_cache.hpp"
#include "support/plain_outcome.hpp"
#include "support/run.hpp"
#include "support/skip.hpp"
#include "support/statistics.hpp"
#include "support/system_error.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using namespace kaio::test;

using kaio::file_base;

namespace {

struct kinds_fixture : context_fixture
{
    explicit kinds_fixture(const kaio::service_options& options = {})
      : service(kaio::make_aio_service(context, options))
    {
    }

    // Transfers of a size each, all at once.
    void transfer(kaio::random_access_file& file, bool is_read, std::size_t count,
                  std::size_t size = block_size, std::size_t offset = 0)
    {
        std::deque<aligned_memory> memory;
        std::deque<outcome> results(count);
        for (std::size_t i = 0; i != count; ++i)
        {
            memory.emplace_back(size);
            const std::size_t at = offset + i * size;
            const auto buffer = asio::buffer(memory.back().data(), size);
            if (!is_read)
                pattern(at, size).copy(memory.back().data(), size);
            initiate([&] {
                if (is_read)
                    file.async_read_some_at(at, buffer, record_in(results[i]));
                else
                    file.async_write_some_at(at, buffer, record_in(results[i]));
            });
        }
        run_again(context);
        BOOST_TEST(consistent(service.statistics()), service.statistics());
        for (std::size_t i = 0; i != count; ++i)
        {
            BOOST_TEST_CONTEXT((is_read ? "read " : "write ") << i)
            {
                BOOST_TEST(results[i].succeeded(size), results[i]);
                const bool right = memory[i].text() == pattern(offset + i * size, size);
                BOOST_TEST(right);
            }
        }
    }

    kaio::aio_service& service;
};

std::string contents_of(const std::string& path)
{
    std::ifstream stream(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
}

bool is_on_btrfs(const std::string& path)
{
    struct statfs status = {};
    return ::statfs(path.c_str(), &status) == 0 && status.f_type == BTRFS_SUPER_MAGIC;
}

// Write new files, overwrite, read what is cached and what isn't, across the end, sync.
void exercise(const std::string& path, transfer_mode mode)
{
    constexpr std::size_t blocks = 64;
    kinds_fixture f;
    kaio::random_access_file file(f.context);
    boost::system::error_code ec;
    file.open(path, file_base::read_write | file_base::create | mode, ec);
    if (mode == transfer_mode::direct && ec == system_error(EINVAL))
        return skip("this file system has no direct I/O");
    BOOST_REQUIRE_MESSAGE(!ec, ec.message());

    f.transfer(file, false, blocks); // extending
    f.transfer(file, false, blocks); // overwriting
    // btrfs would wait in spite of RWF_NOWAIT.
    if (mode == transfer_mode::buffered && is_on_btrfs(path))
        BOOST_TEST(f.service.statistics().submit_calls == 0U);
    f.transfer(file, true, blocks);
    f.transfer(file, false, 4, 64 * 1024, blocks * block_size);
    f.transfer(file, true, 4, 64 * 1024, blocks * block_size);
    outcome synced;
    file.async_sync_all(record_plain_in(synced));
    run_again(f.context);
    BOOST_TEST(synced.succeeded(0), synced);
    drop_from_page_cache(path);
    f.transfer(file, true, blocks);

    const std::size_t size = blocks * block_size + 4 * 64 * 1024;
    BOOST_TEST(file.size() == size);
    const bool equal = contents_of(path) == pattern(0, size);
    BOOST_TEST(equal);

    // Holes, ends and odd places.
    aligned_memory memory(2 * block_size);
    outcome resized;
    file.async_resize(size + block_size, record_plain_in(resized));
    run_again(f.context);
    BOOST_TEST(resized.succeeded(0), resized);
    outcome hole;
    file.async_read_some_at(size, asio::buffer(memory.data(), 2 * block_size), record_in(hole));
    run_again(f.context);
    BOOST_TEST(hole.succeeded(block_size), hole);
    BOOST_TEST(memory.text().substr(0, block_size) == std::string(block_size, '\0'));
    outcome end;
    file.async_read_some_at(size + block_size, asio::buffer(memory.data(), block_size),
                            record_in(end));
    run_again(f.context);
    BOOST_TEST(end.failed(asio::error::eof), end);
    if (mode == transfer_mode::buffered)
        f.transfer(file, false, 50, 777, 12345);
    const kaio::service_statistics s = f.service.statistics();
    BOOST_TEST(s.operations_started == s.operations_completed);
}

const transfer_mode modes[] = {transfer_mode::buffered, transfer_mode::direct};

const file_system file_systems[] = {{"ext4", "mkfs.ext4", "-q -F", 64},
                                    {"ext4", "mkfs.ext4", "-q -F -b 1024 -O ^has_journal", 16},
                                    {"xfs", "mkfs.xfs", "-q -f", 320},
                                    {"btrfs", "mkfs.btrfs", "-q -f", 256}};

} // namespace

BOOST_AUTO_TEST_SUITE(file_kinds)

BOOST_DATA_TEST_CASE(where_the_tests_are, data::make(transfer_modes()), mode)
{
    const temporary_file target;
    exercise(target.path(), mode);
}

BOOST_DATA_TEST_CASE(files_of_a_disk_work, data::make(file_systems) * data::make(modes), fs, mode)
{
    const disk d(fs);
    if (!d.why_not.empty())
        return skip(d.why_not);
    exercise(d.mount->path() + "/file", mode);
}

BOOST_DATA_TEST_CASE(files_in_memory_work, data::make(modes), mode)
{
    if (!is_root())
        return skip("needs root");
    private_mounts();
    const mounted tmpfs("tmpfs", "tmpfs", 0, "size=64m");
    exercise(tmpfs.path() + "/file", mode);
}

BOOST_DATA_TEST_CASE(served_by_a_process, data::make(modes) * data::make({false, true}), mode,
                     asynchronous)
{
    if (!is_root())
        return skip("needs root");
    if (!fuse_file_system::why_not().empty())
        return skip(fuse_file_system::why_not());
    private_mounts();
    const fuse_file_system fuse(asynchronous);
    kinds_fixture f;
    kaio::random_access_file file(f.context, fuse.path("file"), file_base::read_write | mode);
    BOOST_TEST(file.size() == fuse_file_system::file_size);
    f.transfer(file, true, 64);
    f.transfer(file, false, 64);
    f.transfer(file, false, 16, 16384, fuse_file_system::file_size);
    f.transfer(file, true, 64, 16384);
    f.transfer(file, true, 16, 16384, fuse_file_system::file_size);
    outcome synced;
    file.async_sync_data(record_plain_in(synced));
    run_again(f.context);
    BOOST_TEST(synced.succeeded(0), synced);
}

BOOST_DATA_TEST_CASE(files_of_an_overlay_work, data::make(modes), mode)
{
    if (!is_root())
        return skip("needs root");
    private_mounts();
    // Not on another overlay, as it may be below everything here.
    const disk d(file_systems[0]);
    if (!d.why_not.empty())
        return skip(d.why_not);
    const std::string below = d.mount->path();
    for (const char* part : {"/lower", "/upper", "/scratch"})
        BOOST_REQUIRE(::mkdir((below + part).c_str(), 0755) == 0);
    const mounted over("overlay", "overlay", 0,
                       "lowerdir=" + below + "/lower,upperdir=" + below +
                           "/upper,workdir=" + below + "/scratch");
    exercise(over.path() + "/file", mode);
}

// Submitted by a thread, not carried out by it: as many at once as the kernel may hold.
BOOST_AUTO_TEST_CASE(more_direct_reads_on_overlay_than_helpers)
{
    if (!is_root())
        return skip("needs root");
    private_mounts();
    const disk d(file_systems[0]);
    if (!d.why_not.empty())
        return skip(d.why_not);
    constexpr std::size_t blocks = 256;
    const std::string below = d.mount->path();
    for (const char* part : {"/lower", "/upper", "/scratch"})
        BOOST_REQUIRE(::mkdir((below + part).c_str(), 0755) == 0);
    std::ofstream(below + "/lower/file", std::ios::binary) << pattern(0, blocks * block_size);
    const mounted over("overlay", "overlay", 0,
                       "lowerdir=" + below + "/lower,upperdir=" + below +
                           "/upper,workdir=" + below + "/scratch");
    kaio::service_options options;
    options.helper_threads = 2;
    kinds_fixture f(options);
    if (!f.service.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file(f.context, over.path() + "/file",
                                  file_base::read_only | file_base::direct);
    // One teaches that the flag is unknown here.
    f.transfer(file, true, 1);
    BOOST_TEST(f.service.statistics().in_flight_high_water == 1U);
    f.transfer(file, true, blocks);
    const kaio::service_statistics s = f.service.statistics();
    BOOST_TEST(s.would_block_fallbacks == 1U);
    BOOST_TEST(s.helper_submissions == blocks + 1);
    BOOST_TEST(s.helper_operations == 0U);
    BOOST_TEST(s.in_flight_high_water > 2U);
}

// A file system whose direct I/O makes io_submit wait gets several threads, one operation each.
BOOST_AUTO_TEST_CASE(submissions_that_wait_are_spread_over_threads)
{
    if (!is_root())
        return skip("needs root");
    if (!fuse_file_system::why_not().empty())
        return skip(fuse_file_system::why_not());
    private_mounts();
    fuse_file_system fuse(false);
    kinds_fixture f;
    if (!f.service.statistics().kernel_aio)
        return skip("needs AIO");
    kaio::random_access_file file(f.context, fuse.path("hung"),
                                  file_base::read_only | file_base::direct);
    const auto read = [&](std::size_t count, std::deque<outcome>& results,
                          std::deque<aligned_memory>& memory) {
        for (std::size_t i = 0; i != count; ++i)
        {
            results.emplace_back();
            memory.emplace_back(block_size);
            file.async_read_some_at(i * block_size, asio::buffer(memory.back().data(), block_size),
                                    record_in(results.back()));
        }
    };
    const auto run_while_held = [&](std::size_t wanted) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (fuse.held() < wanted && std::chrono::steady_clock::now() < end)
        {
            f.context.restart();
            f.context.run_for(std::chrono::milliseconds(3));
        }
        return fuse.held();
    };
    std::deque<outcome> results;
    std::deque<aligned_memory> memory;
    fuse.hold();
    read(1, results, memory);
    BOOST_TEST(run_while_held(1) == 1U);
    // Waiting is seen by its length.
    f.context.run_for(std::chrono::milliseconds(5));
    fuse.release();
    run_again(f.context);
    // The read may be complete before the thread is back: one submission on the loop, one there.
    wait_until([&] { return f.service.statistics().submit_calls == 2; });

    fuse.hold();
    read(8, results, memory);
    BOOST_TEST(run_while_held(4) == 4U);
    fuse.release();
    run_again(f.context);
    for (const outcome& o : results)
        BOOST_TEST(o.succeeded(block_size), o);
}

BOOST_AUTO_TEST_SUITE(devices)

// Checks that fit all block devices.
void exercise_device(const std::string& path, std::size_t size, transfer_mode mode)
{
    kinds_fixture f;
    kaio::random_access_file file(f.context, path, file_base::read_write | mode);
    BOOST_TEST(file.size() == size);
    f.transfer(file, false, 100);
    f.transfer(file, true, 100);
    f.transfer(file, false, 8, 1024 * 1024);
    f.transfer(file, true, 8, 1024 * 1024);
    outcome synced;
    file.async_sync_all(record_plain_in(synced));
    run_again(f.context);
    BOOST_TEST(synced.succeeded(0), synced);

    aligned_memory memory(2 * block_size);
    const auto buffer = asio::buffer(memory.data(), 2 * block_size);
    outcome across_the_end;
    file.async_read_some_at(size - block_size, buffer, record_in(across_the_end));
    outcome at_the_end;
    file.async_read_some_at(size, buffer, record_in(at_the_end));
    outcome written_across;
    file.async_write_some_at(size - block_size, buffer, record_in(written_across));
    outcome written_behind;
    file.async_write_some_at(size, buffer, record_in(written_behind));
    outcome resized;
    file.async_resize(size / 2, record_plain_in(resized));
    run_again(f.context);
    BOOST_TEST(across_the_end.succeeded(block_size), across_the_end);
    BOOST_TEST(at_the_end.failed(asio::error::eof), at_the_end);
    BOOST_TEST(written_across.succeeded(block_size), written_across);
    BOOST_TEST(written_behind.failed(system_error(ENOSPC)), written_behind);
    BOOST_TEST(resized.failed(system_error(EINVAL)), resized);

    // More than the queue of the device holds.
    const kaio::service_statistics before = f.service.statistics();
    f.transfer(file, true, 2000);
    const kaio::service_statistics s = f.service.statistics();
    BOOST_TEST(s.operations_started == s.operations_completed);
    // The kernel is given what it can do without a thread.
    if (s.kernel_aio && mode == transfer_mode::direct)
        BOOST_TEST(s.helper_operations == before.helper_operations);
}

BOOST_DATA_TEST_CASE(a_loop_device_works, data::make(modes), mode)
{
    if (!is_root())
        return skip("needs root");
    if (!why_no_loop_device().empty())
        return skip(why_no_loop_device());
    constexpr std::size_t size = 16 * 1024 * 1024;
    const temporary_directory place;
    const image_file image(place.path() + "/image", size);
    const loop_device device(image.path());
    exercise_device(device.path(), size, mode);
}

// A compressed RAM disk, new for each test, so that nobody else's is written to.
class zram_device
{
public:
    explicit zram_device(std::size_t size)
    {
        std::ifstream("/sys/class/zram-control/hot_add") >> number_;
        if (number_.empty())
            return;
        std::ofstream(system_path("disksize")) << size << std::endl;
        works_ = ::access(path().c_str(), R_OK | W_OK) == 0;
    }

    ~zram_device()
    {
        if (number_.empty())
            return;
        std::ofstream(system_path("reset")) << 1 << std::endl;
        std::ofstream("/sys/class/zram-control/hot_remove") << number_ << std::endl;
    }

    zram_device(const zram_device&) = delete;
    zram_device& operator=(const zram_device&) = delete;

    bool works() const
    {
        return works_;
    }

    std::string path() const
    {
        return "/dev/zram" + number_;
    }

private:
    std::string system_path(const std::string& name) const
    {
        return "/sys/block/zram" + number_ + "/" + name;
    }

    std::string number_;
    bool works_ = false;
};

BOOST_DATA_TEST_CASE(a_zram_device_works, data::make(modes), mode)
{
    if (!is_root())
        return skip("needs root");
    constexpr std::size_t size = 16 * 1024 * 1024;
    const zram_device device(size);
    if (!device.works())
        return skip("no zram device can be added");
    exercise_device(device.path(), size, mode);
}

struct character_fixture : kinds_fixture
{
    character_fixture() : memory(block_size, 'x')
    {
    }

    const outcome& read(kaio::random_access_file& file, std::uint64_t offset)
    {
        results.emplace_back();
        file.async_read_some_at(offset, asio::buffer(memory), record_in(results.back()));
        run_again(context);
        return results.back();
    }

    const outcome& write(kaio::random_access_file& file, std::uint64_t offset)
    {
        results.emplace_back();
        file.async_write_some_at(offset, asio::buffer(memory), record_in(results.back()));
        run_again(context);
        return results.back();
    }

    std::string memory;
    std::deque<outcome> results;
};

BOOST_FIXTURE_TEST_CASE(dev_null_reads_nothing_and_takes_all, character_fixture)
{
    kaio::random_access_file file(context, "/dev/null", file_base::read_write);
    for (const std::uint64_t offset : {0U, 12345U})
    {
        BOOST_TEST(read(file, offset).failed(asio::error::eof));
        BOOST_TEST(write(file, offset).succeeded(block_size));
    }
}

BOOST_FIXTURE_TEST_CASE(dev_zero_reads_zeros_and_takes_all, character_fixture)
{
    kaio::random_access_file file(context, "/dev/zero", file_base::read_write);
    BOOST_TEST(write(file, 5).succeeded(block_size));
    BOOST_TEST(read(file, 5).succeeded(block_size));
    BOOST_TEST(memory == std::string(block_size, '\0'));
}

BOOST_FIXTURE_TEST_CASE(dev_full_reads_zeros_and_takes_nothing, character_fixture)
{
    kaio::random_access_file file(context, "/dev/full", file_base::read_write);
    BOOST_TEST(write(file, 0).failed(system_error(ENOSPC)));
    BOOST_TEST(read(file, 0).succeeded(block_size));
}

BOOST_AUTO_TEST_SUITE_END()

// By whatever path, the result of the synchronous call.
BOOST_DATA_TEST_CASE(pseudo_files_give_what_the_synchronous_call_gives,
                     data::make({"/proc/version", "/proc/sys/kernel/ostype", "/proc/filesystems",
                                 "/sys/kernel/mm/transparent_hugepage/enabled",
                                 "/sys/block/loop0/size", "/proc/self/mem", "/etc", "/proc"}),
                     path)
{
    kinds_fixture f;
    const int descriptor = ::open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor == -1)
        return skip(std::string("no ") + path);
    kaio::random_access_file file(f.context, descriptor);
    for (const ::off_t offset : {0, 3, 100000})
    {
        std::string expected(8192, '\0');
        const ::ssize_t count = ::pread(descriptor, &expected[0], expected.size(), offset);
        const int error = errno;
        std::string memory(8192, '\0');
        const kaio::service_statistics before = f.service.statistics();
        std::deque<outcome> results(20);
        for (outcome& o : results)
            file.async_read_some_at(static_cast<std::uint64_t>(offset), asio::buffer(memory),
                                    record_in(o));
        run_again(f.context);
        for (const outcome& o : results)
        {
            if (count == -1)
                BOOST_TEST(o.failed(system_error(error)), o);
            else if (count == 0)
                BOOST_TEST(o.failed(asio::error::eof), o);
            else
                BOOST_TEST(o.succeeded(static_cast<std::size_t>(count)), o);
        }
        BOOST_TEST(memory == expected);
        // An operation that io_submit refused is not submitted again.
        const kaio::service_statistics after = f.service.statistics();
        if (before.helper_operations != 0 &&
            after.helper_operations - before.helper_operations == results.size())
            BOOST_TEST(after.submit_calls == before.submit_calls);
    }
    const std::string text(10, 'x');
    const ::ssize_t count = ::pwrite(descriptor, text.data(), text.size(), 0);
    const int error = errno;
    BOOST_REQUIRE(count == -1);
    outcome written;
    file.async_write_some_at(0, asio::buffer(text), record_in(written));
    run_again(f.context);
    BOOST_TEST(written.failed(system_error(error)), written);
}

// Each makes a new descriptor of a kind, or -1.
struct kind
{
    const char* name;
    int (*open)();
    const char* written;
};

std::ostream& operator<<(std::ostream& os, const kind& k)
{
    return os << k.name;
}

template <int Flags>
int open_named(const char* path)
{
    return ::open(path, Flags | O_CLOEXEC);
}

int open_memory()
{
    const int result = ::memfd_create("kaio-test", MFD_CLOEXEC);
    BOOST_REQUIRE(::pwrite(result, "0123456789", 10, 0) == 10);
    return result;
}

int open_sealed_memory()
{
    const int result = ::memfd_create("kaio-test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    BOOST_REQUIRE(::fcntl(result, F_ADD_SEALS, F_SEAL_WRITE) == 0);
    return result;
}

template <int Flags>
int open_temporary()
{
    const temporary_file file(std::string("0123456789"));
    return ::open(file.c_str(), Flags | O_CLOEXEC);
}

template <int End>
int open_pipe()
{
    int ends[2] = {-1, -1};
    BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    ::close(ends[1 - End]);
    return ends[End];
}

int open_socket()
{
    return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

int open_terminal()
{
    return ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
}

const kind kinds[] = {
    {"regular", open_temporary<O_RDWR>, "abc"},
    {"read-only", open_temporary<O_RDONLY>, "abc"},
    {"write-only", open_temporary<O_WRONLY>, "abc"},
    {"appending", open_temporary<O_RDWR | O_APPEND>, "abc"},
    {"synchronous", open_temporary<O_RDWR | O_SYNC>, "abc"},
    {"O_PATH", open_temporary<O_PATH>, "abc"},
    {"memory", open_memory, "abc"},
    {"sealed memory", open_sealed_memory, "abc"},
    {"directory", [] { return open_named<O_RDONLY | O_DIRECTORY>("."); }, "abc"},
    {"comm", [] { return open_named<O_RDWR>("/proc/self/comm"); }, "file_kinds"},
    // Of another thread, as a helper is, only root may change it.
    {"timer slack", [] { return is_root() ? open_named<O_RDWR>("/proc/self/timerslack_ns") : -1; },
     "50000"},
    {"setgroups", [] { return open_named<O_RDWR>("/proc/self/setgroups"); }, "nonsense"},
    {"uid_map", [] { return open_named<O_RDWR>("/proc/self/uid_map"); }, "nonsense"},
    {"oom_score_adj", [] { return open_named<O_RDWR>("/proc/self/oom_score_adj"); }, "0"},
    {"coredump_filter", [] { return open_named<O_RDWR>("/proc/self/coredump_filter"); }, "0x33"},
    {"process memory", [] { return open_named<O_RDWR>("/proc/self/mem"); }, "abc"},
    {"pagemap", [] { return open_named<O_RDONLY>("/proc/self/pagemap"); }, "abc"},
    {"environment", [] { return open_named<O_RDONLY>("/proc/self/environ"); }, "abc"},
    {"proc", [] { return open_named<O_RDONLY>("/proc/version"); }, "abc"},
    {"sysctl", [] { return open_named<O_RDONLY>("/proc/sys/kernel/ostype"); }, "abc"},
    {"sysfs", [] { return open_named<O_RDWR>("/sys/kernel/mm/transparent_hugepage/enabled"); },
     "nonsense"},
    {"null", [] { return open_named<O_RDWR>("/dev/null"); }, "abc"},
    {"zero", [] { return open_named<O_RDWR>("/dev/zero"); }, "abc"},
    {"full", [] { return open_named<O_RDWR>("/dev/full"); }, "abc"},
    {"event", [] { return ::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK); }, "12345678"},
    {"timer", [] { return ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK); }, "abc"},
    {"epoll", [] { return ::epoll_create1(EPOLL_CLOEXEC); }, "abc"},
    {"inotify", [] { return ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK); }, "abc"},
    {"pipe to read", open_pipe<0>, "abc"},
    {"pipe to write", open_pipe<1>, "abc"},
    {"socket", open_socket, "abc"},
    {"terminal", open_terminal, "abc"}};

// The outcome of a transfer.
struct result
{
    boost::system::error_code ec;
    std::size_t bytes;
    std::string memory;
    ::off_t position;
};

bool operator==(const result& a, const result& b)
{
    return a.ec == b.ec && a.bytes == b.bytes && a.memory == b.memory && a.position == b.position;
}

std::ostream& operator<<(std::ostream& os, const result& r)
{
    return os << r.ec.message() << ", " << r.bytes << " bytes, then at " << r.position;
}

// A read and a write of a file of a kind, at once or asynchronously.
template <typename File>
std::vector<result> transfer_both(const kind& k, bool asynchronous,
                                  const kaio::service_options& options, const kaio::io_options& how)
{
    constexpr bool is_stream = std::is_same_v<File, kaio::stream_file>;
    std::vector<result> results;
    for (const bool is_read : {true, false})
    {
        kinds_fixture f(options);
        File file(f.context);
        const int descriptor = k.open();
        boost::system::error_code ec;
        file.assign(descriptor, ec);
        if (ec)
        {
            ::close(descriptor);
            results.push_back({ec, 0, {}, 0});
            continue;
        }
        result r = {{}, 0, is_read ? std::string(8, '-') : std::string(k.written), 0};
        outcome o;
        const auto buffer = asio::buffer(r.memory);
        const auto at_once = [&] {
            if constexpr (is_stream)
                return is_read ? file.read_some(buffer, how, r.ec)
                               : file.write_some(buffer, how, r.ec);
            else
                return is_read ? file.read_some_at(0, buffer, how, r.ec)
                               : file.write_some_at(0, buffer, how, r.ec);
        };
        if (!asynchronous)
            r.bytes = at_once();
        else
        {
            if constexpr (is_stream)
                is_read ? file.async_read_some(buffer, how, record_in(o))
                        : file.async_write_some(buffer, how, record_in(o));
            else
                is_read ? file.async_read_some_at(0, buffer, how, record_in(o))
                        : file.async_write_some_at(0, buffer, how, record_in(o));
            run(f.context);
            BOOST_TEST(o.calls == 1);
            r.ec = o.ec;
            r.bytes = o.bytes;
        }
        r.position = ::lseek(descriptor, 0, SEEK_CUR);
        results.push_back(r);
    }
    return results;
}

template <typename File>
void compare_both(const kind& k, const kaio::io_options& how)
{
    kaio::service_options on_thread;
    on_thread.submission = kaio::submission_mode::on_thread;
    const std::vector<result> expected = transfer_both<File>(k, false, {}, how);
    for (const kaio::service_options& options : {kaio::service_options(), on_thread})
    {
        const std::vector<result> found = transfer_both<File>(k, true, options, how);
        BOOST_TEST(found == expected, boost::test_tools::per_element());
    }
}

// The kind of the file decides what a transfer leads to, not the way it takes.
BOOST_DATA_TEST_CASE(asynchronous_as_synchronous, data::make(kinds), k)
{
    const int descriptor = k.open();
    if (descriptor == -1)
        return skip(std::string("no ") + k.name);
    ::close(descriptor);
    kaio::io_options no_wait;
    no_wait.no_wait = true;
    kaio::io_options append;
    append.append = true;
    for (const kaio::io_options& how : {kaio::io_options(), no_wait, append})
    {
        BOOST_TEST_CONTEXT("stream" << (how.no_wait ? ", no_wait" : how.append ? ", append" : ""))
        compare_both<kaio::stream_file>(k, how);
        BOOST_TEST_CONTEXT("random access" << (how.no_wait  ? ", no_wait"
                                               : how.append ? ", append"
                                                            : ""))
        compare_both<kaio::random_access_file>(k, how);
    }
}

BOOST_AUTO_TEST_CASE(appending_descriptors_that_are_assigned)
{
    const temporary_file target(std::string(100, '-'));
    kinds_fixture f;
    kaio::random_access_file file(f.context, ::open(target.c_str(), O_WRONLY | O_APPEND));
    std::deque<outcome> results(50);
    std::string expected(100, '-');
    std::deque<std::string> texts;
    for (std::size_t i = 0; i != results.size(); ++i)
    {
        texts.emplace_back(10 + i, static_cast<char>('a' + i % 26));
        expected += texts.back();
        file.async_write_some_at(0, asio::buffer(texts.back()), record_in(results[i]));
    }
    run(f.context);
    for (std::size_t i = 0; i != results.size(); ++i)
        BOOST_TEST(results[i].succeeded(10 + i), results[i]);
    BOOST_TEST(target.contents() == expected);
}

BOOST_AUTO_TEST_CASE(o_direct_turned_on_and_off)
{
    if (!direct_io_available())
        return skip("no direct I/O in " + directory());
    constexpr std::size_t blocks = 32;
    const temporary_file target(blocks * block_size);
    kinds_fixture f;
    const int descriptor = ::open(target.c_str(), O_RDWR | O_CLOEXEC);
    kaio::random_access_file file(f.context, descriptor);
    for (int round = 0; round != 10; ++round)
    {
        BOOST_REQUIRE(::fcntl(descriptor, F_SETFL, round % 2 == 0 ? O_DIRECT : 0) == 0);
        f.transfer(file, true, blocks);
        f.transfer(file, false, blocks);
        f.transfer(file, true, blocks);
        if (round % 2 != 0)
            f.transfer(file, true, 10, 1000, 1);
    }
    // And while operations are outstanding.
    std::deque<outcome> results(200);
    aligned_memory memory(results.size() * block_size);
    for (std::size_t i = 0; i != results.size(); ++i)
    {
        ::fcntl(descriptor, F_SETFL, i % 2 == 0 ? O_DIRECT : 0);
        file.async_read_some_at(i % blocks * block_size,
                                asio::buffer(memory.data() + i * block_size, block_size),
                                record_in(results[i]));
        f.context.restart();
        f.context.poll();
    }
    run_again(f.context);
    for (const outcome& o : results)
        BOOST_TEST(o.succeeded(block_size), o);
    const bool equal =
        memory.text().substr(0, blocks * block_size) == pattern(0, blocks * block_size);
    BOOST_TEST(equal);
}

// The disk may be too fast for the loop to notice that it waits.
BOOST_AUTO_TEST_CASE(o_direct_turned_on_is_noticed)
{
    if (!direct_io_available())
        return skip("no direct I/O in " + directory());
    const temporary_file target(block_size);
    kinds_fixture f;
    if (!f.service.statistics().kernel_aio)
        return skip("needs AIO");
    const int descriptor = ::open(target.c_str(), O_RDONLY | O_CLOEXEC);
    kaio::random_access_file file(f.context, descriptor);
    f.transfer(file, true, 1);
    BOOST_REQUIRE(::fcntl(descriptor, F_SETFL, O_DIRECT) == 0);
    for (int i = 0; i != 260; ++i)
        f.transfer(file, true, 1);
    const kaio::service_statistics before = f.service.statistics();
    f.transfer(file, true, 1);
    BOOST_TEST(f.service.statistics().loop_tries == before.loop_tries);
}

BOOST_AUTO_TEST_SUITE(refused)

void check_refused(int descriptor)
{
    kinds_fixture f;
    kaio::random_access_file file(f.context);
    boost::system::error_code ec;
    file.assign(descriptor, ec);
    BOOST_TEST(ec == system_error(ESPIPE));
    BOOST_TEST(!file.is_open());
    // It stays the caller's.
    BOOST_TEST(::fcntl(descriptor, F_GETFD) != -1);
    BOOST_CHECK_THROW(file.assign(descriptor), boost::system::system_error);
    BOOST_CHECK_THROW(kaio::random_access_file(f.context, descriptor), boost::system::system_error);
    BOOST_TEST(::fcntl(descriptor, F_GETFD) != -1);

    // The same by its name.
    const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
    file.open(path, file_base::read_write, ec);
    BOOST_TEST((ec == system_error(ESPIPE) || ec == system_error(ENXIO)), ec.message());
    BOOST_TEST(!file.is_open());
    outcome opened;
    file.async_open(path, file_base::read_write, record_plain_in(opened));
    run_again(f.context);
    BOOST_TEST(opened.failed(ec), opened);
    BOOST_TEST(!file.is_open());
    ::close(descriptor);
}

BOOST_AUTO_TEST_CASE(a_pipe_is_refused)
{
    int ends[2];
    BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    check_refused(ends[0]);
    check_refused(ends[1]);
}

BOOST_AUTO_TEST_CASE(a_socket_is_refused)
{
    int ends[2];
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    check_refused(ends[0]);
    check_refused(ends[1]);
}

BOOST_AUTO_TEST_CASE(a_terminal_is_refused)
{
    const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master == -1)
        return skip("no pseudo-terminal");
    ::grantpt(master);
    ::unlockpt(master);
    const int descriptor = ::open(::ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    BOOST_REQUIRE(descriptor != -1);
    check_refused(descriptor);
    ::close(master);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
