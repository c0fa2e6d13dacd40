//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// The room of a batch: what goes to io_submit and what has a call of its own never meet.

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "queue/submission_batch.hpp"

namespace data = boost::unit_test::data;

using namespace kaio::detail;

namespace {

constexpr std::size_t many = 100;

struct plain_record : operation_record
{
    plain_record() : operation_record(operation_kind::read, nullptr)
    {
    }
};

struct batch_fixture
{
    explicit batch_fixture(std::size_t capacity) : batch(capacity), records(2 * many)
    {
        batch.clear(1, capacity, true);
    }

    // Offer as many as there are; the first ones are taken.
    std::size_t add_submissions()
    {
        std::size_t taken = 0;
        for (std::size_t i = 0; i != many; ++i)
            taken += batch.add(records[i]);
        return taken;
    }

    std::size_t add_calls(std::uint64_t bytes = 1)
    {
        std::size_t taken = 0;
        for (std::size_t i = 0; i != many; ++i)
            taken += batch.add_try(records[many + i], bytes);
        return taken;
    }

    void check(std::size_t submissions, std::size_t calls)
    {
        BOOST_TEST(batch.size() == submissions);
        BOOST_TEST(batch.tries() == calls);
        for (std::size_t i = 0; i != batch.size(); ++i)
            BOOST_TEST(&batch[i] == &records[i]);
        for (std::size_t i = 0; i != batch.tries(); ++i)
            BOOST_TEST(&batch.try_at(i) == &records[many + i]);
    }

    submission_batch batch;
    std::deque<plain_record> records;
};

const std::size_t capacities[] = {1, 2, 3, 64};

} // namespace

BOOST_AUTO_TEST_SUITE(submission_batch_suite)

BOOST_DATA_TEST_CASE(both_kinds_have_their_room, data::make(capacities) * data::make({false, true}),
                     capacity, calls_first)
{
    batch_fixture f(capacity);
    std::size_t calls = calls_first ? f.add_calls() : 0;
    const std::size_t submissions = f.add_submissions();
    calls += calls_first ? 0 : f.add_calls();
    BOOST_TEST(submissions == capacity);
    BOOST_TEST(calls >= 1U);
    BOOST_TEST(calls <= capacity);
    BOOST_TEST(f.batch.full());
    BOOST_TEST(!f.batch.takes_tries());
    f.check(submissions, calls);

    f.batch.clear(2, capacity, true);
    BOOST_TEST(f.add_submissions() == submissions);
    BOOST_TEST(f.add_calls() == calls);
    f.check(submissions, calls);
}

BOOST_DATA_TEST_CASE(no_calls_if_none_are_wanted, data::make(capacities), capacity)
{
    batch_fixture f(capacity);
    f.batch.clear(2, capacity, false);
    BOOST_TEST(!f.batch.takes_tries());
    BOOST_TEST(f.add_calls() == 0U);
    BOOST_TEST(f.add_submissions() == capacity);
    f.check(capacity, 0);
}

BOOST_DATA_TEST_CASE(a_batch_takes_no_more_than_its_group, data::make(capacities), capacity)
{
    batch_fixture f(capacity);
    f.batch.clear(2, 1, true);
    BOOST_TEST(f.add_submissions() == 1U);
    BOOST_TEST(f.batch.full());
    f.batch.clear(3, 2 * capacity, true);
    BOOST_TEST(f.add_submissions() == capacity);
}

BOOST_DATA_TEST_CASE(one_call_may_be_large, data::make(capacities), capacity)
{
    batch_fixture f(capacity);
    BOOST_TEST(f.add_calls(std::uint64_t(1) << 30) == 1U);
    f.check(0, 1);
}

BOOST_AUTO_TEST_SUITE_END()
