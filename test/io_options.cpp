//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Options of a single transfer. An option that the kernel or the file lacks fails that transfer
// alone.

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/block_size.hpp"
#include "support/child_process.hpp"
#include "support/interposed_io.hpp"
#include "support/needs_aio.hpp"
#include "support/outcome.hpp"
#include "support/refusing_kernel.hpp"
#include "support/run.hpp"
#include "support/skip.hpp"
#include "support/system_error.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;
namespace unit_test = boost::unit_test;

using namespace kaio::test;

namespace {

constexpr int rwf_atomic = 0x40; // Newer than the headers of Debian 12.

kaio::io_options only(bool kaio::io_options::*option)
{
    kaio::io_options result;
    result.*option = true;
    return result;
}

kaio::io_options only(kaio::io_priority priority)
{
    kaio::io_options result;
    result.priority = priority;
    return result;
}

struct option
{
    const char* name;
    bool kaio::io_options::*member;

    friend std::ostream& operator<<(std::ostream& os, const option& o)
    {
        return os << o.name;
    }
};

// Those whose results don't depend on what is in the page cache at the moment.
const option options[] = {{"data_sync", &kaio::io_options::data_sync},
                          {"sync", &kaio::io_options::sync},
                          {"append", &kaio::io_options::append},
                          {"atomic", &kaio::io_options::atomic},
                          {"uncached", &kaio::io_options::uncached}};

struct options_fixture
{
    explicit options_fixture(transfer_mode mode = transfer_mode::buffered)
      : target(16 * block_size), file(context, target.path(), kaio::file_base::read_write | mode),
        memory(16 * block_size)
    {
        std::memset(memory.data(), 'x', memory.size());
    }

    asio::mutable_buffer buffer(std::size_t size = block_size)
    {
        return asio::buffer(memory.data(), size);
    }

    void read(outcome& result, std::uint64_t offset, const kaio::io_options& how,
              std::size_t size = block_size)
    {
        initiate([&] { file.async_read_some_at(offset, buffer(size), how, record_in(result)); });
        run_again(context);
    }

    void write(outcome& result, std::uint64_t offset, const kaio::io_options& how,
               std::size_t size = block_size)
    {
        initiate([&] { file.async_write_some_at(offset, buffer(size), how, record_in(result)); });
        run_again(context);
    }

    asio::io_context context;
    temporary_file target;
    kaio::random_access_file file;
    aligned_memory memory;
};

// Whether a file could be thrown out of the page cache.
bool evict(int descriptor, std::size_t size)
{
    void* const map = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
    if (map == MAP_FAILED)
        return false;
    std::vector<unsigned char> resident(size / block_size, 1);
    const auto is_resident = [](unsigned char page) { return (page & 1) != 0; };
    bool gone = false;
    for (int i = 0; i != 100 && !gone; ++i)
    {
        ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
        gone = ::mincore(map, size, resident.data()) == 0 &&
               std::none_of(resident.begin(), resident.end(), is_resident);
    }
    ::munmap(map, size);
    return gone;
}

bool on_ext4()
{
    struct statfs status;
    return ::statfs(directory().c_str(), &status) == 0 && status.f_type == EXT4_SUPER_MAGIC;
}

boost::test_tools::assertion_result ext4(unit_test::test_unit_id)
{
    if (!on_ext4())
        std::cerr << directory() << " is no ext4: skipped\n";
    return on_ext4();
}

} // namespace

BOOST_AUTO_TEST_SUITE(io_options)

// Every option either works or is reported, in the same way as by the synchronous function.
BOOST_DATA_TEST_CASE(as_the_synchronous_functions,
                     data::make(transfer_modes()) * data::make(options), mode, o)
{
    options_fixture f(mode);
    const kaio::io_options how = only(o.member);
    for (int round = 0; round != 3; ++round)
    {
        boost::system::error_code ec;
        std::size_t bytes = f.file.write_some_at(0, f.buffer(), how, ec);
        outcome written;
        f.write(written, 0, how);
        BOOST_TEST((ec ? written.failed(ec) : written.succeeded(bytes)),
                   written << ", not " << ec.message());
        BOOST_TEST((!ec || ec == asio::error::operation_not_supported), ec.message());

        bytes = f.file.read_some_at(block_size, f.buffer(), how, ec);
        outcome read;
        f.read(read, block_size, how);
        BOOST_TEST((ec ? read.failed(ec) : read.succeeded(bytes)),
                   read << ", not " << ec.message());
        BOOST_TEST((!ec || ec == asio::error::operation_not_supported), ec.message());
        BOOST_TEST((ec || std::string(f.memory.data(), bytes) == pattern(block_size, bytes)));
        std::memset(f.memory.data(), 'x', block_size);
    }
}

BOOST_DATA_TEST_CASE(a_lacking_option_fails_alone, data::make(transfer_modes()), mode)
{
    // No kernel has atomic reads.
    options_fixture f(mode);
    std::vector<outcome> results(32);
    aligned_memory memory(results.size() * block_size);
    for (int round = 0; round != 3; ++round)
    {
        for (std::size_t i = 0; i != results.size(); ++i)
        {
            results[i].calls = 0;
            kaio::io_options how;
            how.atomic = i % 5 == 2;
            f.file.async_read_some_at(i % 16 * block_size,
                                      asio::buffer(memory.data() + i * block_size, block_size), how,
                                      record_in(results[i]));
        }
        run_again(f.context);
        for (std::size_t i = 0; i != results.size(); ++i)
        {
            if (i % 5 == 2)
            {
                BOOST_TEST(results[i].failed(asio::error::operation_not_supported), results[i]);
                continue;
            }
            BOOST_TEST(results[i].succeeded(block_size), results[i]);
            BOOST_TEST((std::string(memory.data() + i * block_size, block_size) ==
                        pattern(i % 16 * block_size, block_size)));
        }
    }
}

BOOST_DATA_TEST_CASE(synchronous_writes_are_stored, data::make(transfer_modes()), mode)
{
    options_fixture f(mode);
    for (const auto member : {&kaio::io_options::data_sync, &kaio::io_options::sync})
    {
        std::memset(f.memory.data(), 'x', block_size);
        outcome written;
        f.write(written, 16 * block_size, only(member));
        BOOST_TEST(written.succeeded(block_size), written);
        outcome read;
        f.read(read, 0, only(member));
        BOOST_TEST(read.succeeded(block_size), read);
    }
    BOOST_TEST((f.target.contents().substr(16 * block_size) == std::string(block_size, 'x')));
}

BOOST_DATA_TEST_CASE(append_ignores_the_offset, data::make(transfer_modes()), mode)
{
    options_fixture f(mode);
    outcome written;
    f.write(written, 0, only(&kaio::io_options::append));
    BOOST_TEST(written.succeeded(block_size), written);
    BOOST_TEST((f.target.contents() == pattern(0, 16 * block_size) + std::string(block_size, 'x')));

    // A read is not concerned.
    outcome read;
    f.read(read, 0, only(&kaio::io_options::append));
    BOOST_TEST((read.succeeded(block_size) || read.failed(asio::error::operation_not_supported)),
               read);
}

BOOST_AUTO_TEST_CASE(no_wait_takes_what_is_there, *unit_test::precondition(&ext4))
{
    options_fixture f;
    outcome cached;
    f.read(cached, 0, only(&kaio::io_options::no_wait));
    BOOST_TEST(cached.succeeded(block_size), cached);
    BOOST_TEST((std::string(f.memory.data(), block_size) == pattern(0, block_size)));

    // Raw: what isn't in the page cache is not waited for. The kernel (6.18) has it read all the
    // same,
    // and a fast disk may be done before the kernel looks: so it is compared with plain calls.
    f.file.sync_all();
    int refusals = 0;
    int plain_refusals = 0;
    for (int i = 0; i != 100; ++i)
    {
        if (!evict(f.file.native_handle(), 16 * block_size))
            break;
        outcome cold;
        f.read(cold, 8 * block_size, only(&kaio::io_options::no_wait));
        refusals += cold.failed(asio::error::try_again);
        BOOST_TEST((cold.failed(asio::error::try_again) || cold.succeeded(block_size)), cold);

        evict(f.file.native_handle(), 16 * block_size);
        char byte;
        const ::iovec buffer = {&byte, 1};
        plain_refusals +=
            ::preadv2(f.file.native_handle(), &buffer, 1, 8 * block_size, RWF_NOWAIT) == -1;
    }
    if (plain_refusals > 20)
        BOOST_TEST(refusals > 0);
    else
        skip("plain calls find the data, too: nothing to wait for");

    // Without the option it is.
    outcome patient;
    f.read(patient, 12 * block_size, {});
    BOOST_TEST(patient.succeeded(block_size), patient);
}

BOOST_AUTO_TEST_CASE(no_wait_is_refused_where_the_file_system_would_wait,
                     *unit_test::precondition(&ext4))
{
    options_fixture buffered;
    outcome written;
    buffered.write(written, 0, only(&kaio::io_options::no_wait));
    BOOST_TEST(
        (written.failed(asio::error::operation_not_supported) || written.succeeded(block_size)),
        written);

    options_fixture direct(transfer_mode::direct);
    outcome overwritten;
    direct.write(overwritten, 0, only(&kaio::io_options::no_wait));
    BOOST_TEST((overwritten.succeeded(block_size) || overwritten.failed(asio::error::try_again)),
               overwritten);
    outcome extended;
    direct.write(extended, 16 * block_size, only(&kaio::io_options::no_wait));
    BOOST_TEST(extended.failed(asio::error::try_again), extended);
    BOOST_TEST(direct.file.size() == 16 * block_size);
}

BOOST_DATA_TEST_CASE(priorities_are_taken, data::make(transfer_modes()), mode)
{
    options_fixture f(mode);
    for (const auto io_class :
         {kaio::io_priority_class::best_effort, kaio::io_priority_class::idle})
    {
        for (const int level : {0, 4, 7})
        {
            outcome read;
            f.read(read, 0, only(kaio::io_priority{io_class, level}));
            BOOST_TEST(read.succeeded(block_size), read);
            outcome written;
            f.write(written, 0, only(kaio::io_priority{io_class, level}));
            BOOST_TEST(written.succeeded(block_size), written);
        }
    }
    outcome real_time;
    f.read(real_time, 0, only(kaio::io_priority{kaio::io_priority_class::real_time, 0}));
    BOOST_TEST((real_time.succeeded(block_size) || real_time.failed(system_error(EPERM))),
               real_time);

    // An option without sense fails its own transfer only.
    outcome unknown;
    outcome usual;
    f.file.async_read_some_at(0, f.buffer(),
                              only(kaio::io_priority{static_cast<kaio::io_priority_class>(5), 0}),
                              record_in(unknown));
    f.file.async_write_some_at(0, asio::buffer(f.memory.data() + block_size, block_size),
                               record_in(usual));
    run_again(f.context);
    BOOST_TEST(unknown.failed(asio::error::invalid_argument), unknown);
    BOOST_TEST(usual.succeeded(block_size), usual);
}

BOOST_DATA_TEST_CASE(priorities_out_of_range_are_refused, data::make({-1, 8, 100, 8192, 1 << 20}),
                     level)
{
    options_fixture f;
    for (const auto io_class :
         {kaio::io_priority_class::best_effort, kaio::io_priority_class::idle})
    {
        outcome read;
        f.read(read, 0, only(kaio::io_priority{io_class, level}));
        BOOST_TEST(read.failed(asio::error::invalid_argument), read);
    }
}

// The priority really reaches the kernel.
BOOST_TEST_DECORATOR(*unit_test::precondition(&needs_aio) * unit_test::precondition(&tries_reads))
BOOST_DATA_TEST_CASE(a_priority_is_part_of_the_submission, data::make(transfer_modes()), mode)
{
    options_fixture f(mode);
    std::vector<int> seen;
    const interposed_submit hook([&](::aio_context_t kernel, long n, ::iocb** blocks) {
        for (long i = 0; i != n; ++i)
            seen.push_back((blocks[i]->aio_flags & IOCB_FLAG_IOPRIO) != 0 ? blocks[i]->aio_reqprio
                                                                          : -1);
        return kernel_submit(kernel, n, blocks);
    });
    outcome without;
    outcome with;
    f.file.async_read_some_at(0, f.buffer(), record_in(without));
    f.file.async_read_some_at(0, f.buffer(),
                              only(kaio::io_priority{kaio::io_priority_class::best_effort, 6}),
                              record_in(with));
    run(f.context);
    constexpr int class_shift = 13;
    std::vector<int> expected{2 << class_shift | 6};
    if (mode == transfer_mode::direct)
        expected.insert(expected.begin(), -1);
    BOOST_TEST(seen == expected, boost::test_tools::per_element());
}

namespace {

constexpr int io_class_shift = 13;

int io_priority_class_of(::pid_t thread)
{
    return static_cast<int>(::syscall(SYS_ioprio_get, 1, thread)) >> io_class_shift;
}

std::set<::pid_t> threads()
{
    std::set<::pid_t> result;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task"))
        result.insert(std::stoi(entry.path().filename().string()));
    return result;
}

} // namespace

// A helper thread that may not have back what it had doesn't keep the priority of one operation.
BOOST_AUTO_TEST_CASE(a_priority_is_for_one_operation_only)
{
    if (!is_root())
        return skip("needs root");
    const int status = run_in_child([] {
        constexpr int real_time = 1 << io_class_shift | 4;
        constexpr int idle = 3;
        KAIO_REQUIRE_IN_CHILD(::syscall(SYS_ioprio_set, 1, 0, real_time) == 0);
        KAIO_REQUIRE_IN_CHILD(::setresuid(65534, 65534, 65534) == 0);
        const std::set<::pid_t> before = threads(); // A sanitizer may have one of its own.
        asio::io_context context;
        kaio::service_options options;
        options.helper_threads = 1;
        kaio::make_aio_service(context, options);
        // A file that isn't regular is left to the helper.
        kaio::random_access_file file(context, "/dev/zero", kaio::file_base::read_only);
        char memory[16];
        boost::system::error_code result;
        file.async_read_some_at(0, asio::buffer(memory),
                                only(kaio::io_priority{kaio::io_priority_class::idle, 0}),
                                [&](boost::system::error_code ec, std::size_t) { result = ec; });
        context.run_for(time_bound);
        KAIO_REQUIRE_IN_CHILD(!result);
        int helpers = 0;
        for (const ::pid_t thread : threads())
        {
            if (before.count(thread) != 0)
                continue;
            ++helpers;
            KAIO_REQUIRE_IN_CHILD(io_priority_class_of(thread) != idle);
        }
        KAIO_REQUIRE_IN_CHILD(helpers == 1);
        return 0;
    });
    BOOST_TEST(status == 0);
}

// A second write after half of one would make two of it. A kernel that does half breaks its word,
// and
// what it said is the result.
BOOST_DATA_TEST_CASE(atomic_writes_are_not_continued, data::make(transfer_modes()), mode)
{
    const refusing_kernel kernel(refusal::half);
    std::atomic<int> writes_off_loop{0};
    const interposed_write hook(
        [&](int descriptor, const ::iovec* buffers, int n, ::off_t offset, int flags) {
            ++writes_off_loop;
            return kernel_write(descriptor, buffers, n, offset, flags & ~rwf_atomic);
        });
    options_fixture f(mode);
    if (!asio::use_service<kaio::aio_service>(f.context).statistics().kernel_aio)
        return skip("needs AIO");
    outcome result;
    f.write(result, 0, only(&kaio::io_options::atomic));
    BOOST_TEST(kernel.attempts() == 1U);
    BOOST_TEST(writes_off_loop == 0);
    BOOST_TEST(result.succeeded(block_size / 2), result);
}

BOOST_AUTO_TEST_SUITE_END()
