//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Files of one device share one mount_usage.

#include "queue/mount_table.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

using kaio::detail::mount_table;
using kaio::detail::mount_usage;

BOOST_AUTO_TEST_SUITE(mount_table_)

BOOST_AUTO_TEST_CASE(files_of_one_device_share_an_account)
{
    mount_table mounts;
    mount_usage& first = mounts.join(7);
    mount_usage& other = mounts.join(8);
    BOOST_TEST(&mounts.join(7) == &first);
    BOOST_TEST(&first != &other);
    BOOST_TEST(mounts.size() == 2U);
    BOOST_TEST(first.files == 2U);
    BOOST_TEST(other.files == 1U);
}

BOOST_AUTO_TEST_CASE(an_account_ends_with_its_last_file)
{
    mount_table mounts;
    mount_usage& mount = mounts.join(7);
    mounts.join(7);
    mounts.leave(mount);
    BOOST_TEST(mounts.size() == 1U);
    mounts.leave(mount);
    BOOST_TEST(mounts.size() == 0U);
}

BOOST_AUTO_TEST_CASE(an_account_keeps_its_address_while_others_come_and_go)
{
    mount_table mounts;
    mount_usage& mount = mounts.join(0);
    mount.in_flight = 5;
    std::vector<mount_usage*> others;
    for (std::uint64_t device = 1; device != 100; ++device)
        others.push_back(&mounts.join(device));
    for (mount_usage* other : others)
        mounts.leave(*other);
    BOOST_TEST(mounts.size() == 1U);
    BOOST_TEST(&mounts.join(0) == &mount);
    BOOST_TEST(mount.in_flight == 5U);
}

BOOST_AUTO_TEST_CASE(files_that_are_not_open_have_an_account_that_is_not_counted)
{
    mount_table mounts;
    mount_usage& unopened = mounts.unopened();
    BOOST_TEST(&mounts.join(0) != &unopened);
    mounts.leave(unopened);
    mounts.leave(unopened);
    BOOST_TEST(mounts.size() == 1U);
    BOOST_TEST(&mounts.unopened() == &unopened);
}

BOOST_AUTO_TEST_CASE(any_account_is_looked_at)
{
    mount_table mounts;
    const auto waits = [](const mount_usage& mount) { return mount.waiting != 0; };
    mounts.join(1);
    mount_usage& second = mounts.join(2);
    BOOST_TEST(!mounts.any_of(waits));
    second.waiting = 1;
    BOOST_TEST(mounts.any_of(waits));
    second.waiting = 0;
    mounts.unopened().waiting = 1;
    BOOST_TEST(mounts.any_of(waits));
}

BOOST_AUTO_TEST_SUITE_END()
