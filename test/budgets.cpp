//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// How many slots and helper threads a file and a mount may hold.

#include "policy/budgets.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <limits>
#include <vector>

using namespace kaio::detail;

namespace {

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

// Files that all take as many slots as they may: how many the first one gets.
struct slot_game
{
    explicit slot_game(std::size_t number, std::vector<std::size_t> mounts_of_files)
      : slots(number), mounts(std::move(mounts_of_files)), held(mounts.size(), 0)
    {
        for (const std::size_t mount : mounts)
            count = std::max(count, mount + 1);
    }

    slot_usage all() const
    {
        std::size_t in_flight = 0;
        for (const std::size_t each : held)
            in_flight += each;
        return {slots, in_flight, mounts.size(), count, false};
    }

    file_slots of(std::size_t file) const
    {
        std::size_t of_mount = 0;
        for (std::size_t i = 0; i != held.size(); ++i)
            of_mount += mounts[i] == mounts[file] ? held[i] : 0;
        return {held[file], of_mount, unlimited};
    }

    bool may(std::size_t file) const
    {
        return may_have_slot(all(), of(file));
    }

    // All that one file can take by itself.
    std::size_t take_all(std::size_t file)
    {
        while (may(file))
            ++held[file];
        return held[file];
    }

    std::size_t slots;
    std::vector<std::size_t> mounts;
    std::vector<std::size_t> held;
    std::size_t count = 0;
};

// How many helpers each of a number of mounts gets, with a file each, if they hang one after the
// other.
std::vector<std::size_t> helpers_of_hanging_mounts(std::size_t helpers, std::size_t mounts)
{
    std::vector<std::size_t> result(mounts, 0);
    std::size_t working = 0;
    for (std::size_t& held : result)
    {
        while (working != helpers && may_have_helper({helpers, working}, held, held))
        {
            ++held;
            ++working;
        }
    }
    return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(budgets)

BOOST_AUTO_TEST_CASE(a_file_alone_may_hold_all_slots)
{
    for (const std::size_t number : {1U, 2U, 3U, 17U, 256U, 4096U})
        BOOST_TEST(slot_game(number, {0}).take_all(0) == number);
}

BOOST_AUTO_TEST_CASE(a_file_leaves_an_eighth_of_what_it_holds_to_another)
{
    slot_game game(256, {0, 0});
    BOOST_TEST(game.take_all(0) == 228U);
    BOOST_TEST(game.may(1));
    BOOST_TEST(game.take_all(1) != 0U);
}

BOOST_AUTO_TEST_CASE(the_files_of_a_mount_leave_slots_to_another_mount)
{
    slot_game game(256, {0, 0, 0, 0, 1});
    for (std::size_t file = 0; file != 4; ++file)
        game.take_all(file);
    BOOST_TEST(game.all().in_flight == 241U);
    BOOST_TEST(game.may(4));
}

BOOST_AUTO_TEST_CASE(of_seventeen_slots_no_mount_holds_the_last_one_while_there_are_others)
{
    const slot_usage all = {17, 16, 4, 2, false};
    BOOST_TEST(!may_have_slot(all, {5, 16, unlimited}));
    BOOST_TEST(may_have_slot(all, {5, 15, unlimited}));
}

// Of fewer slots than that one file may hold all, and the others go by the helpers.
BOOST_AUTO_TEST_CASE(of_nine_slots_no_file_holds_the_last_one_while_there_are_others)
{
    for (std::size_t slots = share_of_file + 1; slots != 300; ++slots)
    {
        slot_game game(slots, {0, 1});
        game.take_all(0);
        BOOST_TEST(game.may(1));
    }
}

BOOST_AUTO_TEST_CASE(there_is_no_slot_without_room_in_the_kernel)
{
    const file_slots file = {1, 1, unlimited};
    BOOST_TEST(may_have_slot({256, 1, 1, 1, false}, file));
    BOOST_TEST(!may_have_slot({256, 1, 1, 1, true}, file));
    // Nobody would make room: the kernel is asked again.
    BOOST_TEST(may_have_slot({256, 0, 1, 1, true}, {0, 0, unlimited}));
    BOOST_TEST(!may_have_slot({1, 1, 1, 1, false}, file));
    BOOST_TEST(!may_have_slot({0, 0, 1, 1, false}, {0, 0, unlimited}));
}

BOOST_AUTO_TEST_CASE(a_device_gets_no_more_than_it_takes_without_waiting)
{
    const slot_usage all = {256, 5, 1, 1, false};
    BOOST_TEST(may_have_slot(all, {4, 4, 5}));
    BOOST_TEST(!may_have_slot(all, {5, 5, 5}));
    BOOST_TEST(burst_limit({256, 0, 1, 1, false}, {0, 0, 7}) == 7U);
}

// A file takes no more at once than one by one, and another file still finds a slot.
BOOST_AUTO_TEST_CASE(slots_taken_at_once_are_no_more_than_one_by_one)
{
    for (std::size_t slots = 1; slots != 300; ++slots)
    {
        for (std::size_t held = 0; held != slots; ++held)
        {
            slot_game game(slots, {0, 1});
            game.held[0] = held;
            if (!game.may(0))
                continue;
            const std::size_t at_once = burst_limit(game.all(), game.of(0));
            BOOST_TEST_REQUIRE(at_once != 0U);
            for (std::size_t i = 0; i != at_once; ++i, ++game.held[0])
                BOOST_TEST_REQUIRE(game.may(0));
        }
    }
    BOOST_TEST(burst_limit({256, 0, 1, 1, false}, {0, 0, unlimited}) == 227U);
    BOOST_TEST(burst_limit({256, 250, 1, 1, false}, {250, 250, unlimited}) == 1U);
}

BOOST_AUTO_TEST_CASE(a_file_and_a_mount_leave_helpers_to_others)
{
    // One file uses half of the default of 8, and leaves some to two further mounts.
    BOOST_TEST(helpers_of_hanging_mounts(8, 1) == (std::vector<std::size_t>{4}),
               boost::test_tools::per_element());
    BOOST_TEST(helpers_of_hanging_mounts(9, 1) == (std::vector<std::size_t>{4}),
               boost::test_tools::per_element());
    BOOST_TEST(helpers_of_hanging_mounts(8, 3) == (std::vector<std::size_t>{4, 2, 1}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(three_helpers_are_enough_for_two_mounts_that_hang)
{
    for (std::size_t helpers = 3; helpers != 20; ++helpers)
    {
        const std::vector<std::size_t> held = helpers_of_hanging_mounts(helpers, 2);
        BOOST_TEST(held[0] + held[1] < helpers);
        BOOST_TEST(held[1] != 0U);
    }
    for (std::size_t helpers = 1; helpers != 20; ++helpers)
        BOOST_TEST(helpers_of_hanging_mounts(helpers, 1).front() != 0U);
}

BOOST_AUTO_TEST_CASE(a_further_helper_may_be_had_only_if_some_are_left)
{
    BOOST_TEST(any_may_have_helper({8, 5}));
    BOOST_TEST(!any_may_have_helper({8, 6}));
    BOOST_TEST(!any_may_have_helper({0, 0}));
    for (std::size_t of_file = 0; of_file != 8; ++of_file)
    {
        for (std::size_t working = of_file; working != 9; ++working)
        {
            if (may_have_helper({8, working}, of_file, of_file + 1))
                BOOST_TEST(any_may_have_helper({8, working}));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
