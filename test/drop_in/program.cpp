//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// A program written for Boost.Asio's files, which knows nothing of kaio. Built with Asio's own files
// and with kaio::drop_in it must print the same: so it prints nothing that Asio leaves open, such as
// the order of completions, and does nothing that Asio 1.26 does wrong.

#if defined(SINGLE_HEADERS)
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/random_access_file.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_at.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/stream_file.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <boost/asio/write_at.hpp>
#else
#include <boost/asio.hpp>
#endif

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#if !defined(BOOST_ASIO_HAS_FILE)
#error "no files in this Asio"
#endif

namespace {

namespace asio = boost::asio;
using asio::file_base;
using boost::system::error_code;

using file_type = asio::random_access_file;
using stream_type = asio::stream_file;

struct code
{
    error_code ec;
};

std::ostream& operator<<(std::ostream& os, const code& c)
{
    return os << c.ec.category().name() << ':' << c.ec.value();
}

template <typename... Parts>
void print(const char* what, const Parts&... parts)
{
    std::cout << what << ':';
    ((std::cout << ' ' << parts), ...);
    std::cout << '\n';
}

std::string sequence(std::size_t size)
{
    std::string result(size, '\0');
    for (std::size_t i = 0; i != size; ++i)
        result[i] = static_cast<char>('a' + i * 7 % 26);
    return result;
}

void run(asio::io_context& context)
{
    context.run();
    context.restart();
}

// Prints what a handler is called with.
auto printer(const char* what)
{
    return [what](const error_code& ec, std::size_t n) { print(what, code{ec}, n); };
}

// Prints what a function returns, and the error code that it sets.
template <typename Function>
void print_result(const char* what, Function function)
{
    error_code ec;
    const auto result = function(ec);
    print(what, result, code{ec});
}

template <typename Function>
void print_thrown(const char* what, Function function)
{
    try
    {
        function();
        print(what, "nothing thrown");
    }
    catch (const boost::system::system_error& e)
    {
        print(what, code{e.code()});
    }
}

void synchronous(asio::io_context& context, const std::string& path)
{
    file_type file(context, path, file_base::read_write | file_base::create | file_base::truncate);
    print("write_some_at", file.write_some_at(0, asio::buffer(sequence(5000))));
    print("size", file.size());
    std::string text(10, '\0');
    std::size_t n = file.read_some_at(4990, asio::buffer(text));
    print("read_some_at", n, text);
    const std::array<asio::mutable_buffer, 2> buffers{asio::buffer(&text[0], 3),
                                                      asio::buffer(&text[3], 7)};
    n = file.read_some_at(26, buffers);
    print("scattered", n, text);
    print_result("short",
                 [&](error_code& e) { return file.read_some_at(4995, asio::buffer(text), e); });
    print_result("eof",
                 [&](error_code& e) { return file.read_some_at(5000, asio::buffer(text), e); });
    print_result("empty",
                 [&](error_code& e) { return file.read_some_at(5000, asio::mutable_buffer(), e); });
    print_result("offset 2^63", [&](error_code& e) {
        return file.read_some_at(std::uint64_t(1) << 63, asio::buffer(text), e);
    });
    print("read_at", asio::read_at(file, 4000, asio::buffer(text)));
    file.resize(6000);
    file.sync_data();
    file.sync_all();
    print("resized", file.size());
    error_code ec;
    file.open(path, file_base::read_only, ec);
    print("open again", code{ec});
#if !defined(BOOST_ASIO_NO_DEPRECATED)
    print("close", code{file.close(ec)});
    print("close again", code{file.close(ec)});
    print("open", code{file.open(path, file_base::read_only, ec)});
#else
    file.close(ec);
    file.open(path, file_base::read_only, ec);
#endif
    print_result("write to read_only",
                 [&](error_code& e) { return file.write_some_at(0, asio::buffer(text), e); });
    file.close();
    print_thrown("closed", [&] { file.read_some_at(0, asio::buffer(text)); });
    print_thrown("missing", [&] { file_type(context, path + ".missing", file_base::read_only); });
    print_thrown("exclusive", [&] {
        file_type(context, path, file_base::write_only | file_base::create | file_base::exclusive);
    });

    // Paths, and flags that Asio has no name for.
    const auto flags = static_cast<file_base::flags>(O_RDWR | O_NOFOLLOW);
    file.open(std::filesystem::path(path).string(), flags);
    file_base::flags f = file_base::read_write;
    f |= file_base::append | file_base::sync_all_on_write;
    f &= ~file_base::sync_all_on_write;
    print("flags", f == (O_RDWR | O_APPEND), (f ^ file_base::append) == file_base::read_write);

    const int descriptor = file.release();
    print("released", file.is_open(), ::fcntl(descriptor, F_GETFD) != -1);
    file_type adopted(context, descriptor);
    file_type moved(std::move(adopted));
    print("moved", adopted.is_open(), moved.is_open(), moved.native_handle() == descriptor);
    asio::basic_random_access_file<asio::io_context::executor_type> narrow(context, path,
                                                                           file_base::read_only);
    moved = std::move(narrow);
    print("converted", moved.size());

    file_type appending(context, path, file_base::read_write | file_base::append);
    print("append", appending.write_some_at(0, asio::buffer("end", 3)));
    print("appended", appending.size());
}

void stream_synchronous(asio::io_context& context, const std::string& path)
{
    stream_type file(context, path,
                     stream_type::read_write | stream_type::create | stream_type::truncate);
    print("write_some", file.write_some(asio::buffer(sequence(100))));
    print("seek_cur", file.seek(0, file_base::seek_cur));
    print("seek_set", file.seek(10, file_base::seek_set));
    print("backwards", file.seek(-3, file_base::seek_cur));
    print("seek_end", file.seek(-1, file_base::seek_end));
    std::string text(10, '\0');
    print_result("short", [&](error_code& e) { return file.read_some(asio::buffer(text), e); });
    print_result("eof", [&](error_code& e) { return file.read_some(asio::buffer(text), e); });
    print_result("bad seek",
                 [&](error_code& e) { return file.seek(-200, stream_type::seek_cur, e); });
    file.seek(0, stream_type::seek_set);
    asio::write(file, asio::buffer("first\nsecond\n", 13));
    file.seek(0, stream_type::seek_set);
    std::string lines;
    print("read_until", asio::read_until(file, asio::dynamic_buffer(lines), '\n'));
}

void callbacks(asio::io_context& context, const std::string& path)
{
    file_type file(context, path, file_base::read_write | file_base::create | file_base::truncate);
    const std::string data = sequence(100000);
    asio::async_write_at(file, 0, asio::buffer(data), printer("async_write_at"));
    run(context);

    // Many at once: all results, but in no particular order.
    std::vector<std::string> blocks(64, std::string(1000, '\0'));
    std::size_t right = 0;
    for (std::size_t i = 0; i != blocks.size(); ++i)
        file.async_read_some_at(
            i * 1000, asio::buffer(blocks[i]), [&, i](const error_code& ec, std::size_t n) {
                right += !ec && n == 1000 && data.compare(i * 1000, 1000, blocks[i]) == 0;
            });
    run(context);
    print("many reads", right);

    std::string text(10, '\0');
    file.async_read_some_at(100000, asio::buffer(text), printer("at the end"));
    run(context);
    file.async_read_some_at(99995, asio::buffer(text), printer("near the end"));
    run(context);
    asio::async_read_at(file, 99995, asio::buffer(text), printer("async_read_at"));
    run(context);
    file.async_read_some_at(7, asio::mutable_buffer(), printer("nothing"));
    run(context);
    file.async_read_some_at(std::uint64_t(1) << 63, asio::buffer(text), printer("2^63"));
    run(context);

    // On a strand, with a handler that can only be moved.
    auto strand = asio::make_strand(context);
    auto owned = std::make_unique<std::string>(5, '\0');
    std::string& into = *owned;
    file.async_read_some_at(
        26, asio::buffer(into),
        asio::bind_executor(strand, [&, p = std::move(owned)](const error_code& ec, std::size_t n) {
            print("strand", strand.running_in_this_thread(), code{ec}, n, *p);
        }));
    run(context);

    // Nothing is called inside the function that starts it.
    bool returned = false;
    file.async_read_some_at(0, asio::buffer(text),
                            [&](error_code, std::size_t) { print("after return", returned); });
    returned = true;
    run(context);

    file_type reader(context, path, file_base::read_only);
    reader.async_write_some_at(0, asio::buffer(text), printer("write to read_only"));
    run(context);
    reader.close();
    reader.async_read_some_at(0, asio::buffer(text), printer("closed"));
    run(context);
}

void futures(asio::io_context& context, const std::string& path)
{
    file_type file(context, path, file_base::read_write);
    std::string text(10, '\0');
    std::future<std::size_t> good =
        file.async_read_some_at(0, asio::buffer(text), asio::use_future);
    std::future<std::size_t> bad =
        file.async_read_some_at(200000, asio::buffer(text), asio::use_future);
    auto deferred = file.async_write_some_at(3, asio::buffer("xyz", 3), asio::deferred);
    run(context);
    print("future", good.get(), text);
    print_thrown("failed future", [&] { bad.get(); });
    std::move(deferred)(printer("deferred"));
    run(context);
    static_assert(
        std::is_same_v<decltype(file.async_read_some_at(0, asio::buffer(text), asio::use_future)),
                       std::future<std::size_t>>);
}

void cancellation(asio::io_context& context, const std::string& path)
{
    // The first may have begun when it is cancelled. The second waits behind it.
    file_type file(context, path, file_base::read_only);
    std::array<std::string, 3> text{std::string(10, '\0'), std::string(10, '\0'),
                                    std::string(10, '\0')};
    asio::cancellation_signal signal;
    file.async_read_some_at(0, asio::buffer(text[0]), asio::detached);
    file.async_read_some_at(0, asio::buffer(text[1]),
                            asio::bind_cancellation_slot(signal.slot(), printer("by slot")));
    file.async_read_some_at(26, asio::buffer(text[2]), [&](error_code ec, std::size_t n) {
        print("not cancelled", code{ec}, n, text[2]);
    });
    signal.emit(asio::cancellation_type::total);
    run(context);

    file.async_read_some_at(0, asio::buffer(text[0]), asio::detached);
    file.async_read_some_at(0, asio::buffer(text[1]), printer("by cancel"));
    file.cancel();
    run(context);
    print("still open", file.is_open(), file.read_some_at(0, asio::buffer(text[0])));
}

asio::awaitable<void> coroutine(std::string path)
{
    const auto executor = co_await asio::this_coro::executor;
    file_type file(executor, path, file_base::read_write | file_base::create | file_base::truncate);
    const std::string data = sequence(1000);
    print("co_await write",
          co_await file.async_write_some_at(500, asio::buffer(data), asio::use_awaitable));
    std::string text(1000, '\0');
    print("co_await async_read_at",
          co_await asio::async_read_at(file, 500, asio::buffer(text), asio::use_awaitable),
          text == data);
    const auto [ec, n] = co_await file.async_read_some_at(1500, asio::buffer(text),
                                                          asio::as_tuple(asio::use_awaitable));
    print("as_tuple", code{ec}, n);
    try
    {
        co_await file.async_read_some_at(1500, asio::buffer(text), asio::use_awaitable);
    }
    catch (const boost::system::system_error& e)
    {
        print("caught", code{e.code()});
    }

    using awaited = asio::use_awaitable_t<>::as_default_on_t<stream_type>;
    awaited stream(executor, path, awaited::read_write);
    std::size_t total = 0;
    while (total < 1500)
        total += co_await stream.async_read_some(asio::buffer(text, 400));
    print("stream", total);
    co_await stream.async_write_some(asio::buffer("line\n", 5));
    stream.seek(-5, file_base::seek_end);
    std::string line;
    print("async_read_until",
          co_await asio::async_read_until(stream, asio::dynamic_buffer(line), '\n',
                                          asio::use_awaitable),
          line.size());
}

void stream_asynchronous(asio::io_context& context, const std::string& path)
{
    stream_type file(context, path,
                     stream_type::read_write | stream_type::create | stream_type::truncate);
    const std::string data = sequence(300000);
    asio::async_write(file, asio::buffer(data), printer("async_write"));
    run(context);
    print("position", file.seek(0, stream_type::seek_cur));
    file.seek(0, stream_type::seek_set);
    std::string text(300001, '\0');
    asio::async_read(file, asio::buffer(text), printer("async_read"));
    run(context);
    print("same", text.compare(0, data.size(), data) == 0, file.seek(0, stream_type::seek_cur));

    // Several reads started at once follow each other.
    file.seek(0, stream_type::seek_set);
    std::array<std::string, 4> parts;
    for (std::string& part : parts)
    {
        part.resize(26);
        file.async_read_some(asio::buffer(part), asio::detached);
    }
    run(context);
    print("in order", parts[0] + parts[1] + parts[2] + parts[3] == data.substr(0, 104));

    // A descriptor stands where the file stood.
    const int descriptor = file.release();
    print("released at", ::lseek(descriptor, 0, SEEK_CUR));
    stream_type again(context, descriptor);
    again.async_read_some(asio::buffer(text, 5), asio::detached);
    run(context);
    print("goes on", text.substr(0, 5) == data.substr(104, 5));
}

} // namespace

int main(int argc, char* argv[])
try
{
    if (argc != 2)
        return 2;
    const std::string path = argv[1];
    asio::io_context context;
    synchronous(context, path);
    stream_synchronous(context, path);
    callbacks(context, path);
    futures(context, path);
    cancellation(context, path);
    stream_asynchronous(context, path);
    asio::co_spawn(context, coroutine(path), [](const std::exception_ptr& e) {
        if (e)
            std::rethrow_exception(e);
    });
    run(context);
    ::unlink(path.c_str());
}
catch (const std::exception& e)
{
    std::cout << "exception: " << e.what() << '\n';
    return 1;
}
