//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// The examples in the reference of kaio::basic_random_access_file.

#include <array>
#include <boost/asio.hpp>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <kaio/kaio.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace asio = boost::asio;

namespace {

void require(bool condition, const char* what)
{
    if (condition)
        return;
    std::cerr << "not as documented: " << what << '\n';
    std::exit(1);
}

void write_some_at(kaio::random_access_file& file, const std::string& data)
{
    //! [write_some_at]
    const std::size_t written = file.write_some_at(42, asio::buffer(data));
    //! [write_some_at]
    require(written == data.size(), "write_some_at");
}

void async_write_some_at(asio::io_context& context, kaio::random_access_file& file,
                         const std::string& data)
{
    std::size_t total = 0;
    //! [async_write_some_at]
    file.async_write_some_at(42, asio::buffer(data),
                             [&](boost::system::error_code ec, std::size_t written) {
                                 if (ec)
                                     std::cerr << "cannot write: " << ec.message() << '\n';
                                 total += written;
                             });
    //! [async_write_some_at]
    context.run();
    context.restart();
    require(total == data.size(), "async_write_some_at");
}

void read_some_at(kaio::random_access_file& file, const std::string& data)
{
    //! [read_some_at]
    std::array<char, 512> block;
    const std::size_t size = file.read_some_at(42, asio::buffer(block));
    std::cout.write(block.data(), static_cast<std::streamsize>(size)) << '\n';
    //! [read_some_at]
    require(std::string_view(block.data(), size) == data, "read_some_at");
}

void async_read_some_at(asio::io_context& context, kaio::random_access_file& file,
                        const std::string& data)
{
    std::string found;
    //! [async_read_some_at]
    std::array<char, 512> block;
    file.async_read_some_at(42, asio::buffer(block),
                            [&](boost::system::error_code ec, std::size_t size) {
                                if (ec == asio::error::eof)
                                    std::cout << "the file ends before offset 42\n";
                                else if (!ec)
                                    found.assign(block.data(), size);
                            });
    //! [async_read_some_at]
    context.run();
    context.restart();
    require(found == data, "async_read_some_at");
}

void read_side_by_side(const std::string& path)
{
    std::size_t total = 0;
    //! [read_side_by_side]
    asio::io_context context;
    kaio::random_access_file file(context, path, kaio::random_access_file::read_only);

    // All sixteen reads are outstanding at the same time, and complete in any order.
    std::vector<std::array<char, 4096>> blocks(16);
    for (std::size_t i = 0; i != blocks.size(); ++i)
        file.async_read_some_at(i * 4096, asio::buffer(blocks[i]),
                                [&](boost::system::error_code ec, std::size_t size) {
                                    if (!ec)
                                        total += size;
                                });

    context.run();
    //! [read_side_by_side]
    require(total == 16 * 4096, "read_side_by_side");
}

} // namespace

int main()
try
{
    using file_type = kaio::random_access_file;
    const std::string path = "random_access_file_doc.data";
    const std::string data = "any number of reads and writes may be outstanding on one file";

    asio::io_context context;
    file_type file(context, path, file_type::read_write | file_type::create | file_type::truncate);
    write_some_at(file, data);
    read_some_at(file, data);
    async_write_some_at(context, file, data);
    async_read_some_at(context, file, data);
    file.resize(16 * 4096);
    read_side_by_side(path);
}
catch (const std::exception& e)
{
    std::cerr << e.what() << '\n';
    return 1;
}
