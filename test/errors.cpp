//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Asynchronous transfers fail with the error that pread and pwrite report, by whichever path the
// kernel tells kaio: in the answer of io_submit, or in the completion.

#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/block_size.hpp"
#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/system_error.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;
namespace unit_test = boost::unit_test;

using namespace kaio::test;

namespace {

// Pages of memory with a protection.
class pages
{
public:
    pages(std::size_t count, int protection, int file = -1)
      : size_(count * block_size),
        address_(::mmap(nullptr, size_, protection,
                        file == -1 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, file, 0))
    {
        BOOST_REQUIRE(address_ != MAP_FAILED);
    }

    ~pages()
    {
        ::munmap(address_, size_);
    }

    char* data() const
    {
        return static_cast<char*>(address_);
    }

private:
    std::size_t size_;
    void* address_;
};

struct error_fixture
{
    explicit error_fixture(transfer_mode mode = transfer_mode::buffered)
      : target(4 * block_size), file(context, target.path(), kaio::file_base::read_write | mode),
        memory(4 * block_size)
    {
    }

    // The result of a transfer, which is the same by the synchronous function; bytes or errno.
    template <typename Buffers>
    int read(std::uint64_t offset, const Buffers& buffers)
    {
        outcome asynchronous;
        initiate([&] { file.async_read_some_at(offset, buffers, record_in(asynchronous)); });
        boost::system::error_code ec;
        const std::size_t bytes = file.read_some_at(offset, buffers, ec);
        return agreed(asynchronous, ec, bytes);
    }

    template <typename Buffers>
    int write(std::uint64_t offset, const Buffers& buffers)
    {
        outcome asynchronous;
        initiate([&] { file.async_write_some_at(offset, buffers, record_in(asynchronous)); });
        boost::system::error_code ec;
        const std::size_t bytes = file.write_some_at(offset, buffers, ec);
        return agreed(asynchronous, ec, bytes);
    }

    int agreed(const outcome& asynchronous, const boost::system::error_code& ec, std::size_t bytes)
    {
        run_again(context);
        if (ec)
            BOOST_TEST(asynchronous.failed(ec), asynchronous << ", not " << ec.message());
        else
            BOOST_TEST(asynchronous.succeeded(bytes), asynchronous);
        return ec ? ec.value() : static_cast<int>(bytes);
    }

    asio::io_context context;
    temporary_file target;
    kaio::random_access_file file;
    aligned_memory memory;
};

boost::test_tools::assertion_result direct_io(unit_test::test_unit_id)
{
    return direct_io_available();
}

// Some file systems take the flag and don't mean it.
boost::test_tools::assertion_result strict_direct_io(unit_test::test_unit_id)
{
    if (!direct_io_available())
        return false;
    const temporary_file file(block_size);
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC);
    aligned_memory memory(2 * block_size);
    const bool refused = ::pread(descriptor, memory.data() + 1, block_size, 0) == -1;
    ::close(descriptor);
    return refused;
}

} // namespace

BOOST_AUTO_TEST_SUITE(errors)

BOOST_DATA_TEST_CASE(transfers_need_the_access_mode, data::make(transfer_modes()), mode)
{
    error_fixture f(mode);
    const auto buffer = asio::buffer(f.memory.data(), block_size);
    f.file.close();
    f.file.open(f.target.path(), kaio::file_base::read_only | mode);
    BOOST_TEST(f.write(0, buffer) == EBADF);
    BOOST_TEST(f.read(0, buffer) == int(block_size));
    f.file.close();
    f.file.open(f.target.path(), kaio::file_base::write_only | mode);
    BOOST_TEST(f.read(0, buffer) == EBADF);
    BOOST_TEST(f.write(0, buffer) == int(block_size));
}

BOOST_AUTO_TEST_CASE(misaligned_direct_transfers, *unit_test::precondition(&strict_direct_io))
{
    error_fixture f(transfer_mode::direct);
    char* const memory = f.memory.data();
    BOOST_TEST(f.read(0, asio::buffer(memory + 1, block_size)) == EINVAL);
    BOOST_TEST(f.read(3, asio::buffer(memory, block_size)) == EINVAL);
    BOOST_TEST(f.read(0, asio::buffer(memory, 100)) == EINVAL);
    BOOST_TEST(f.write(0, asio::buffer(memory + 1, block_size)) == EINVAL);
    BOOST_TEST(f.write(3, asio::buffer(memory, block_size)) == EINVAL);
    BOOST_TEST(f.write(0, asio::buffer(memory, 100)) == EINVAL);

    // One of several.
    const std::vector<asio::mutable_buffer> second_misaligned{
        asio::buffer(memory, block_size), asio::buffer(memory + block_size + 1, block_size)};
    BOOST_TEST(f.read(0, second_misaligned) == EINVAL);
    BOOST_TEST(f.write(0, second_misaligned) == EINVAL);
    const bool unchanged = f.target.contents() == pattern(0, 4 * block_size);
    BOOST_TEST(unchanged);
}

BOOST_DATA_TEST_CASE(memory_that_is_not_there, data::make(transfer_modes()), mode)
{
    error_fixture f(mode);
    const pages none(1, PROT_NONE);
    const asio::mutable_buffer buffer(none.data(), block_size);
    BOOST_TEST(f.read(0, buffer) == EFAULT);
    BOOST_TEST(f.write(0, buffer) == EFAULT);

    // The kernel sees at submission that this is none of a process's addresses.
    const asio::mutable_buffer of_kernel(reinterpret_cast<void*>(~std::uintptr_t(0) - 65535),
                                         block_size);
    BOOST_TEST(f.read(0, of_kernel) == EFAULT);
    BOOST_TEST(f.write(0, of_kernel) == EFAULT);

    // Only the second of two.
    const std::vector<asio::mutable_buffer> both{asio::buffer(f.memory.data(), block_size), buffer};
    f.read(0, both);
    f.write(0, both);

    // It ends before the buffer does.
    const pages half(2, PROT_READ | PROT_WRITE);
    ::mprotect(half.data() + block_size, block_size, PROT_NONE);
    f.read(0, asio::buffer(half.data(), 2 * block_size));
    f.write(0, asio::buffer(half.data(), 2 * block_size));
}

BOOST_DATA_TEST_CASE(memory_that_is_only_for_reading, data::make(transfer_modes()), mode)
{
    error_fixture f(mode);
    const pages constant(1, PROT_READ);
    BOOST_TEST(f.read(0, asio::mutable_buffer(constant.data(), block_size)) == EFAULT);
    BOOST_TEST(f.write(0, asio::const_buffer(constant.data(), block_size)) == int(block_size));
}

BOOST_AUTO_TEST_CASE(memory_that_is_a_map_of_the_file)
{
    error_fixture f;
    {
        const pages map(2, PROT_READ | PROT_WRITE, f.file.native_handle());
        BOOST_TEST(f.read(block_size, asio::buffer(map.data(), block_size)) == int(block_size));
        const std::string expected =
            pattern(block_size, block_size) + pattern(block_size, 3 * block_size);
        const bool copied = f.target.contents() == expected;
        BOOST_TEST(copied);
    }
    const pages map(2, PROT_READ, f.file.native_handle());
    BOOST_TEST(f.read(2 * block_size, asio::buffer(map.data(), block_size)) == EFAULT);
}

BOOST_DATA_TEST_CASE(sizes_that_make_no_sense_are_refused, data::make(transfer_modes()), mode)
{
    error_fixture f(mode);
    const asio::mutable_buffer negative(f.memory.data(), SIZE_MAX - 4095);
    BOOST_TEST(f.read(0, negative) == EINVAL);
    BOOST_TEST(f.write(0, negative) == EINVAL);
    const std::vector<asio::mutable_buffer> two{asio::buffer(f.memory.data(), block_size),
                                                negative};
    BOOST_TEST(f.read(0, two) == EINVAL);
    BOOST_TEST(f.write(0, two) == EINVAL);

    // It was their fault, and not the file's.
    const auto& service = asio::use_service<kaio::aio_service>(f.context);
    const auto before = service.statistics().helper_operations;
    const asio::mutable_buffer sound(f.memory.data(), block_size);
    BOOST_TEST(f.read(0, sound) == int(block_size));
    if (mode == transfer_mode::direct && service.statistics().kernel_aio)
        BOOST_TEST(service.statistics().helper_operations == before);
}

BOOST_AUTO_TEST_CASE(one_of_many_fails)
{
    error_fixture f;
    const pages none(1, PROT_NONE);
    std::vector<outcome> results(20);
    std::string memory(results.size() * 100, '\0');
    for (std::size_t i = 0; i != results.size(); ++i)
    {
        char* const where = i % 4 == 2 ? none.data() : &memory[i * 100];
        f.file.async_read_some_at(i * 100, asio::buffer(where, 100), record_in(results[i]));
    }
    run(f.context);
    for (std::size_t i = 0; i != results.size(); ++i)
    {
        if (i % 4 == 2)
        {
            BOOST_TEST(results[i].failed(system_error(EFAULT)), results[i]);
        }
        else
        {
            BOOST_TEST(results[i].succeeded(100), results[i]);
            BOOST_TEST(memory.substr(i * 100, 100) == pattern(i * 100, 100));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_closed_file_is_a_bad_descriptor)
{
    error_fixture f;
    const auto buffer = asio::buffer(f.memory.data(), block_size);
    f.file.close();
    BOOST_TEST(f.read(0, buffer) == EBADF);
    BOOST_TEST(f.write(0, buffer) == EBADF);
    BOOST_TEST(f.read(0, asio::mutable_buffer()) == EBADF);

    boost::system::error_code ec;
    f.file.cancel(ec);
    BOOST_TEST(ec == asio::error::bad_descriptor);
    f.file.size(ec);
    BOOST_TEST(ec == asio::error::bad_descriptor);
    f.file.resize(0, ec);
    BOOST_TEST(ec == asio::error::bad_descriptor);
    f.file.sync_all(ec);
    BOOST_TEST(ec == asio::error::bad_descriptor);
    f.file.sync_data(ec);
    BOOST_TEST(ec == asio::error::bad_descriptor);
    BOOST_TEST(f.file.release(ec) == -1);
    BOOST_TEST(f.file.native_handle() == -1);
}

BOOST_AUTO_TEST_CASE(closing_twice_closes_nobody_elses_file)
{
    error_fixture f;
    const int number = f.file.native_handle();
    f.file.close();
    const int other = ::open(f.target.c_str(), O_RDONLY | O_CLOEXEC);
    BOOST_TEST(other == number);
    boost::system::error_code ec;
    f.file.close(ec);
    BOOST_TEST(!ec);
    BOOST_TEST(::fcntl(other, F_GETFD) != -1);
    ::close(other);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_opened)
{
    asio::io_context context;
    kaio::random_access_file file(context);
    temporary_file existing;
    const auto open_fails = [&](const std::string& path, kaio::file_base::flags flags, int error) {
        boost::system::error_code ec;
        file.open(path, flags, ec);
        BOOST_TEST(ec == system_error(error));
        BOOST_TEST(!file.is_open());
        BOOST_CHECK_EXCEPTION(file.open(path, flags), boost::system::system_error,
                              [&](const auto& e) { return e.code() == system_error(error); });
        BOOST_TEST(!file.is_open());
    };
    using kaio::file_base;
    open_fails("/", file_base::read_write, EISDIR);
    open_fails("/nonexistent/file", file_base::read_only, ENOENT);
    open_fails("", file_base::read_only, ENOENT);
    open_fails(existing.path() + "/file", file_base::read_only, ENOTDIR);
    open_fails(existing.path(), file_base::read_write | file_base::create | file_base::exclusive,
               EEXIST);

    file.open(existing.path(), file_base::read_write);
    boost::system::error_code ec;
    file.open(existing.path(), file_base::read_write, ec);
    BOOST_TEST(ec == asio::error::already_open);
    file.assign(0, ec);
    BOOST_TEST(ec == asio::error::already_open);
    BOOST_TEST(file.is_open());

    const int number = file.release();
    BOOST_TEST(!file.is_open());
    file.assign(number);
    BOOST_TEST(file.native_handle() == number);
    BOOST_TEST(file.size() == 0);
}

BOOST_AUTO_TEST_CASE(a_directory_is_not_read)
{
    error_fixture f;
    f.file.close();
    f.file.open("/", kaio::file_base::read_only);
    BOOST_TEST(f.read(0, asio::buffer(f.memory.data(), block_size)) == EISDIR);
    BOOST_TEST(f.write(0, asio::buffer(f.memory.data(), block_size)) == EBADF);
}

BOOST_AUTO_TEST_CASE(a_descriptor_without_offsets)
{
    asio::io_context context;
    kaio::random_access_file file(context);
    const auto assign_fails = [&](int descriptor, int error) {
        boost::system::error_code ec;
        file.assign(descriptor, ec);
        BOOST_TEST(ec == system_error(error));
        BOOST_TEST(!file.is_open());
        BOOST_CHECK_THROW(kaio::random_access_file(context, descriptor),
                          boost::system::system_error);
    };

    int ends[2];
    BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    int sockets[2];
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
    int terminals[2] = {-1, -1};
    BOOST_WARN_MESSAGE(::openpty(&terminals[0], &terminals[1], nullptr, nullptr, nullptr) == 0,
                       "no pseudo-terminals here: not tested with one");
    for (const int* pair : {ends, sockets, terminals})
    {
        for (int i = 0; i != 2; ++i)
        {
            if (pair[i] == -1)
                continue;
            assign_fails(pair[i], ESPIPE);

            // It still belongs to the caller.
            BOOST_TEST(::close(pair[i]) == 0);
        }
    }
    assign_fails(ends[0], EBADF);

    const std::string fifo = directory() + "/kaio-test-fifo-" + std::to_string(::getpid());
    BOOST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    const int before = ::dup(0);
    ::close(before);
    boost::system::error_code ec;
    file.open(fifo, kaio::file_base::read_write, ec);
    ::unlink(fifo.c_str());
    BOOST_TEST(ec == system_error(ESPIPE));
    BOOST_TEST(!file.is_open());
    const int after = ::dup(0);
    ::close(after);
    BOOST_TEST(before == after);
}

BOOST_AUTO_TEST_CASE(direct_io_switched_on_and_off_meanwhile, *unit_test::precondition(&direct_io))
{
    error_fixture f;
    std::vector<outcome> results(200);
    std::vector<std::string> memory(results.size(), std::string(1000, '\0'));
    for (std::size_t i = 0; i != results.size(); ++i)
    {
        asio::post(f.context, [&, i] {
            const int flags = ::fcntl(f.file.native_handle(), F_GETFL);
            ::fcntl(f.file.native_handle(), F_SETFL, flags ^ O_DIRECT);
            f.file.async_read_some_at(i, asio::buffer(memory[i]), record_in(results[i]));
        });
        if (i % 10 == 0)
            f.context.poll();
    }
    run_again(f.context);
    for (std::size_t i = 0; i != results.size(); ++i)
    {
        if (results[i].ec)
            BOOST_TEST(results[i].failed(asio::error::invalid_argument), results[i]);
        else
            BOOST_TEST((results[i].succeeded(1000) && memory[i] == pattern(i, 1000)), results[i]);
    }
}

BOOST_AUTO_TEST_SUITE_END()
