//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// The policy that remembers refusals, and says how often to try again.

#include "policy/would_block.hpp"

#include <boost/test/unit_test.hpp>

using kaio::detail::would_block;

namespace {

// How many operations go by until one is tried.
int skipped_before_attempt(would_block& file)
{
    int skipped = 0;
    while (!file.attempt())
        ++skipped;
    return skipped;
}

} // namespace

BOOST_AUTO_TEST_SUITE(would_block_policy)

BOOST_AUTO_TEST_CASE(a_new_file_is_always_tried)
{
    would_block file;
    BOOST_TEST(file.trusted());
    BOOST_TEST(!file.refuses());
    BOOST_TEST(file.knows_nowait());
    for (int i = 0; i != 100; ++i)
        BOOST_TEST(file.attempt());
}

BOOST_AUTO_TEST_CASE(each_refusal_doubles_the_pause_up_to_a_limit)
{
    would_block file;
    for (const int expected : {1, 2, 4, 8, 16, 32, 64, 64, 64})
    {
        file.refused();
        BOOST_TEST(!file.trusted());
        BOOST_TEST(file.refuses());
        BOOST_TEST(skipped_before_attempt(file) == expected);
    }
}

BOOST_AUTO_TEST_CASE(each_success_halves_the_next_pause)
{
    would_block file;
    for (int i = 0; i != 4; ++i)
        file.refused();
    BOOST_TEST(skipped_before_attempt(file) == 8);
    file.succeeded();
    file.succeeded();
    BOOST_TEST(file.refuses());
    file.refused();
    BOOST_TEST(skipped_before_attempt(file) == 4);
}

BOOST_AUTO_TEST_CASE(a_file_that_stops_refusing_is_trusted_again)
{
    would_block file;
    file.refused();
    file.refused();
    BOOST_TEST(skipped_before_attempt(file) == 2);
    file.succeeded();
    BOOST_TEST(file.refuses());
    file.succeeded();
    BOOST_TEST(!file.refuses());
    BOOST_TEST(file.trusted());
}

// An attempt that was made before the last refusal says nothing of what comes after it.
BOOST_AUTO_TEST_CASE(a_success_during_a_pause_changes_nothing)
{
    would_block file;
    file.refused();
    file.refused();
    for (int i = 0; i != 10; ++i)
        file.succeeded();
    BOOST_TEST(file.refuses());
    BOOST_TEST(skipped_before_attempt(file) == 2);
}

BOOST_AUTO_TEST_CASE(a_file_that_does_not_know_the_flag_counts_as_one_that_refuses)
{
    would_block file;
    file.unknown_flag();
    BOOST_TEST(!file.knows_nowait());
    BOOST_TEST(file.refuses());
    BOOST_TEST(file.trusted());
    BOOST_TEST(file.attempt());
}

BOOST_AUTO_TEST_SUITE_END()
