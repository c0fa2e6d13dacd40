//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Which files share the account of a mount.

#include "queue/mount_accounts.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

using kaio::detail::mount_account;
using kaio::detail::mount_accounts;

BOOST_AUTO_TEST_SUITE(mount_accounts_)

BOOST_AUTO_TEST_CASE(files_of_one_device_share_an_account)
{
    mount_accounts accounts;
    mount_account& first = accounts.join(7);
    mount_account& other = accounts.join(8);
    BOOST_TEST(&accounts.join(7) == &first);
    BOOST_TEST(&first != &other);
    BOOST_TEST(accounts.size() == 2U);
    BOOST_TEST(first.files == 2U);
    BOOST_TEST(other.files == 1U);
}

BOOST_AUTO_TEST_CASE(an_account_ends_with_its_last_file)
{
    mount_accounts accounts;
    mount_account& account = accounts.join(7);
    accounts.join(7);
    accounts.leave(account);
    BOOST_TEST(accounts.size() == 1U);
    accounts.leave(account);
    BOOST_TEST(accounts.size() == 0U);
}

BOOST_AUTO_TEST_CASE(an_account_keeps_its_address_while_others_come_and_go)
{
    mount_accounts accounts;
    mount_account& account = accounts.join(0);
    account.in_flight = 5;
    std::vector<mount_account*> others;
    for (std::uint64_t device = 1; device != 100; ++device)
        others.push_back(&accounts.join(device));
    for (mount_account* other : others)
        accounts.leave(*other);
    BOOST_TEST(accounts.size() == 1U);
    BOOST_TEST(&accounts.join(0) == &account);
    BOOST_TEST(account.in_flight == 5U);
}

BOOST_AUTO_TEST_CASE(files_that_are_not_open_have_an_account_that_is_not_counted)
{
    mount_accounts accounts;
    mount_account& unopened = accounts.unopened();
    BOOST_TEST(&accounts.join(0) != &unopened);
    accounts.leave(unopened);
    accounts.leave(unopened);
    BOOST_TEST(accounts.size() == 1U);
    BOOST_TEST(&accounts.unopened() == &unopened);
}

BOOST_AUTO_TEST_CASE(any_account_is_looked_at)
{
    mount_accounts accounts;
    const auto waits = [](const mount_account& account) { return account.waiting != 0; };
    accounts.join(1);
    mount_account& second = accounts.join(2);
    BOOST_TEST(!accounts.any_of(waits));
    second.waiting = 1;
    BOOST_TEST(accounts.any_of(waits));
    second.waiting = 0;
    accounts.unopened().waiting = 1;
    BOOST_TEST(accounts.any_of(waits));
}

BOOST_AUTO_TEST_SUITE_END()
