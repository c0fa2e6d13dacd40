//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// The refusals of a file are kept for reads, writes and seeks apart.

#include "policy/file_history.hpp"

#include <boost/test/unit_test.hpp>

using kaio::detail::file_history;

BOOST_AUTO_TEST_SUITE(file_history_suite)

BOOST_AUTO_TEST_CASE(a_new_file_has_refused_nothing)
{
    file_history history;
    BOOST_TEST(history.reads().trusted());
    BOOST_TEST(history.writes().trusted());
    BOOST_TEST(history.seeks().trusted());
    BOOST_TEST(!history.submission_blocks());
}

BOOST_AUTO_TEST_CASE(reads_writes_and_seeks_are_learned_apart)
{
    file_history history;
    history.reads().refused();
    BOOST_TEST(history.reads().refuses());
    BOOST_TEST(!history.writes().refuses());
    BOOST_TEST(!history.seeks().refuses());
    history.writes().unknown_flag();
    BOOST_TEST(history.reads().knows_nowait());
    BOOST_TEST(!history.writes().knows_nowait());
    BOOST_TEST(history.seeks().knows_nowait());
}

BOOST_AUTO_TEST_CASE(a_change_of_o_direct_concerns_transfers_only)
{
    file_history history;
    history.reads().refused();
    history.writes().unknown_flag();
    history.seeks().refused();
    history.set_takes_aio(true);
    history.set_submission_blocks(true);
    history.forget_transfers();
    BOOST_TEST(!history.reads().refuses());
    BOOST_TEST(!history.writes().refuses());
    BOOST_TEST(history.seeks().refuses());
    BOOST_TEST(history.takes_aio());
    BOOST_TEST(history.submission_blocks());
}

BOOST_AUTO_TEST_CASE(what_is_said_of_aio_lasts_until_it_is_said_otherwise)
{
    file_history history;
    BOOST_TEST(!history.takes_aio());
    history.set_takes_aio(true);
    BOOST_TEST(history.takes_aio());
    history.set_takes_aio(false);
    BOOST_TEST(!history.takes_aio());
    history.set_submission_blocks(true);
    BOOST_TEST(history.submission_blocks());
    history.set_submission_blocks(false);
    BOOST_TEST(!history.submission_blocks());
}

BOOST_AUTO_TEST_SUITE_END()
