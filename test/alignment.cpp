//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// The alignment that a file reports for direct transfers, checked against the kernel.

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>

#include <kaio/aligned_buffer.hpp>
#include <kaio/random_access_file.hpp>

#include "support/run.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using kaio::file_base;
using kaio::io_alignment;
using kaio::random_access_file;
using namespace kaio::test;

// Replaces the answer of statx.
std::function<int(unsigned char*)> statx_answer;

struct fixture : context_fixture
{
    ~fixture()
    {
        statx_answer = nullptr;
    }
};

void put(unsigned char* buffer, std::size_t offset, std::uint32_t value)
{
    std::memcpy(buffer + offset, &value, sizeof(value));
}

bool is_power_of_two(std::uint32_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

// A disk, or a partition of one, that this user may read.
std::string readable_block_device()
{
    std::string result;
    if (::DIR* const directory = ::opendir("/sys/class/block"))
    {
        while (const ::dirent* entry = ::readdir(directory))
        {
            const std::string path = "/dev/" + std::string(entry->d_name);
            std::uint64_t size = 0;
            const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
            if (descriptor == -1)
                continue;
            if (::ioctl(descriptor, BLKGETSIZE64, &size) == 0 && size != 0)
                result = path;
            ::close(descriptor);
        }
        ::closedir(directory);
    }
    return result;
}

} // namespace

extern "C" int statx(int directory, const char* path, int flags, unsigned mask,
                     struct ::statx* buffer) noexcept
{
    if (statx_answer)
        return statx_answer(reinterpret_cast<unsigned char*>(buffer));
    using function = int (*)(int, const char*, int, unsigned, struct ::statx*);
    static const auto next = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "statx"));
    return next(directory, path, flags, mask, buffer);
}

BOOST_FIXTURE_TEST_SUITE(alignment, fixture)

BOOST_AUTO_TEST_CASE(what_it_says_suffices)
{
    temporary_file f(std::size_t(65536));
    if (!direct_io_available())
        return skip("no direct I/O in " + directory());
    random_access_file file(context, f.path(), file_base::read_write | file_base::direct);
    const io_alignment found = file.alignment();
    BOOST_TEST(is_power_of_two(found.memory));
    BOOST_TEST(is_power_of_two(found.offset));
    BOOST_TEST(is_power_of_two(found.read_offset));

    // One unit of it, at an odd multiple of it.
    kaio::aligned_buffer memory(2 * found.memory + found.offset, 2 * found.memory);
    char* const begin = static_cast<char*>(memory.data()) + found.memory;
    BOOST_TEST(file.read_some_at(found.read_offset, asio::buffer(begin, found.read_offset)) ==
               found.read_offset);
    BOOST_TEST(std::string(begin, found.read_offset) ==
               pattern(found.read_offset, found.read_offset));
    BOOST_TEST(file.write_some_at(found.offset, asio::buffer(begin, found.offset)) == found.offset);
}

BOOST_AUTO_TEST_CASE(it_is_the_same_without_direct_io)
{
    temporary_file f(std::size_t(4096));
    random_access_file buffered(context, f.path(), file_base::read_only);
    error_code ec = asio::error::fault;
    const io_alignment found = buffered.alignment(ec);
    BOOST_TEST(!ec);
    BOOST_TEST(found.offset == buffered.alignment().offset);
    BOOST_TEST(is_power_of_two(found.memory));
}

BOOST_AUTO_TEST_CASE(a_closed_file_has_no_alignment)
{
    const random_access_file file(context);
    error_code ec;
    BOOST_TEST(file.alignment(ec).memory == 0u);
    BOOST_TEST(ec == asio::error::bad_descriptor);
    BOOST_CHECK_THROW(file.alignment(), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(what_statx_says)
{
    temporary_file f;
    const random_access_file file(context, f.path(), file_base::read_only);
    statx_answer = [](unsigned char* buffer) {
        put(buffer, 0, 0x2000);
        put(buffer, 152, 4);
        put(buffer, 156, 1024);
        put(buffer, 180, 99);
        return 0;
    };
    io_alignment found = file.alignment();
    BOOST_TEST(found.memory == 4u);
    BOOST_TEST(found.offset == 1024u);
    BOOST_TEST(found.read_offset == 1024u);

    statx_answer = [](unsigned char* buffer) {
        put(buffer, 0, 0x2000 | 0x20000);
        put(buffer, 152, 8);
        put(buffer, 156, 16384);
        put(buffer, 180, 512);
        return 0;
    };
    found = file.alignment();
    BOOST_TEST(found.memory == 8u);
    BOOST_TEST(found.offset == 16384u);
    BOOST_TEST(found.read_offset == 512u);

    // Known, and nothing: no direct I/O.
    statx_answer = [](unsigned char* buffer) {
        put(buffer, 0, 0x2000);
        return 0;
    };
    found = file.alignment();
    BOOST_TEST(found.memory == 0u);
    BOOST_TEST(found.offset == 0u);
}

BOOST_AUTO_TEST_CASE(it_is_found_without_statx)
{
    temporary_file f(std::size_t(65536));
    if (!direct_io_available())
        return skip("no direct I/O in " + directory());
    random_access_file file(context, f.path(), file_base::read_write | file_base::direct);
    const io_alignment by_statx = file.alignment();
    for (const int result : {0, -1})
    {
        statx_answer = [&](unsigned char*) {
            errno = ENOSYS;
            return result;
        };
        const io_alignment found = file.alignment();
        BOOST_TEST(is_power_of_two(found.memory));
        BOOST_TEST(found.memory % by_statx.memory == 0u);
        BOOST_TEST(found.offset % by_statx.offset == 0u);
        kaio::aligned_buffer memory(found.offset, found.memory);
        BOOST_TEST(file.write_some_at(found.offset, asio::buffer(memory)) == found.offset);
    }
}

BOOST_AUTO_TEST_CASE(files_without_a_device_have_an_alignment)
{
    // Of no device, and of no file system that says anything.
    const random_access_file file(context, "/proc/self/status", file_base::read_only);
    BOOST_TEST(file.alignment().offset == 4096u);
    const random_access_file null(context, "/dev/null", file_base::read_only);
    BOOST_TEST(null.alignment().offset == 0u);
}

BOOST_AUTO_TEST_CASE(a_block_device_has_that_of_its_sectors)
{
    const std::string path = readable_block_device();
    if (path.empty())
    {
        return skip("no block device that may be read");
    }
    const random_access_file file(context, path, file_base::read_only);
    random_access_file same(context, path, file_base::read_only);
    int sector = 0;
    BOOST_REQUIRE(::ioctl(same.native_handle(), BLKSSZGET, &sector) == 0);
    BOOST_TEST(file.alignment().offset == static_cast<std::uint32_t>(sector));
    const std::uint32_t memory = file.alignment().memory;
    statx_answer = [](unsigned char*) { return 0; };
    BOOST_TEST(file.alignment().offset == static_cast<std::uint32_t>(sector));
    BOOST_TEST(file.alignment().memory == memory);
}

BOOST_AUTO_TEST_SUITE_END()
