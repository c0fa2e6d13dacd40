//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// A disk that is full, which takes a file system of one's own.

#include <stdlib.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/block_size.hpp"
#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/temporary_file.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;
namespace unit_test = boost::unit_test;

using namespace kaio::test;

namespace {

bool shell(const std::string& command)
{
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

// A small ext4 in a file.
class small_file_system
{
public:
    small_file_system()
    {
        char name[] = "/tmp/kaio-test-XXXXXX";
        if (::geteuid() != 0 || !::mkdtemp(name))
            return;
        path_ = name;
        const std::string image = path_ + ".image";
        mounted_ = shell("truncate -s 8M " + image) && shell("mkfs.ext4 -q -m 0 -F " + image) &&
                   shell("mount -o loop " + image + " " + path_);
        // The mount keeps the loop device.
        ::unlink(image.c_str());
    }

    ~small_file_system()
    {
        if (path_.empty())
            return;
        if (mounted_)
            shell("umount -l " + path_);
        ::rmdir(path_.c_str());
    }

    bool mounted() const
    {
        return mounted_;
    }

    std::string file() const
    {
        return path_ + "/file";
    }

    std::size_t available() const
    {
        struct statvfs status;
        return ::statvfs(path_.c_str(), &status) == 0 ? status.f_bavail * status.f_frsize : 0;
    }

private:
    std::string path_;
    bool mounted_ = false;
};

boost::test_tools::assertion_result mountable(unit_test::test_unit_id)
{
    const bool result = small_file_system().mounted();
    if (!result)
        std::cerr << "a file system can't be mounted here (it takes root, mkfs.ext4 and a loop "
                     "device): a full disk is not tested\n";
    return result;
}

const kaio::file_base::flags mode_flags[] = {kaio::file_base::read_write | kaio::file_base::create,
                                             kaio::file_base::read_write | kaio::file_base::create |
                                                 kaio::file_base::direct};

} // namespace

BOOST_AUTO_TEST_SUITE(full_file_system, *unit_test::precondition(&mountable))

BOOST_DATA_TEST_CASE(writes_until_it_is_full, data::make(mode_flags), flags)
{
    constexpr std::size_t size = 64 * 1024;
    const small_file_system file_system;
    const std::size_t count = 2 * file_system.available() / size;
    asio::io_context context;
    kaio::service_options options;
    options.max_in_flight = 16;
    kaio::make_aio_service(context, options);
    kaio::random_access_file file(context, file_system.file(), flags);
    aligned_memory memory(size);
    std::memset(memory.data(), 'x', size);

    // Each has written all, some, or says why it hasn't.
    std::vector<outcome> results(count);
    for (std::size_t i = 0; i != count; ++i)
        file.async_write_some_at(i * size, asio::buffer(memory.data(), size),
                                 record_in(results[i]));
    run(context);
    std::size_t complete = 0;
    std::size_t refused = 0;
    for (const outcome& o : results)
    {
        complete += o.succeeded(size);
        const bool full = o.failed({ENOSPC, boost::system::system_category()});
        refused += full;
        BOOST_TEST((full || (o.succeeded(o.bytes) && o.bytes > 0 && o.bytes <= size)), o);
    }
    BOOST_TEST(complete != 0);
    BOOST_TEST(refused != 0);
    BOOST_TEST(asio::use_service<kaio::aio_service>(context).statistics().operations_failed ==
               refused);

    // All bytes reported as written are there.
    aligned_memory back(size);
    for (std::size_t i = 0; i != count; ++i)
    {
        if (results[i].ec)
            continue;
        outcome read;
        file.async_read_some_at(i * size, asio::buffer(back.data(), size), record_in(read));
        run_again(context);
        BOOST_TEST(read.bytes >= results[i].bytes);
        BOOST_TEST(std::memcmp(back.data(), memory.data(), results[i].bytes) == 0);
    }

    // Nothing to write takes no room; and behind the end there is nothing.
    outcome empty;
    file.async_write_some_at(count * size, asio::const_buffer(), record_in(empty));
    outcome beyond;
    file.async_read_some_at(count * size, asio::buffer(back.data(), block_size), record_in(beyond));
    run_again(context);
    BOOST_TEST(empty.succeeded(0), empty);
    BOOST_TEST(beyond.failed(asio::error::eof), beyond);

    // Once there is room again, so is success.
    file.resize(0);
    outcome written;
    file.async_write_some_at(0, asio::buffer(memory.data(), size), record_in(written));
    run_again(context);
    BOOST_TEST(written.succeeded(size), written);
}

BOOST_AUTO_TEST_SUITE_END()
