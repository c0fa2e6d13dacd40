//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// The policy that judges how an attempt ended: all combinations of facts, and the usual results.

#include "policy/attempt_end.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cerrno>
#include <cstdint>

using namespace kaio::detail;

namespace {

constexpr std::uint64_t wanted = 4096;

attempt_facts transfer(attempt made, std::int64_t result)
{
    attempt_facts facts{};
    facts.made = made;
    facts.result = result;
    facts.wanted = wanted;
    facts.transfers = true;
    facts.added_nowait = made != attempt::helper;
    return facts;
}

bool is(const attempt_end& end, next_try next, lesson learned, retry_reason reason)
{
    return end.next == next && end.learned == learned && end.reason == reason;
}

template <typename Function>
void for_all_ends(Function&& f)
{
    using member = bool attempt_facts::*;
    constexpr std::array<member, 12> members = {
        &attempt_facts::transfers,        &attempt_facts::added_nowait,
        &attempt_facts::user_nowait,      &attempt_facts::user_flags,
        &attempt_facts::has_priority,     &attempt_facts::indivisible,
        &attempt_facts::at_end_of_file,   &attempt_facts::beyond_all_files,
        &attempt_facts::direct_to_device, &attempt_facts::others_in_flight,
        &attempt_facts::cancelled,        &attempt_facts::closed};
    constexpr std::array<std::int64_t, 12> results = {
        0, 1, 4095, 4096, -EAGAIN, -EOPNOTSUPP, -EINVAL, -ENOSYS, -EPERM, -EBADF, -ESPIPE, -EIO};
    for (const attempt made :
         {attempt::submission, attempt::refused_submission, attempt::loop_try, attempt::helper})
    {
        for (const std::int64_t result : results)
        {
            if (made == attempt::refused_submission && result >= 0)
                continue;
            for (unsigned bits = 0; bits != 1U << members.size(); ++bits)
            {
                attempt_facts facts{};
                facts.made = made;
                facts.result = result;
                facts.wanted = wanted;
                for (std::size_t i = 0; i != members.size(); ++i)
                    facts.*members[i] = (bits >> i & 1U) != 0;
                if (facts.added_nowait && (!facts.transfers || facts.user_nowait))
                    continue;
                f(facts, judge(facts));
            }
        }
    }
}

bool is_final(const attempt_end& end)
{
    return end.next == next_try::none || end.next == next_try::cancelled;
}

} // namespace

BOOST_AUTO_TEST_SUITE(attempt_end_)

BOOST_AUTO_TEST_CASE(what_did_all_that_was_wanted_is_finished)
{
    for (const attempt made : {attempt::submission, attempt::loop_try})
        BOOST_TEST(is(judge(transfer(made, wanted)), next_try::none, lesson::succeeded,
                      retry_reason::none));
    BOOST_TEST(is(judge(transfer(attempt::helper, wanted)), next_try::none, lesson::none,
                  retry_reason::none));
}

BOOST_AUTO_TEST_CASE(a_refusal_to_wait_sends_a_transfer_off_the_loop)
{
    for (const attempt made : {attempt::submission, attempt::loop_try})
        BOOST_TEST(is(judge(transfer(made, -EAGAIN)), next_try::off_loop, lesson::refused,
                      retry_reason::would_wait));
}

BOOST_AUTO_TEST_CASE(a_full_device_is_tried_again_when_others_have_ended)
{
    attempt_facts facts = transfer(attempt::submission, -EAGAIN);
    facts.direct_to_device = facts.others_in_flight = true;
    BOOST_TEST(is(judge(facts), next_try::on_loop, lesson::full_device, retry_reason::none));
    facts.cancelled = true;
    BOOST_TEST((judge(facts).next == next_try::off_loop));
    facts.cancelled = facts.others_in_flight = false;
    BOOST_TEST(is(judge(facts), next_try::off_loop, lesson::refused, retry_reason::would_wait));
}

BOOST_AUTO_TEST_CASE(what_was_cut_short_goes_on_off_the_loop)
{
    for (const attempt made : {attempt::submission, attempt::loop_try})
    {
        attempt_facts facts = transfer(made, 1024);
        BOOST_TEST(is(judge(facts), next_try::off_loop, lesson::none, retry_reason::cut_short));
        facts.at_end_of_file = true;
        BOOST_TEST(is(judge(facts), next_try::none, lesson::succeeded, retry_reason::none));
        facts.at_end_of_file = false;
        facts.indivisible = true;
        BOOST_TEST(is(judge(facts), next_try::none, lesson::succeeded, retry_reason::none));
        // Nothing at all is the end of the file.
        BOOST_TEST(
            is(judge(transfer(made, 0)), next_try::none, lesson::succeeded, retry_reason::none));
    }
}

BOOST_AUTO_TEST_CASE(a_file_that_does_not_know_the_flag_is_asked_without_it)
{
    for (const attempt made : {attempt::submission, attempt::loop_try, attempt::refused_submission})
    {
        attempt_facts facts = transfer(made, -EOPNOTSUPP);
        BOOST_TEST(
            is(judge(facts), next_try::off_loop, lesson::unknown_flag, retry_reason::unknown_flag));
        // It may be the user's flag that it doesn't know.
        facts.user_flags = true;
        BOOST_TEST(is(judge(facts), next_try::off_loop, lesson::none, retry_reason::unknown_flag));
    }
    attempt_facts device = transfer(attempt::refused_submission, -EOPNOTSUPP);
    device.direct_to_device = true;
    BOOST_TEST(is(judge(device), next_try::on_loop, lesson::unknown_flag, retry_reason::none));
}

BOOST_AUTO_TEST_CASE(a_call_that_is_not_known_says_so_of_the_flag)
{
    for (const std::int64_t error : {-EINVAL, -ENOSYS, -EPERM})
    {
        attempt_facts facts = transfer(attempt::loop_try, error);
        BOOST_TEST(
            is(judge(facts), next_try::off_loop, lesson::unknown_flag, retry_reason::unknown_flag));
        facts.beyond_all_files = true;
        BOOST_TEST(is(judge(facts), next_try::off_loop, lesson::none, retry_reason::unknown_flag));
        facts.beyond_all_files = false;
        facts.user_flags = true;
        BOOST_TEST(is(judge(facts), next_try::off_loop, lesson::none, retry_reason::unknown_flag));
    }
}

BOOST_AUTO_TEST_CASE(what_io_submit_does_not_take_goes_to_a_system_call)
{
    for (const std::int64_t error : {-EINVAL, -ENOSYS, -EPERM})
    {
        attempt_facts facts = transfer(attempt::refused_submission, error);
        BOOST_TEST(is(judge(facts), next_try::by_system_call, lesson::refused_by_aio,
                      retry_reason::unsupported));
        facts.transfers = facts.added_nowait = false;
        BOOST_TEST(
            is(judge(facts), next_try::by_system_call, lesson::none, retry_reason::unsupported));
    }
    attempt_facts facts = transfer(attempt::refused_submission, -EOPNOTSUPP);
    facts.added_nowait = false;
    BOOST_TEST(is(judge(facts), next_try::by_system_call, lesson::none, retry_reason::unsupported));

    // The user sees what only io_submit can say.
    facts = transfer(attempt::refused_submission, -EINVAL);
    facts.has_priority = true;
    BOOST_TEST((judge(facts).next == next_try::none));
    facts.has_priority = facts.added_nowait = false;
    facts.user_nowait = true;
    BOOST_TEST((judge(facts).next == next_try::none));
}

BOOST_AUTO_TEST_CASE(a_file_that_takes_no_offset_is_left_to_a_thread)
{
    attempt_facts facts = transfer(attempt::loop_try, -ESPIPE);
    BOOST_TEST((judge(facts).next == next_try::none));
    facts.seeks = true;
    BOOST_TEST(is(judge(facts), next_try::off_loop, lesson::none, retry_reason::unsupported));
}

BOOST_AUTO_TEST_CASE(an_operation_that_came_after_its_file_was_closed_is_cancelled)
{
    for (const attempt made : {attempt::loop_try, attempt::helper})
    {
        attempt_facts facts = transfer(made, -EBADF);
        BOOST_TEST((judge(facts).next == next_try::none));
        facts.closed = true;
        BOOST_TEST((judge(facts).next == next_try::cancelled));
    }
}

BOOST_AUTO_TEST_CASE(a_submission_that_is_refused_after_a_cancellation_is_cancelled)
{
    for_all_ends([](const attempt_facts& facts, const attempt_end& end) {
        if (facts.made == attempt::refused_submission && facts.cancelled)
            BOOST_TEST((end.next == next_try::cancelled));
    });
}

// A user who asks the kernel not to wait, or leaves the call to a helper, sees its result.
BOOST_AUTO_TEST_CASE(an_attempt_that_may_wait_is_the_last)
{
    for_all_ends([](const attempt_facts& facts, const attempt_end& end) {
        const bool may_wait = !facts.added_nowait && facts.made != attempt::refused_submission;
        if (may_wait || facts.made == attempt::helper)
            BOOST_TEST(is_final(end));
    });
}

BOOST_AUTO_TEST_CASE(what_is_indivisible_is_never_continued)
{
    for_all_ends([](const attempt_facts& facts, const attempt_end& end) {
        if (facts.indivisible && facts.result > 0)
            BOOST_TEST(is_final(end));
    });
}

BOOST_AUTO_TEST_CASE(a_further_attempt_off_the_loop_has_a_reason)
{
    for_all_ends([](const attempt_facts&, const attempt_end& end) {
        const bool off_loop =
            end.next == next_try::off_loop || end.next == next_try::by_system_call;
        BOOST_TEST((end.reason != retry_reason::none) == off_loop);
    });
}

BOOST_AUTO_TEST_CASE(only_an_attempt_not_to_wait_shows_whether_a_file_waits)
{
    for_all_ends([](const attempt_facts& facts, const attempt_end& end) {
        if (!facts.added_nowait)
            BOOST_TEST((end.learned == lesson::none || end.learned == lesson::refused_by_aio));
        if (end.learned == lesson::full_device)
            BOOST_TEST(facts.direct_to_device);
    });
}

BOOST_AUTO_TEST_SUITE_END()
