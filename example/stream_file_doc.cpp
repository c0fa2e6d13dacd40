//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// The examples of the reference page of basic_stream_file.

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read_until.hpp>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

#include <kaio/stream_file.hpp>

namespace {

namespace asio = boost::asio;

void require(bool condition, const char* what)
{
    if (!condition)
        throw std::runtime_error(what);
}

void write_some(kaio::stream_file& file, const std::string& data)
{
    //! [write_some]
    const std::size_t size = file.write_some(asio::buffer(data));
    std::cout << size << " bytes of " << data.size() << " written\n";
    //! [write_some]
    require(size == data.size(), "write_some");
}

void seek(kaio::stream_file& file)
{
    //! [seek]
    const std::uint64_t size = file.seek(0, kaio::stream_file::seek_end);
    file.seek(0, kaio::stream_file::seek_set);
    //! [seek]
    require(size == file.size(), "seek");
}

void read_some(kaio::stream_file& file, const std::string& data)
{
    //! [read_some]
    std::array<char, 512> block;
    const std::size_t size = file.read_some(asio::buffer(block));
    std::cout.write(block.data(), static_cast<std::streamsize>(size)) << '\n';
    //! [read_some]
    require(std::string_view(block.data(), size) == data, "read_some");
}

void async_write_some(asio::io_context& context, kaio::stream_file& file, const std::string& data)
{
    //! [async_write_some]
    file.async_write_some(asio::buffer(data), [&](boost::system::error_code ec, std::size_t size) {
        if (!ec)
            std::cout << size << " bytes of " << data.size() << " written\n";
    });
    //! [async_write_some]
    context.run();
    context.restart();
    require(file.seek(0, kaio::stream_file::seek_cur) == 2 * data.size(), "async_write_some");
}

void async_read_some(asio::io_context& context, kaio::stream_file& file, const std::string& data)
{
    file.seek(0, kaio::stream_file::seek_set);
    std::string found;
    //! [async_read_some]
    std::array<char, 512> block;
    file.async_read_some(asio::buffer(block), [&](boost::system::error_code ec, std::size_t size) {
        if (ec == asio::error::eof)
            std::cout << "that is all\n";
        else if (!ec)
            found.assign(block.data(), size);
    });
    //! [async_read_some]
    context.run();
    context.restart();
    require(found == data + data, "async_read_some");
}

void read_line(const std::string& path)
{
    std::string first;
    //! [read_line]
    asio::io_context context;
    kaio::stream_file file(context, path, kaio::stream_file::read_only);

    std::string text;
    asio::async_read_until(file, asio::dynamic_buffer(text), '\n',
                           [&](boost::system::error_code ec, std::size_t size) {
                               if (!ec)
                                   first = text.substr(0, size);
                           });

    context.run();
    //! [read_line]
    require(first == "one operation at a time\n", "read_line");
}

} // namespace

int main()
try
{
    using file_type = kaio::stream_file;
    const std::string path = "stream_file_doc.data";
    const std::string data = "one operation at a time\n";

    asio::io_context context;
    file_type file(context, path, file_type::read_write | file_type::create | file_type::truncate);
    write_some(file, data);
    seek(file);
    read_some(file, data);
    async_write_some(context, file, data);
    async_read_some(context, file, data);
    read_line(path);
}
catch (const std::exception& e)
{
    std::cerr << e.what() << '\n';
    return 1;
}
