//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <kaio/basic_file.hpp>
#include <kaio/random_access_file.hpp>
#include <string>
#include <type_traits>
#include <utility>

#include "support/process_state.hpp"
#include "support/run.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"

namespace {

int advice = -1;

} // namespace

// Nothing outside the kernel shows the effect of the advice.
extern "C" int posix_fadvise(int descriptor, off_t offset, off_t length, int a) noexcept
{
    advice = a;
    return ::syscall(SYS_fadvise64, descriptor, offset, length, a) == 0 ? 0 : errno;
}

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using boost::system::system_error;
using namespace kaio::test;
using kaio::file_base;
using kaio::random_access_file;

// basic_file has a protected destructor: this shows it as it is.
template <typename Executor = asio::any_io_executor>
class bare_file : public kaio::basic_file<Executor>
{
public:
    using kaio::basic_file<Executor>::basic_file;
};

const error_code bad_descriptor(EBADF, boost::system::system_category());

// Whether a function throws the error that its twin reports, and names itself.
template <typename Function>
void check_throws(Function function, const error_code& expected, const std::string& location)
{
    try
    {
        function();
        BOOST_ERROR(location + " doesn't throw");
    }
    catch (const system_error& e)
    {
        BOOST_TEST(e.code() == expected);
        BOOST_TEST(std::string(e.what()).find(location) == 0u, e.what());
    }
}

int file_flags(int descriptor)
{
    return ::fcntl(descriptor, F_GETFL);
}

struct umask_guard
{
    explicit umask_guard(::mode_t mask) : before(::umask(mask))
    {
    }

    ~umask_guard()
    {
        ::umask(before);
    }

    const ::mode_t before;
};

::mode_t permissions(const std::string& path)
{
    struct stat status = {};
    BOOST_REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 07777;
}

BOOST_FIXTURE_TEST_SUITE(basic_file_header, context_fixture)

BOOST_AUTO_TEST_CASE(a_new_object_is_closed)
{
    random_access_file by_context(context);
    random_access_file by_executor(context.get_executor());
    BOOST_TEST(!by_context.is_open());
    BOOST_TEST(!by_executor.is_open());
    BOOST_TEST(by_context.native_handle() == -1);
    BOOST_CHECK(by_context.get_executor() == asio::any_io_executor(context.get_executor()));
    BOOST_CHECK(by_executor.get_executor() == asio::any_io_executor(context.get_executor()));
}

BOOST_AUTO_TEST_CASE(constructors_open)
{
    temporary_file f(100);
    BOOST_TEST(random_access_file(context, f.path(), file_base::read_only).size() == 100u);
    BOOST_TEST(random_access_file(context, f.c_str(), file_base::read_only).size() == 100u);
    const asio::any_io_executor executor = context.get_executor();
    BOOST_TEST(random_access_file(executor, f.path(), file_base::read_only).size() == 100u);
    BOOST_TEST(random_access_file(executor, f.c_str(), file_base::read_only).size() == 100u);
    BOOST_TEST(bare_file<>(context, f.path(), file_base::read_only).size() == 100u);
}

BOOST_AUTO_TEST_CASE(constructors_take_over_descriptors)
{
    temporary_file f(100);
    for (const bool by_executor : {false, true})
    {
        const int descriptor = ::open(f.c_str(), O_RDONLY | O_CLOEXEC);
        random_access_file file = by_executor
                                      ? random_access_file(context.get_executor(), descriptor)
                                      : random_access_file(context, descriptor);
        BOOST_TEST(file.native_handle() == descriptor);
        BOOST_TEST(file.size() == 100u);
        file.close();
        BOOST_TEST(file_flags(descriptor) == -1);
    }
}

BOOST_AUTO_TEST_CASE(constructors_throw)
{
    const error_code missing(ENOENT, boost::system::system_category());
    check_throws([&] { random_access_file(context, "missing/file", file_base::read_only); },
                 missing, "open");
    check_throws(
        [&] { random_access_file(context, std::string("missing/file"), file_base::read_only); },
        missing, "open");
    check_throws(
        [&] { random_access_file(context.get_executor(), "missing/file", file_base::read_only); },
        missing, "open");
    int no_descriptor = 1000000;
    check_throws([&] { random_access_file(context, no_descriptor); }, bad_descriptor, "assign");
    check_throws([&] { random_access_file(context.get_executor(), no_descriptor); }, bad_descriptor,
                 "assign");
}

BOOST_AUTO_TEST_CASE(flags_reach_open)
{
    temporary_file f(100);
    random_access_file file(context);

    file.open(f.path(), file_base::read_write | file_base::append | file_base::sync_all_on_write);
    const int all = O_ACCMODE | O_APPEND | O_SYNC;
    BOOST_TEST((file_flags(file.native_handle()) & all) == (O_RDWR | O_APPEND | O_SYNC));
    file.close();

    file.open(f.path(), file_base::write_only | file_base::sync_data_on_write);
    BOOST_TEST((file_flags(file.native_handle()) & all) == (O_WRONLY | O_DSYNC));
    file.close();

    file.open(f.path(), static_cast<file_base::flags>(O_RDONLY | O_NOATIME));
    BOOST_TEST((file_flags(file.native_handle()) & O_NOATIME) != 0);
    file.close();

    if (direct_io_available())
    {
        file.open(f.path(), file_base::read_only | file_base::direct);
        BOOST_TEST((file_flags(file.native_handle()) & O_DIRECT) != 0);
        file.close();
    }

    file.open(f.path(), file_base::write_only | file_base::truncate);
    BOOST_TEST(file.size() == 0u);
}

BOOST_AUTO_TEST_CASE(descriptors_are_closed_on_exec)
{
    temporary_file f;
    random_access_file file(context, f.path(), file_base::read_only);
    BOOST_TEST((::fcntl(file.native_handle(), F_GETFD) & FD_CLOEXEC) != 0);
}

BOOST_AUTO_TEST_CASE(random_access_is_announced_for_what_is_opened)
{
    temporary_file f;
    advice = -1;
    random_access_file file(context, f.path(), file_base::read_only);
    BOOST_TEST(advice == POSIX_FADV_RANDOM);

    advice = -1;
    random_access_file assigned(context, ::open(f.c_str(), O_RDONLY | O_CLOEXEC));
    BOOST_TEST(advice == -1);
}

BOOST_AUTO_TEST_CASE(created_files_are_not_executable)
{
    temporary_file f;
    const std::string path = f.path() + ".created";
    for (const ::mode_t mask : {::mode_t(022), ::mode_t(0)})
    {
        const umask_guard guard(mask);
        random_access_file file(context, path, file_base::write_only | file_base::create);
        BOOST_TEST(permissions(path) == (0666u & ~mask));
        ::unlink(path.c_str());
    }
}

BOOST_AUTO_TEST_CASE(created_files_get_the_permissions_asked_for)
{
    temporary_file f;
    const std::string path = f.path() + ".created";
    const umask_guard guard(022);
    random_access_file file(context);

    file.open(path, file_base::write_only | file_base::create, 0600);
    BOOST_TEST(permissions(path) == 0600u);
    file.close();
    ::unlink(path.c_str());

    error_code ec = asio::error::eof;
    file.open(path, file_base::write_only | file_base::create, 0666, ec);
    BOOST_TEST(!ec);
    BOOST_TEST(permissions(path) == 0644u);
    ::unlink(path.c_str());
}

BOOST_AUTO_TEST_CASE(what_open_refuses_leaves_the_object_closed)
{
    temporary_file f;
    random_access_file file(context);
    error_code ec;

    file.open("missing/file", file_base::read_only, ec);
    BOOST_TEST(ec == boost::system::errc::no_such_file_or_directory);
    BOOST_TEST(!file.is_open());

    file.open(f.path(), file_base::write_only | file_base::create | file_base::exclusive, ec);
    BOOST_TEST(ec == boost::system::errc::file_exists);
    BOOST_TEST(!file.is_open());

    file.open("/", file_base::read_write, ec);
    BOOST_TEST(ec == boost::system::errc::is_a_directory);
    BOOST_TEST(!file.is_open());

    file.open(f.path(), file_base::read_only, ec);
    BOOST_TEST(!ec, "a success clears the error of before");
    BOOST_TEST(file.is_open());
}

BOOST_AUTO_TEST_CASE(an_open_object_is_not_opened_again)
{
    temporary_file f(10), g(20);
    random_access_file file(context, f.path(), file_base::read_only);
    const int descriptor = file.native_handle();
    error_code ec;

    file.open(g.path(), file_base::read_only, ec);
    BOOST_TEST(ec == error_code(asio::error::already_open));
    file.open(g.c_str(), file_base::read_only, 0600, ec);
    BOOST_TEST(ec == error_code(asio::error::already_open));

    const int other = ::open(g.c_str(), O_RDONLY | O_CLOEXEC);
    file.assign(other, ec);
    BOOST_TEST(ec == error_code(asio::error::already_open));
    BOOST_TEST(file_flags(other) != -1, "a refused descriptor stays the caller's");
    ::close(other);

    BOOST_TEST(file.native_handle() == descriptor);
    BOOST_TEST(file.size() == 10u);
    const error_code already_open = asio::error::already_open;
    check_throws([&] { file.open(g.path(), file_base::read_only); }, already_open, "open");
    check_throws([&] { file.open(g.c_str(), file_base::read_only); }, already_open, "open");
    check_throws([&] { file.open(g.path(), file_base::read_only, 0600u); }, already_open, "open");
    check_throws([&] { file.assign(0); }, already_open, "assign");
}

BOOST_AUTO_TEST_CASE(assign_and_release_hand_descriptors_over)
{
    temporary_file f(10);
    const int descriptor = ::open(f.c_str(), O_RDONLY | O_CLOEXEC);
    random_access_file file(context);
    file.assign(descriptor);
    BOOST_TEST(file.is_open());
    BOOST_TEST(file.native_handle() == descriptor);

    BOOST_TEST(file.release() == descriptor);
    BOOST_TEST(!file.is_open());
    BOOST_TEST(file.native_handle() == -1);
    BOOST_TEST(file_flags(descriptor) != -1);

    error_code ec = asio::error::eof;
    file.assign(descriptor, ec);
    BOOST_TEST(!ec);
    ec = asio::error::eof;
    BOOST_TEST(file.release(ec) == descriptor);
    BOOST_TEST(!ec);
    ::close(descriptor);
}

BOOST_AUTO_TEST_CASE(assigning_no_descriptor_is_no_error)
{
    random_access_file file(context);
    error_code ec = asio::error::eof;
    file.assign(-1, ec);
    BOOST_TEST(!ec);
    BOOST_TEST(!file.is_open());
    file.assign(-1);
    BOOST_TEST(!random_access_file(context, -1).is_open());
}

BOOST_AUTO_TEST_CASE(pipes_and_sockets_are_refused)
{
    const error_code no_offsets(ESPIPE, boost::system::system_category());
    random_access_file file(context);
    error_code ec;

    int ends[2];
    BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    file.assign(ends[0], ec);
    BOOST_TEST(ec == no_offsets);
    BOOST_TEST(!file.is_open());
    BOOST_TEST(file_flags(ends[0]) != -1, "a refused descriptor stays the caller's");
    ::close(ends[0]);
    ::close(ends[1]);

    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    file.assign(ends[0], ec);
    BOOST_TEST(ec == no_offsets);
    ::close(ends[0]);
    ::close(ends[1]);

    temporary_file f;
    const std::string path = f.path() + ".fifo";
    BOOST_REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const std::size_t before = open_descriptors();
    file.open(path, file_base::read_write, ec);
    BOOST_TEST(ec == no_offsets);
    BOOST_TEST(open_descriptors() == before);
    ::unlink(path.c_str());
}

BOOST_AUTO_TEST_CASE(close_closes_once)
{
    temporary_file f;
    random_access_file file(context, f.path(), file_base::read_only);
    const int descriptor = file.native_handle();
    file.close();
    BOOST_TEST(!file.is_open());
    BOOST_TEST(file.native_handle() == -1);
    BOOST_TEST(file_flags(descriptor) == -1);

    // The number may belong to somebody else by now.
    const int other = ::open(f.c_str(), O_RDONLY | O_CLOEXEC);
    BOOST_TEST(other == descriptor);
    file.close();
    error_code ec = asio::error::eof;
    file.close(ec);
    BOOST_TEST(!ec);
    BOOST_TEST(file_flags(other) != -1);
    ::close(other);
}

BOOST_AUTO_TEST_CASE(close_reports_the_error_of_the_system)
{
    temporary_file f;
    random_access_file file(context, f.path(), file_base::read_only);
    ::close(file.native_handle());
    error_code ec;
    file.close(ec);
    BOOST_TEST(ec == bad_descriptor);
    BOOST_TEST(!file.is_open());
}

BOOST_AUTO_TEST_CASE(the_destructor_closes)
{
    temporary_file f;
    random_access_file first(context);
    const std::size_t before = open_descriptors();
    for (int i = 0; i != 10; ++i)
        random_access_file(context, f.path(), file_base::read_only);
    BOOST_TEST(open_descriptors() == before);
}

BOOST_AUTO_TEST_CASE(a_closed_object_answers_as_asios)
{
    random_access_file file(context);
    error_code ec;

    file.cancel(ec);
    BOOST_TEST(ec == bad_descriptor);
    check_throws([&] { file.cancel(); }, bad_descriptor, "cancel");

    ec = error_code();
    BOOST_TEST(file.size(ec) == 0u);
    BOOST_TEST(ec == bad_descriptor);
    check_throws([&] { (void)file.size(); }, bad_descriptor, "size");

    ec = error_code();
    file.resize(10, ec);
    BOOST_TEST(ec == bad_descriptor);
    check_throws([&] { file.resize(10); }, bad_descriptor, "resize");

    ec = error_code();
    file.sync_all(ec);
    BOOST_TEST(ec == bad_descriptor);
    check_throws([&] { file.sync_all(); }, bad_descriptor, "sync_all");

    ec = error_code();
    file.sync_data(ec);
    BOOST_TEST(ec == bad_descriptor);
    check_throws([&] { file.sync_data(); }, bad_descriptor, "sync_data");

    ec = asio::error::eof;
    BOOST_TEST(file.release(ec) == -1);
    BOOST_TEST(!ec);
    BOOST_TEST(file.release() == -1);

    ec = asio::error::eof;
    file.close(ec);
    BOOST_TEST(!ec);
}

BOOST_AUTO_TEST_CASE(resize_changes_the_size)
{
    temporary_file f(100);
    random_access_file file(context, f.path(), file_base::read_write);
    error_code ec = asio::error::eof;
    BOOST_TEST(file.size(ec) == 100u);
    BOOST_TEST(!ec);

    file.resize(5000);
    BOOST_TEST(file.size() == 5000u);
    BOOST_CHECK(f.contents() == pattern(0, 100) + std::string(4900, '\0'));

    ec = asio::error::eof;
    file.resize(10, ec);
    BOOST_TEST(!ec);
    BOOST_CHECK(f.contents() == pattern(0, 10));

    for (const std::uint64_t too_much : {std::uint64_t(1) << 63, ~std::uint64_t(0)})
    {
        file.resize(too_much, ec);
        BOOST_TEST(ec == boost::system::errc::invalid_argument);
        BOOST_TEST(file.size() == 10u);
    }
    check_throws([&] { file.resize(~std::uint64_t(0)); },
                 error_code(EINVAL, boost::system::system_category()), "resize");
}

BOOST_AUTO_TEST_CASE(resize_stops_at_the_limit_of_the_process)
{
    // The signal is the kernel's other way of reporting EFBIG.
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    ::rlimit before = {};
    BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    temporary_file f(100);
    random_access_file file(context, f.path(), file_base::read_write);

    const ::rlimit limit = {4096, before.rlim_max};
    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
    error_code ec;
    file.resize(4097, ec);
    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    std::signal(SIGXFSZ, handler);

    BOOST_TEST(ec == boost::system::errc::file_too_large);
    BOOST_TEST(file.size() == 100u);
}

BOOST_AUTO_TEST_CASE(sync_brings_writes_out)
{
    temporary_file f;
    random_access_file file(context, f.path(), file_base::read_write);
    file.write_some_at(0, asio::buffer("text", 4));
    file.sync_data();
    file.sync_all();
    error_code ec = asio::error::eof;
    file.sync_data(ec);
    BOOST_TEST(!ec);
    ec = asio::error::eof;
    file.sync_all(ec);
    BOOST_TEST(!ec);
}

BOOST_AUTO_TEST_CASE(cancel_of_an_idle_file_is_no_error)
{
    temporary_file f;
    random_access_file file(context, f.path(), file_base::read_only);
    error_code ec = asio::error::eof;
    file.cancel(ec);
    BOOST_TEST(!ec);
    file.cancel();
    BOOST_TEST(file.is_open());
}

#if !defined(BOOST_ASIO_NO_DEPRECATED)
BOOST_AUTO_TEST_CASE(functions_return_the_error_code_that_they_set)
{
    temporary_file f(10);
    random_access_file file(context);
    error_code ec;
    BOOST_TEST(file.open("missing/file", file_base::read_only, ec) == ec);
    BOOST_TEST(ec == boost::system::errc::no_such_file_or_directory);
    BOOST_TEST(file.open(std::string("missing/file"), file_base::read_only, ec) == ec);
    BOOST_TEST(file.open("missing/file", file_base::read_only, 0600, ec) == ec);
    BOOST_TEST(file.assign(1000000, ec) == bad_descriptor);
    BOOST_TEST(file.cancel(ec) == bad_descriptor);
    BOOST_TEST(file.resize(1, ec) == bad_descriptor);
    BOOST_TEST(file.sync_all(ec) == bad_descriptor);
    BOOST_TEST(file.sync_data(ec) == bad_descriptor);
    BOOST_TEST(!file.close(ec));
}
#endif

BOOST_AUTO_TEST_CASE(block_devices_have_a_size)
{
    temporary_file f(std::size_t(1) << 20);
    const int control = ::open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    const int number = control == -1 ? -1 : ::ioctl(control, LOOP_CTL_GET_FREE);
    ::close(control);
    const std::string path = "/dev/loop" + std::to_string(number);
    const int device = number == -1 ? -1 : ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    const int backing = ::open(f.c_str(), O_RDWR | O_CLOEXEC);
    if (device == -1 || ::ioctl(device, LOOP_SET_FD, backing) == -1)
    {
        skip("no loop device can be set up: " + boost::system::system_category().message(errno));
        ::close(device);
        ::close(backing);
        return;
    }

    {
        random_access_file file(context, path, file_base::read_only);
        BOOST_TEST(file.size() == std::uint64_t(1) << 20);
        std::string text(100, '\0');
        BOOST_TEST(file.read_some_at(1000, asio::buffer(text)) == 100u);
        BOOST_CHECK(text == pattern(1000, 100));
        file.async_read_some_at(5000, asio::buffer(text), [](const error_code& ec, std::size_t n) {
            BOOST_TEST(!ec);
            BOOST_TEST(n == 100u);
        });
        run(context);
        BOOST_CHECK(text == pattern(5000, 100));
    }
    ::ioctl(device, LOOP_CLR_FD, 0);
    ::close(device);
    ::close(backing);
}

BOOST_AUTO_TEST_CASE(moving_takes_everything_along)
{
    temporary_file f(10), g(20);
    random_access_file first(context, f.path(), file_base::read_only);
    const int descriptor = first.native_handle();

    random_access_file second(std::move(first));
    BOOST_TEST(second.native_handle() == descriptor);
    BOOST_TEST(!first.is_open());
    BOOST_TEST(first.native_handle() == -1);
    BOOST_CHECK(first.get_executor() == second.get_executor());

    // A moved-from object can be used again.
    first.open(g.path(), file_base::read_only);
    BOOST_TEST(first.size() == 20u);
    const int replaced = first.native_handle();

    first = std::move(second);
    BOOST_TEST(first.native_handle() == descriptor);
    BOOST_TEST(file_flags(replaced) == -1);
    BOOST_TEST(!second.is_open());

    random_access_file& self = first;
    first = std::move(self);
    BOOST_TEST(first.size() == 10u);
}

BOOST_AUTO_TEST_CASE(moving_converts_executors)
{
    using specific_file = kaio::basic_random_access_file<asio::io_context::executor_type>;
    temporary_file f(10);
    specific_file first(context, f.path(), file_base::read_only);
    const int descriptor = first.native_handle();

    random_access_file second(std::move(first));
    BOOST_TEST(second.native_handle() == descriptor);
    BOOST_TEST(!first.is_open());
    BOOST_CHECK(second.get_executor() == asio::any_io_executor(context.get_executor()));

    asio::io_context other;
    random_access_file third(other);
    third = specific_file(context, f.path(), file_base::read_only);
    BOOST_TEST(third.size() == 10u);
    BOOST_CHECK(third.get_executor() == asio::any_io_executor(context.get_executor()));
}

BOOST_AUTO_TEST_CASE(moving_changes_the_context)
{
    context_fixture other;
    temporary_file f(10);
    random_access_file file(context);
    file = random_access_file(other.context, f.path(), file_base::read_only);
    BOOST_CHECK(file.get_executor() == asio::any_io_executor(other.context.get_executor()));

    std::string text(10, '\0');
    bool called = false;
    file.async_read_some_at(0, asio::buffer(text), [&](auto, auto) { called = true; });
    BOOST_TEST(run(context) == 0u);
    BOOST_TEST(!called);
    run(other.context);
    BOOST_TEST(called);
    file.close();
}

BOOST_AUTO_TEST_CASE(paths_of_the_standard_library_are_accepted)
{
    temporary_file f(10);
    const std::filesystem::path path(f.path());
    random_access_file file(context);
    file.open(path, file_base::read_only);
    BOOST_TEST(random_access_file(context, path, file_base::read_only).size() == 10u);
}

BOOST_AUTO_TEST_SUITE_END()

// The surface, as Asio states it.

using context_executor = asio::io_context::executor_type;
using strand = asio::strand<context_executor>;

template <typename File>
constexpr bool has_asios_types =
    std::is_same_v<typename File::native_handle_type, int>&&
        std::is_same_v<decltype(std::declval<File&>().get_executor()),
                       const typename File::executor_type&>&& noexcept(std::declval<File&>()
                                                                           .get_executor()) &&
    std::is_same_v<decltype(std::declval<File&>().native_handle()), int>&& std::is_same_v<
        decltype(std::declval<File&>().release()),
        int>&& std::is_same_v<decltype(std::declval<File&>().release(std::declval<error_code&>())),
                              int>&& std::is_same_v<decltype(std::declval<const File&>().is_open()),
                                                    bool>&& std::
        is_same_v<decltype(std::declval<const File&>().size()), std::uint64_t>&& std::is_same_v<
            decltype(std::declval<const File&>().size(std::declval<error_code&>())),
            std::uint64_t>&& std::
            is_same_v<decltype(std::declval<File&>().open("", file_base::read_only)),
                      void>&& std::is_same_v<decltype(std::declval<File&>().close()), void>&& std::
                is_same_v<decltype(std::declval<File&>().cancel()), void>&& std::is_same_v<
                    decltype(std::declval<File&>().assign(0)),
                    void>&& std::is_same_v<decltype(std::declval<File&>().resize(0u)), void>&& std::
                    is_same_v<decltype(std::declval<File&>().sync_all()), void>&& std::is_same_v<
                        decltype(std::declval<File&>().sync_data()), void>;

static_assert(has_asios_types<bare_file<>>);
static_assert(has_asios_types<random_access_file>);
static_assert(has_asios_types<kaio::basic_random_access_file<strand>>);

#if defined(BOOST_ASIO_NO_DEPRECATED)
using sync_op_void = void;
#else
using sync_op_void = error_code;
#endif

template <typename File>
constexpr bool returns_sync_op_void = std::is_same_v<
    decltype(std::declval<File&>().open("", file_base::read_only, std::declval<error_code&>())),
    sync_op_void>&&
    std::is_same_v<decltype(std::declval<File&>().open(std::string(), file_base::read_only,
                                                       std::declval<error_code&>())),
                   sync_op_void>&&
        std::is_same_v<decltype(std::declval<File&>().assign(0, std::declval<error_code&>())),
                       sync_op_void>&&
            std::is_same_v<decltype(std::declval<File&>().close(std::declval<error_code&>())),
                           sync_op_void>&&
                std::is_same_v<decltype(std::declval<File&>().cancel(std::declval<error_code&>())),
                               sync_op_void>&&
                    std::is_same_v<decltype(std::declval<File&>().resize(
                                       0u, std::declval<error_code&>())),
                                   sync_op_void>&&
                        std::is_same_v<decltype(std::declval<File&>().sync_all(
                                           std::declval<error_code&>())),
                                       sync_op_void>&&
                            std::is_same_v<decltype(std::declval<File&>().sync_data(
                                               std::declval<error_code&>())),
                                           sync_op_void>;

static_assert(returns_sync_op_void<random_access_file>);

static_assert(std::is_same_v<kaio::basic_file<>::executor_type, asio::any_io_executor>);
static_assert(std::is_same_v<random_access_file, kaio::basic_random_access_file<>>);
static_assert(std::is_same_v<random_access_file::executor_type, asio::any_io_executor>);
static_assert(
    std::is_same_v<kaio::basic_file<>::rebind_executor<strand>::other, kaio::basic_file<strand>>);
static_assert(std::is_same_v<random_access_file::rebind_executor<strand>::other,
                             kaio::basic_random_access_file<strand>>);

static_assert(!std::is_destructible_v<kaio::basic_file<>>, "only its children can be destroyed");
static_assert(std::is_base_of_v<kaio::basic_file<>, random_access_file>);

// Copying is out; only the move constructor promises not to throw.
static_assert(!std::is_copy_constructible_v<random_access_file>);
static_assert(!std::is_copy_assignable_v<random_access_file>);
static_assert(std::is_nothrow_move_constructible_v<random_access_file>);
static_assert(std::is_move_assignable_v<random_access_file>);
static_assert(!std::is_nothrow_move_assignable_v<random_access_file>);
static_assert(!std::is_default_constructible_v<random_access_file>);

using specific_file = kaio::basic_random_access_file<context_executor>;
static_assert(std::is_constructible_v<random_access_file, specific_file&&>);
static_assert(std::is_assignable_v<random_access_file&, specific_file&&>);
static_assert(!std::is_constructible_v<specific_file, random_access_file&&>);
static_assert(!std::is_assignable_v<specific_file&, random_access_file&&>);
static_assert(!std::is_constructible_v<random_access_file, specific_file&>);

// Whether T can be made from a braced list without its name.
template <typename T, typename... Arguments>
auto implicitly(int)
    -> decltype(std::declval<void (&)(T)>()({std::declval<Arguments>()...}), std::true_type());
template <typename T, typename... Arguments>
std::false_type implicitly(...);
template <typename T, typename... Arguments>
constexpr bool implicit = decltype(implicitly<T, Arguments...>(0))::value;

using any = const asio::any_io_executor&;

template <typename File, typename... Arguments>
constexpr bool only_explicit =
    std::is_constructible_v<File, Arguments...> && !implicit<File, Arguments...>;

static_assert(only_explicit<random_access_file, any>);
static_assert(only_explicit<random_access_file, asio::io_context&>);
static_assert(implicit<random_access_file, any, const char*, file_base::flags>);
static_assert(implicit<random_access_file, asio::io_context&, const char*, file_base::flags>);
static_assert(implicit<random_access_file, any, const std::string&, file_base::flags>);
static_assert(
    implicit<random_access_file, asio::io_context&, const std::string&, file_base::flags>);
static_assert(implicit<random_access_file, any, int>);
static_assert(implicit<random_access_file, asio::io_context&, int>);

static_assert(only_explicit<bare_file<>, any>);
static_assert(only_explicit<bare_file<>, asio::io_context&>);
static_assert(only_explicit<bare_file<>, any, const char*, file_base::flags>);
static_assert(only_explicit<bare_file<>, asio::io_context&, const char*, file_base::flags>);
static_assert(only_explicit<bare_file<>, any, const std::string&, file_base::flags>);
static_assert(only_explicit<bare_file<>, asio::io_context&, const std::string&, file_base::flags>);
static_assert(implicit<bare_file<>, any, int>);
static_assert(implicit<bare_file<>, asio::io_context&, int>);

// Something that is no execution context takes no part.
static_assert(!std::is_constructible_v<random_access_file, std::string&>);
static_assert(!std::is_constructible_v<random_access_file, int>);

} // namespace
