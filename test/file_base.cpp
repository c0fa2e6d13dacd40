//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <fcntl.h>
#include <stdio.h>

#include <boost/test/unit_test.hpp>
#include <kaio/file_base.hpp>
#include <kaio/random_access_file.hpp>
#include <sstream>
#include <string>
#include <type_traits>

namespace {

using kaio::file_base;

BOOST_AUTO_TEST_SUITE(file_base_header)

BOOST_AUTO_TEST_CASE(flags_have_the_values_of_open)
{
    BOOST_TEST(static_cast<int>(file_base::read_only) == O_RDONLY);
    BOOST_TEST(static_cast<int>(file_base::write_only) == O_WRONLY);
    BOOST_TEST(static_cast<int>(file_base::read_write) == O_RDWR);
    BOOST_TEST(static_cast<int>(file_base::append) == O_APPEND);
    BOOST_TEST(static_cast<int>(file_base::create) == O_CREAT);
    BOOST_TEST(static_cast<int>(file_base::exclusive) == O_EXCL);
    BOOST_TEST(static_cast<int>(file_base::truncate) == O_TRUNC);
    BOOST_TEST(static_cast<int>(file_base::sync_all_on_write) == O_SYNC);
    BOOST_TEST(static_cast<int>(file_base::sync_data_on_write) == O_DSYNC);
    BOOST_TEST(static_cast<int>(file_base::direct) == O_DIRECT);
}

BOOST_AUTO_TEST_CASE(seek_bases_have_the_values_of_lseek)
{
    BOOST_TEST(static_cast<int>(file_base::seek_set) == SEEK_SET);
    BOOST_TEST(static_cast<int>(file_base::seek_cur) == SEEK_CUR);
    BOOST_TEST(static_cast<int>(file_base::seek_end) == SEEK_END);
}

BOOST_AUTO_TEST_CASE(flags_combine_bit_by_bit)
{
    const file_base::flags a = file_base::read_write;
    const file_base::flags b = file_base::create;
    BOOST_TEST(static_cast<int>(a | b) == (O_RDWR | O_CREAT));
    BOOST_TEST(static_cast<int>((a | b) & b) == O_CREAT);
    BOOST_TEST(static_cast<int>((a | b) ^ a) == O_CREAT);
    BOOST_TEST(static_cast<int>((a | b) & ~a) == O_CREAT);
    BOOST_TEST(static_cast<int>(~a) == ~O_RDWR);
}

BOOST_AUTO_TEST_CASE(compound_operators_change_their_left_side_and_return_it)
{
    file_base::flags f = file_base::read_write;
    BOOST_TEST(&(f |= file_base::create) == &f);
    BOOST_TEST(static_cast<int>(f) == (O_RDWR | O_CREAT));
    BOOST_TEST(&(f &= ~file_base::read_write) == &f);
    BOOST_TEST(static_cast<int>(f) == O_CREAT);
    BOOST_TEST(&(f ^= file_base::create) == &f);
    BOOST_TEST(static_cast<int>(f) == 0);

    file_base::flags g = file_base::read_only;
    (g |= file_base::create) |= file_base::truncate;
    BOOST_TEST(static_cast<int>(g) == (O_CREAT | O_TRUNC));
}

BOOST_AUTO_TEST_CASE(names_can_be_written_as_programs_write_them)
{
    BOOST_TEST(file_base::flags::read_only == file_base::read_only);
    BOOST_TEST(kaio::random_access_file::read_write == file_base::read_write);
    BOOST_TEST(kaio::random_access_file::flags::append == file_base::append);
    BOOST_TEST(static_cast<int>(static_cast<file_base::flags>(O_RDWR | O_NOATIME)) ==
               (O_RDWR | O_NOATIME));
}

// Unscoped, as Asio's: arithmetic on them compiles, an assignment without a cast doesn't.
static_assert(std::is_convertible_v<file_base::flags, int>);
static_assert(!std::is_convertible_v<int, file_base::flags>);
static_assert(std::is_convertible_v<file_base::seek_basis, int>);

static_assert(!std::is_destructible_v<file_base>, "only its children can be destroyed");
static_assert(!std::is_polymorphic_v<file_base>);
static_assert(std::is_base_of_v<file_base, kaio::random_access_file>);

BOOST_AUTO_TEST_CASE(flags_are_printed_by_name)
{
    const auto text = [](file_base::flags x) {
        std::ostringstream os;
        os << x;
        return os.str();
    };
    BOOST_TEST(text(file_base::read_only) == "read_only");
    BOOST_TEST(text(file_base::read_write | file_base::create | file_base::truncate) ==
               "read_write|create|truncate");
    BOOST_TEST(text(file_base::write_only | file_base::append | file_base::exclusive |
                    file_base::direct) == "write_only|append|exclusive|direct");
    BOOST_TEST(text(file_base::write_only | file_base::sync_all_on_write) ==
               "write_only|sync_all_on_write");
    BOOST_TEST(text(file_base::write_only | file_base::sync_data_on_write) ==
               "write_only|sync_data_on_write");
    BOOST_TEST(text(static_cast<file_base::flags>(O_RDWR | O_NOATIME)) ==
               "read_write|" + std::to_string(O_NOATIME));
    BOOST_TEST(text(static_cast<file_base::flags>(O_ACCMODE)) == "no access mode");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
