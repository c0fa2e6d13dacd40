//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// The text of explain(), and that of what() of the exceptions.

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include <kaio/aligned_buffer.hpp>
#include <kaio/explain.hpp>
#include <kaio/random_access_file.hpp>
#include <kaio/stream_file.hpp>

#include "support/file_systems.hpp"
#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"

namespace {

namespace asio = boost::asio;
namespace errc = boost::system::errc;
using boost::system::error_code;
using boost::system::system_error;
using kaio::explain;
using kaio::file_base;
using kaio::io_options;
using kaio::random_access_file;
using kaio::stream_file;
using namespace kaio::test;

const error_code eof = asio::error::eof;

bool says(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

// The function throws, with this code, and what() says where it was thrown and why.
template <typename Function, typename Code>
void check_what(Function function, Code code, const std::string& where, const std::string& why)
{
    BOOST_CHECK_EXCEPTION(function(), system_error, [&](const system_error& e) {
        BOOST_TEST(e.code() == code);
        BOOST_TEST(std::string(e.what()).compare(0, where.size() + 2, where + ": ") == 0, e.what());
        BOOST_TEST(says(e.what(), why), e.what() << " doesn't say: " << why);
        return true;
    });
}

error_code system_code(int error)
{
    return {error, boost::system::system_category()};
}

struct fixture : context_fixture
{
    temporary_file f{std::size_t(8192)};
    std::string text = std::string(100, '\0');
};

BOOST_FIXTURE_TEST_SUITE(explain_header, fixture)

BOOST_AUTO_TEST_CASE(no_error_no_words)
{
    random_access_file file(context, f.path(), file_base::read_only);
    BOOST_TEST(explain(file, 0, asio::buffer(text), error_code()) == "");
}

BOOST_AUTO_TEST_CASE(it_names_what_is_misaligned)
{
    if (!direct_io_available())
        return skip("no direct I/O in " + directory());
    random_access_file file(context, f.path(), file_base::read_write | file_base::direct);
    const kaio::io_alignment needed = file.alignment();
    const std::string multiple = " is not a multiple of " + std::to_string(needed.read_offset);
    const error_code ec = errc::make_error_code(errc::invalid_argument);
    const error_code invalid(ec.value(), boost::system::system_category());
    kaio::aligned_buffer block(4096);
    char* const begin = static_cast<char*>(block.data());

    check_what([&] { file.read_some_at(10, asio::buffer(block)); }, errc::invalid_argument,
               "read_some_at", "offset 10" + multiple);
    check_what([&] { file.write_some_at(10, asio::buffer(block)); }, errc::invalid_argument,
               "write_some_at", "offset 10" + multiple);
    check_what([&] { file.read_some_at(0, asio::buffer(block, 100)); }, errc::invalid_argument,
               "read_some_at", "the length of the buffer, 100" + multiple);

    const std::string why =
        explain(file, 0, asio::buffer(begin + 1, 4096 - needed.offset), invalid);
    BOOST_TEST(says(why, "the address of the buffer"), why);
    BOOST_TEST(says(why, " is not a multiple of " + std::to_string(needed.memory)), why);
    BOOST_TEST(!says(why, "offset"), why);
    BOOST_TEST(!says(why, "length"), why);

    const std::array<asio::mutable_buffer, 2> two{asio::buffer(begin, 2048),
                                                  asio::buffer(begin + 2048, 100)};
    const std::string second = explain(file, 4096, two, invalid);
    BOOST_TEST(says(second, "the length of the buffer 2, 100"), second);
    BOOST_TEST(!says(second, "buffer 1"), second);

    // The asynchronous operation fails with the same code, for the same reason.
    outcome result;
    file.async_read_some_at(10, asio::buffer(block), record_in(result));
    run(context);
    BOOST_TEST(result.ec == errc::invalid_argument);
    BOOST_TEST(says(explain(file, 10, asio::buffer(block), result.ec), "offset 10" + multiple));

    // Aligned as it should be: nothing can be said but what the code says.
    BOOST_TEST(explain(file, 0, asio::buffer(block), invalid) == invalid.message());

    stream_file stream(context, f.path(), file_base::read_write | file_base::direct);
    stream.seek(10, file_base::seek_set);
    check_what([&] { stream.read_some(asio::buffer(block)); }, errc::invalid_argument, "read_some",
               "offset 10" + multiple);
    check_what([&] { stream.write_some(asio::buffer(block)); }, errc::invalid_argument,
               "write_some", "offset 10" + multiple);
}

BOOST_AUTO_TEST_CASE(it_names_the_access_mode)
{
    random_access_file reader(context, f.path(), file_base::read_only);
    random_access_file writer(context, f.path(), file_base::write_only);
    random_access_file closed(context);
    check_what([&] { reader.write_some_at(0, asio::buffer(text)); }, errc::bad_file_descriptor,
               "write_some_at", "for reading only");
    check_what([&] { writer.read_some_at(0, asio::buffer(text)); }, errc::bad_file_descriptor,
               "read_some_at", "for writing only");
    check_what([&] { closed.read_some_at(0, asio::buffer(text)); }, errc::bad_file_descriptor,
               "read_some_at", "not open");
    stream_file closed_stream(context);
    check_what([&] { closed_stream.write_some(asio::buffer(text)); }, errc::bad_file_descriptor,
               "write_some", "not open");
}

BOOST_AUTO_TEST_CASE(it_says_where_the_file_ends)
{
    random_access_file file(context, f.path(), file_base::read_only);
    check_what([&] { file.read_some_at(9000, asio::buffer(text)); }, eof, "read_some_at",
               "the file ends at 8192, and the read began at 9000");
    stream_file stream(context, f.path(), file_base::read_only);
    stream.seek(0, file_base::seek_end);
    check_what([&] { stream.read_some(asio::buffer(text)); }, eof, "read_some",
               "the read began at 8192");
    check_what([&] { file.read_some_at(std::uint64_t(1) << 63, asio::buffer(text)); },
               errc::invalid_argument, "read_some_at", "9223372036854775808 is above the largest");
}

BOOST_AUTO_TEST_CASE(it_names_the_limit_of_a_size)
{
    random_access_file file(context, f.path(), file_base::read_write);
    ::signal(SIGXFSZ, SIG_IGN);
    ::rlimit before;
    ::getrlimit(RLIMIT_FSIZE, &before);
    const ::rlimit limit{10000, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    check_what([&] { file.write_some_at(10000, asio::buffer(text)); }, errc::file_too_large,
               "write_some_at", "at most 10000 bytes (RLIMIT_FSIZE)");
    ::setrlimit(RLIMIT_FSIZE, &before);
    check_what([&] { file.write_some_at(INT64_MAX - 200, asio::buffer(text)); },
               errc::file_too_large, "write_some_at", "no files that large");
}

// An append begins at the end, whatever its offset.
BOOST_AUTO_TEST_CASE(limit_of_appending_writes)
{
    random_access_file file(context, f.path(), file_base::write_only | file_base::append);
    random_access_file other(context, f.path(), file_base::write_only);
    io_options options;
    options.append = true;
    ::signal(SIGXFSZ, SIG_IGN);
    ::rlimit before;
    ::getrlimit(RLIMIT_FSIZE, &before);
    const ::rlimit limit{8192, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    check_what([&] { file.write_some_at(0, asio::buffer(text)); }, errc::file_too_large,
               "write_some_at", "at most 8192 bytes (RLIMIT_FSIZE)");
    check_what([&] { other.write_some_at(0, asio::buffer(text), options); }, errc::file_too_large,
               "write_some_at", "at most 8192 bytes (RLIMIT_FSIZE)");
    ::setrlimit(RLIMIT_FSIZE, &before);
}

BOOST_AUTO_TEST_CASE(it_says_that_the_end_is_misaligned)
{
    if (!direct_io_available())
        return skip("no direct I/O in " + directory());
    f.write(std::string(1000, 'x'));
    random_access_file file(context, f.path(),
                            file_base::write_only | file_base::append | file_base::direct);
    kaio::aligned_buffer block(4096);
    const std::string multiple =
        "1000 is not a multiple of " + std::to_string(file.alignment().offset);
    error_code ec;
    file.write_some_at(0, asio::buffer(block), ec);
    if (ec != errc::invalid_argument)
        return skip("such a write is possible here");
    check_what([&] { file.write_some_at(0, asio::buffer(block)); }, ec, "write_some_at", multiple);
    const std::string why = explain(file, 10, asio::buffer(block), ec);
    BOOST_TEST(!says(why, "offset"), why);

    random_access_file both(context, f.path(),
                            file_base::read_write | file_base::append | file_base::direct);
    check_what([&] { both.read_some_at(10, asio::buffer(block)); }, ec, "read_some_at",
               "the offset of a read, 10 is not a multiple of ");
}

// The device is full, not the file system that its name is in; nothing can be said of it.
BOOST_AUTO_TEST_CASE(it_says_nothing_of_a_full_device)
{
    random_access_file full(context, "/dev/full", file_base::write_only);
    const error_code ec = system_code(ENOSPC);
    BOOST_TEST(explain(full, 0, asio::buffer(text), ec) == ec.message());
}

struct mount_fixture : fixture
{
    // False where there is none, which has been said.
    bool make(const std::string& type, std::size_t size, const std::string& arguments = "")
    {
        std::string why_not;
        if (!is_root())
            why_not = "needs root";
        else if (!has_program("mkfs." + type))
            why_not = "needs mkfs." + type;
        else
            why_not = why_no_loop_device();
        if (!why_not.empty())
        {
            skip(why_not);
            return false;
        }
        private_mounts();
        image.emplace(place.path() + "/image", size);
        BOOST_REQUIRE(make_file_system("mkfs." + type, arguments, image->path()));
        device.emplace(image->path());
        try
        {
            mount.emplace(device->path(), type);
        }
        catch (const std::exception& e)
        {
            skip(e.what());
            return false;
        }
        return true;
    }

    // Writes one block after the other until one fails.
    error_code fill(random_access_file& file, std::uint64_t& offset, std::size_t block)
    {
        const std::string content(block, 'x');
        error_code ec;
        while (!ec)
            offset += file.write_some_at(offset, asio::buffer(content), ec);
        return ec;
    }

    const temporary_directory place;
    std::optional<image_file> image;
    std::optional<loop_device> device;
    std::optional<mounted> mount;
};

// A limit of a subvolume is nobody's quota.
BOOST_FIXTURE_TEST_CASE(it_takes_no_limit_of_a_subvolume_for_a_quota, mount_fixture)
{
    if (!has_program("btrfs"))
        return skip("needs btrfs");
    if (!make("btrfs", 256 << 20))
        return;
    const std::string directory = mount->path() + "/subvolume";
    const std::string commands = "(btrfs quota enable '" + mount->path() +
                                 "' && btrfs subvolume create '" + directory +
                                 "' && btrfs qgroup limit 4M '" + directory + "') >/dev/null 2>&1";
    if (std::system(commands.c_str()) != 0)
        return skip("the kernel's btrfs has no quotas");

    random_access_file file(context, directory + "/file",
                            file_base::read_write | file_base::create);
    std::uint64_t offset = 0;
    BOOST_TEST(fill(file, offset, 1 << 20) == system_code(EDQUOT));
    const std::string block(1 << 20, 'x');
    check_what([&] { file.write_some_at(offset, asio::buffer(block)); }, system_code(EDQUOT),
               "write_some_at", "a quota");
    const std::string why = explain(file, offset, asio::buffer(block), system_code(EDQUOT));
    BOOST_TEST(!says(why, "this user"), why);
}

// XFS keeps something back, and still says that it is there.
BOOST_FIXTURE_TEST_CASE(what_is_left_is_not_to_be_had, mount_fixture)
{
    if (!make("xfs", 350 << 20))
        return;
    random_access_file file(context, mount->path() + "/file",
                            file_base::read_write | file_base::create);
    std::uint64_t offset = 0;
    for (const std::size_t block : {std::size_t(1) << 20, std::size_t(4096)})
        BOOST_TEST(fill(file, offset, block) == system_code(ENOSPC));
    struct statvfs status;
    BOOST_REQUIRE(::fstatvfs(file.native_handle(), &status) == 0);
    if (status.f_bavail * status.f_frsize < 4096)
        return skip("nothing is kept back here");

    const std::string block(4096, 'x');
    check_what([&] { file.write_some_at(offset, asio::buffer(block)); }, system_code(ENOSPC),
               "write_some_at", "no room for the 4096 bytes to be written, though it has ");
    // As it is where that is so, it says by how much.
    const std::string large(64 << 20, 'x');
    const std::string why = explain(file, offset, asio::buffer(large), system_code(ENOSPC));
    BOOST_TEST(says(why, "no room for the 67108864 bytes to be written: it has "), why);
}

BOOST_FIXTURE_TEST_CASE(end_of_a_block_device, mount_fixture)
{
    if (!is_root())
        return skip("needs root");
    if (!why_no_loop_device().empty())
        return skip(why_no_loop_device());
    image.emplace(place.path() + "/image", 1 << 20);
    device.emplace(image->path());
    random_access_file file(context, device->path(), file_base::read_write);
    check_what([&] { file.write_some_at(1 << 20, asio::buffer(text)); }, system_code(ENOSPC),
               "write_some_at", "the device ends at 1048576, and the write began at 1048576");
}

BOOST_AUTO_TEST_CASE(it_names_what_forbids_a_write)
{
    random_access_file sealed(context, ::memfd_create("sealed", MFD_ALLOW_SEALING | MFD_CLOEXEC));
    sealed.resize(8192);
    BOOST_REQUIRE(::fcntl(sealed.native_handle(), F_ADD_SEALS, F_SEAL_GROW) == 0);
    check_what([&] { sealed.write_some_at(8192, asio::buffer(text)); }, system_code(EPERM),
               "write_some_at", "sealed against growing");
    BOOST_REQUIRE(::fcntl(sealed.native_handle(), F_ADD_SEALS, F_SEAL_WRITE) == 0);
    check_what([&] { sealed.write_some_at(0, asio::buffer(text)); }, system_code(EPERM),
               "write_some_at", "sealed against writing");
    const std::string why = explain(sealed, 0, asio::buffer(text), system_code(EPERM));
    BOOST_TEST(!says(why, "immutable"), why);

    // Nothing of the file forbids anything.
    random_access_file file(context, f.path(), file_base::read_write);
    const std::string other = explain(file, 0, asio::buffer(text), system_code(EPERM));
    BOOST_TEST(!says(other, "the file is"), other);
    BOOST_TEST(says(other, "may take a privilege"), other);
}

BOOST_FIXTURE_TEST_CASE(it_says_that_a_file_is_immutable, mount_fixture)
{
    if (!has_program("chattr"))
        return skip("needs chattr");
    if (!make("ext4", 8 << 20, "-q -F"))
        return;
    const std::string path = mount->path() + "/file";
    random_access_file file(context, path, file_base::read_write | file_base::create);
    BOOST_REQUIRE(std::system(("chattr +i '" + path + "'").c_str()) == 0);
    check_what([&] { file.write_some_at(0, asio::buffer(text)); }, system_code(EPERM),
               "write_some_at", "the file is immutable");
}

// Whether an option was asked for can't be told from the code.
BOOST_AUTO_TEST_CASE(it_does_not_guess)
{
    random_access_file file(context, f.path(), file_base::read_write);
    for (const int error : {EOPNOTSUPP, EAGAIN})
        BOOST_TEST(explain(file, 0, asio::buffer(text), system_code(error)) ==
                   system_code(error).message());
    io_options options;
    options.no_wait = true;
    BOOST_TEST(says(explain(file, 0, asio::buffer(text), options, system_code(EAGAIN)), "wait"));
}

// Pseudo-files have contents and no size.
BOOST_AUTO_TEST_CASE(ends_of_pseudo_files)
{
    random_access_file file(context, "/proc/version", file_base::read_only);
    check_what([&] { file.read_some_at(5000, asio::buffer(text)); }, eof, "read_some_at",
               "the file gives its size as 0, and the read began at 5000");
    random_access_file inside(context, f.path(), file_base::read_only);
    BOOST_TEST(explain(inside, 10, asio::buffer(text), eof) == eof.message());
}

BOOST_AUTO_TEST_CASE(it_names_an_unsupported_option)
{
    random_access_file file(context, f.path(), file_base::read_write);
    io_options options;
    options.atomic = true;
    error_code ec;
    file.write_some_at(0, asio::buffer(text), options, ec);
    BOOST_TEST(!!ec);
    const std::string why = explain(file, 0, asio::buffer(text), options, ec);
    BOOST_TEST(says(why, "atomic"), ec << ' ' << why);
    check_what([&] { file.write_some_at(0, asio::buffer(text), options); }, ec, "write_some_at",
               "atomic");
}

BOOST_AUTO_TEST_CASE(it_explains_other_codes)
{
    random_access_file directory(context, "/", file_base::read_only);
    check_what([&] { directory.read_some_at(0, asio::buffer(text)); }, errc::is_a_directory,
               "read_some_at", "directory");
    BOOST_TEST(says(explain(directory, 0, asio::buffer(text), asio::error::operation_aborted),
                    "before it had begun"));

    // Of codes that nobody knows here there is the message.
    const error_code other = asio::error::host_not_found;
    BOOST_TEST(explain(directory, 0, asio::buffer(text), other) == other.message());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
