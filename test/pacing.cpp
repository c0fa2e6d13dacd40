//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// How many operations one call submits.

#include "policy/pacing.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstddef>

namespace data = boost::unit_test::data;

using kaio::detail::largest_group;

namespace {

const std::size_t sizes[] = {1, 2, 64, 65536};

} // namespace

BOOST_AUTO_TEST_SUITE(pacing)

BOOST_DATA_TEST_CASE(the_loop_submits_all_there_is, data::make(sizes) * data::make({false, true}),
                     max_batch, blocks)
{
    BOOST_TEST(largest_group({max_batch, true, blocks}) == max_batch);
}

BOOST_DATA_TEST_CASE(a_helper_submits_all_of_a_file_that_does_not_wait, data::make(sizes),
                     max_batch)
{
    BOOST_TEST(largest_group({max_batch, false, false}) == max_batch);
}

BOOST_DATA_TEST_CASE(helpers_share_a_file_that_waits, data::make(sizes), max_batch)
{
    BOOST_TEST(largest_group({max_batch, false, true}) == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
