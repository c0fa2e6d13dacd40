//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_TOKEN_FIXTURE_HPP
#define KAIO_TEST_SUPPORT_TOKEN_FIXTURE_HPP

#include <boost/asio/buffer.hpp>
#include <boost/test/unit_test.hpp>
#include <kaio/random_access_file.hpp>
#include <string>
#include <tuple>
#include <utility>

#include "run.hpp"
#include "temporary_file.hpp"

namespace kaio {
namespace test {

/// A file for one operation, which takes 100 bytes, and which a token starts.
struct token_fixture : context_fixture
{
    static constexpr std::size_t size = 100;

    temporary_file on_disk{std::size_t(1000)};
    random_access_file file{context, on_disk.path(), file_base::read_write};
    std::string text = std::string(size, '\0');
};

// The operations of the table: each starts itself by a token, and says whether it took place.

struct read_some_at
{
    template <typename File, typename Token>
    static decltype(auto) start(token_fixture& f, File& file, Token&& token)
    {
        return file.async_read_some_at(10, boost::asio::buffer(f.text), std::forward<Token>(token));
    }

    static bool done(const token_fixture& f)
    {
        return f.text == pattern(10, token_fixture::size);
    }
};

struct read_some_at_with_options
{
    template <typename File, typename Token>
    static decltype(auto) start(token_fixture& f, File& file, Token&& token)
    {
        return file.async_read_some_at(10, boost::asio::buffer(f.text), io_options(),
                                       std::forward<Token>(token));
    }

    static bool done(const token_fixture& f)
    {
        return read_some_at::done(f);
    }
};

struct write_some_at
{
    template <typename File, typename Token>
    static decltype(auto) start(token_fixture& f, File& file, Token&& token)
    {
        return file.async_write_some_at(10, boost::asio::buffer(f.text),
                                        std::forward<Token>(token));
    }

    static bool done(const token_fixture& f)
    {
        return f.on_disk.contents().substr(10, token_fixture::size) == f.text;
    }
};

struct write_some_at_with_options
{
    template <typename File, typename Token>
    static decltype(auto) start(token_fixture& f, File& file, Token&& token)
    {
        return file.async_write_some_at(10, boost::asio::buffer(f.text), io_options(),
                                        std::forward<Token>(token));
    }

    static bool done(const token_fixture& f)
    {
        return write_some_at::done(f);
    }
};

using token_operations =
    std::tuple<read_some_at, read_some_at_with_options, write_some_at, write_some_at_with_options>;

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_TOKEN_FIXTURE_HPP
