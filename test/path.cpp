//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// The policy that chooses the path of an operation: all combinations of facts and of earlier
// refusals.

#include "policy/path.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <ostream>
#include <vector>

using kaio::detail::choose_common_path;
using kaio::detail::choose_path;
using kaio::detail::common_path;
using kaio::detail::path;
using kaio::detail::path_choice;
using kaio::detail::path_facts;
using kaio::detail::would_block;

namespace kaio {
namespace detail {

std::ostream& operator<<(std::ostream& os, path p)
{
    constexpr std::array<const char*, 4> names = {"call", "loop submission", "helper submission",
                                                  "helper"};
    return os << names[static_cast<std::size_t>(p)];
}

} // namespace detail
} // namespace kaio

namespace {

would_block with_refusals(int count)
{
    would_block result;
    for (int i = 0; i != count; ++i)
        result.refused();
    return result;
}

would_block without_flag()
{
    would_block result;
    result.unknown_flag();
    return result;
}

// All a file can have learned: nothing, one refusal, many, an old one, an unknown flag.
std::vector<would_block> all_learned()
{
    would_block over = with_refusals(1);
    while (!over.attempt())
        ;
    return {would_block(), with_refusals(1), with_refusals(10), over, without_flag()};
}

// A file is direct or cached, or neither; what transfers to a device past the cache is direct.
bool possible(const path_facts& f)
{
    return !(f.direct && f.cached) && (!f.direct_to_device || (f.direct && f.transfers)) &&
           (f.transfers || !(f.cached || f.waits_anyway || f.appends || f.user_nowait || f.seeks ||
                             f.at_position)) &&
           !(f.seeks && (f.at_position || f.appends));
}

template <typename Function>
void for_all_facts(Function&& f)
{
    using member = bool path_facts::*;
    constexpr std::array<member, 12> members = {
        &path_facts::transfers,   &path_facts::has_aio,         &path_facts::at_position,
        &path_facts::seeks,       &path_facts::direct,          &path_facts::direct_to_device,
        &path_facts::cached,      &path_facts::allowed_on_loop, &path_facts::waits_anyway,
        &path_facts::user_nowait, &path_facts::appends,         &path_facts::starved};
    for (unsigned bits = 0; bits != 1U << members.size(); ++bits)
    {
        path_facts facts{};
        for (std::size_t i = 0; i != members.size(); ++i)
            facts.*members[i] = (bits >> i & 1U) != 0;
        if (possible(facts))
            f(facts);
    }
}

template <typename Function>
void for_all_choices(Function&& f)
{
    for_all_facts([&](const path_facts& facts) {
        for (const would_block& seeks : all_learned())
        {
            for (const would_block& learned : all_learned())
            {
                would_block seeks_after = seeks;
                would_block learned_after = learned;
                f(facts, learned, choose_path(facts, seeks_after, learned_after));
            }
        }
    });
}

bool on_loop(const path_choice& choice)
{
    return choice.where == path::loop_try || choice.where == path::loop_submission;
}

bool is_submission(const path_choice& choice)
{
    return choice.where == path::loop_submission || choice.where == path::helper_submission;
}

path choose(const path_facts& facts)
{
    would_block seeks;
    would_block learned;
    return choose_path(facts, seeks, learned).where;
}

path_facts transfer()
{
    path_facts facts{};
    facts.transfers = facts.has_aio = facts.allowed_on_loop = true;
    return facts;
}

path_facts direct_transfer()
{
    path_facts facts = transfer();
    facts.direct = true;
    return facts;
}

path_facts cached_transfer()
{
    path_facts facts = transfer();
    facts.cached = true;
    return facts;
}

} // namespace

BOOST_AUTO_TEST_SUITE(path_)

BOOST_AUTO_TEST_CASE(usual_operations_have_their_usual_paths)
{
    BOOST_TEST(choose(direct_transfer()) == path::loop_submission);
    BOOST_TEST(choose(cached_transfer()) == path::loop_try);

    path_facts sync = transfer();
    sync.transfers = false;
    BOOST_TEST(choose(sync) == path::loop_submission);

    path_facts with_priority = transfer();
    BOOST_TEST(choose(with_priority) == path::loop_submission);

    path_facts append = cached_transfer();
    append.appends = true;
    BOOST_TEST(choose(append) == path::helper);

    path_facts direct_append = direct_transfer();
    direct_append.appends = true;
    BOOST_TEST(choose(direct_append) == path::helper_submission);
}

BOOST_AUTO_TEST_CASE(without_aio_a_helper_does_everything)
{
    for_all_choices([](const path_facts& facts, const would_block&, const path_choice& choice) {
        if (!facts.has_aio || facts.at_position)
            BOOST_TEST(choice.where == path::helper);
    });
}

BOOST_AUTO_TEST_CASE(what_the_page_cache_has_is_never_submitted)
{
    for_all_choices([](const path_facts& facts, const would_block&, const path_choice& choice) {
        if (facts.cached)
            BOOST_TEST(!is_submission(choice));
        else
            BOOST_TEST(choice.where != path::loop_try);
    });
}

BOOST_AUTO_TEST_CASE(what_waits_is_kept_off_the_loop)
{
    for_all_choices([](const path_facts& facts, const would_block&, const path_choice& choice) {
        const bool starved = facts.starved && !facts.cached;
        const bool torn = facts.appends && !facts.user_nowait;
        if (!facts.allowed_on_loop || facts.waits_anyway || starved || torn)
            BOOST_TEST(!on_loop(choice));
    });
}

BOOST_AUTO_TEST_CASE(a_direct_transfer_off_the_loop_is_submitted)
{
    for_all_facts([](const path_facts& facts) {
        would_block seeks;
        would_block refuses = with_refusals(3);
        const path_choice choice = choose_path(facts, seeks, refuses);
        if (facts.direct && facts.has_aio && !facts.at_position)
            BOOST_TEST(is_submission(choice));
    });
}

BOOST_AUTO_TEST_CASE(the_kernel_is_asked_not_to_wait_only_on_the_loop)
{
    for_all_choices(
        [](const path_facts& facts, const would_block& learned, const path_choice& choice) {
            if (choice.adds_nowait)
                BOOST_TEST((on_loop(choice) && !facts.user_nowait && learned.knows_nowait()));
            // A transfer that may wait on the loop is one to a device, or the user has seen to it.
            else if (on_loop(choice) && facts.transfers)
                BOOST_TEST((facts.user_nowait || facts.direct_to_device));
        });
}

BOOST_AUTO_TEST_CASE(a_transfer_is_skipped_if_only_what_was_learned_keeps_it_off_the_loop)
{
    for_all_choices([](const path_facts& facts, const would_block&, const path_choice& choice) {
        would_block seeks;
        would_block nothing;
        if (choice.skipped)
        {
            BOOST_TEST(!on_loop(choice));
            BOOST_TEST(on_loop(choose_path(facts, seeks, nothing)));
        }
    });
}

BOOST_AUTO_TEST_CASE(a_starved_mount_leaves_to_helpers_what_needs_a_slot)
{
    path_facts sync = transfer();
    sync.transfers = false;
    sync.starved = true;
    BOOST_TEST(choose(sync) == path::helper_submission);

    path_facts direct = direct_transfer();
    direct.starved = true;
    BOOST_TEST(choose(direct) == path::helper_submission);
    direct.user_nowait = true;
    BOOST_TEST(choose(direct) == path::helper_submission);

    path_facts cached = cached_transfer();
    cached.starved = true;
    BOOST_TEST(choose(cached) == path::loop_try);
    cached.user_nowait = true;
    BOOST_TEST(choose(cached) == path::loop_try);
}

BOOST_AUTO_TEST_CASE(a_file_that_refuses_is_tried_again_after_some_operations)
{
    const path_facts facts = direct_transfer();
    would_block seeks;
    would_block learned = with_refusals(2);
    for (int i = 0; i != 2; ++i)
    {
        const path_choice choice = choose_path(facts, seeks, learned);
        BOOST_TEST(choice.skipped);
        BOOST_TEST(choice.where == path::helper_submission);
    }
    const path_choice choice = choose_path(facts, seeks, learned);
    BOOST_TEST(!choice.skipped);
    BOOST_TEST(choice.where == path::loop_submission);
}

BOOST_AUTO_TEST_CASE(a_seek_that_waits_keeps_what_is_submitted_off_the_loop)
{
    path_facts facts = direct_transfer();
    facts.seeks = true;
    would_block learned;
    would_block seeks = with_refusals(1);
    BOOST_TEST(choose_path(facts, seeks, learned).where == path::helper);
    BOOST_TEST(choose_path(facts, seeks, learned).where == path::loop_submission);

    facts = cached_transfer();
    facts.seeks = true;
    seeks = with_refusals(1);
    BOOST_TEST(choose_path(facts, seeks, learned).where == path::loop_try);
    BOOST_TEST(!seeks.trusted());
}

BOOST_AUTO_TEST_CASE(a_device_that_does_not_know_the_flag_is_submitted_to_without_it)
{
    path_facts facts = direct_transfer();
    facts.direct_to_device = true;
    would_block seeks;
    would_block learned = without_flag();
    const path_choice choice = choose_path(facts, seeks, learned);
    BOOST_TEST(choice.where == path::loop_submission);
    BOOST_TEST(!choice.adds_nowait);
}

BOOST_AUTO_TEST_CASE(the_common_path_is_the_path_of_each)
{
    for_all_facts([](const path_facts& facts) {
        for (const would_block& learned : all_learned())
        {
            const common_path common = choose_common_path(facts, learned);
            would_block seeks;
            would_block after = learned;
            const path_choice each = choose_path(facts, seeks, after);
            if (common.open)
            {
                BOOST_TEST(on_loop(each));
                BOOST_TEST(common.adds_nowait == each.adds_nowait);
                BOOST_TEST(!each.skipped);
                BOOST_TEST(after.trusted());
            }
            else if (learned.trusted())
            {
                BOOST_TEST(!on_loop(each));
            }
        }
    });
}

BOOST_AUTO_TEST_SUITE_END()
