//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// A gate lets no turn begin once it is closed, and is closed when no other thread runs a turn.

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <kaio/detail/context/turn_gate.hpp>
#include <thread>

#include "support/child_process.hpp"
#include "support/gate.hpp"

using kaio::detail::turn_gate;

using namespace kaio::test;

BOOST_AUTO_TEST_SUITE(turn_gate_)

BOOST_AUTO_TEST_CASE(no_turn_begins_once_it_is_closed)
{
    turn_gate turns;
    {
        const turn_gate::passage before(turns, true);
        BOOST_TEST(bool(before));
    }
    turns.close();
    const turn_gate::passage after(turns, true);
    BOOST_TEST(!after);
    const turn_gate::passage unguarded(turns, false);
    BOOST_TEST(bool(unguarded));
}

BOOST_AUTO_TEST_CASE(closing_waits_for_the_turn_of_another_thread)
{
    turn_gate turns;
    gate begun;
    std::atomic<bool> ended{false};
    std::thread other([&] {
        const turn_gate::passage turn(turns, true);
        begun.open();
        // No turn may begin any more: it is being closed.
        while (turn_gate::passage(turns, true))
            std::this_thread::yield();
        for (int i = 0; i != 1000; ++i)
            std::this_thread::yield();
        ended = true;
    });
    begun.pass();
    turns.close();
    BOOST_TEST(ended);
    other.join();
}

// A handler may run its own context, or another one, and end the program there.
BOOST_AUTO_TEST_CASE(closing_does_not_wait_for_the_turns_of_its_own_thread)
{
    turn_gate turns;
    turn_gate others;
    const turn_gate::passage outer(turns, true);
    const turn_gate::passage between(others, true);
    const turn_gate::passage inner(turns, true);
    const turn_gate::passage innermost(others, true);
    turns.close();
    others.close();
    BOOST_TEST(!turn_gate::passage(turns, true));
}

BOOST_AUTO_TEST_CASE(a_child_does_not_wait_for_threads_that_it_does_not_have)
{
    turn_gate turns;
    gate begun;
    gate end;
    std::thread other([&] {
        const turn_gate::passage turn(turns, true);
        begun.open();
        end.pass();
    });
    begun.pass();
    const int status = run_in_child([&] {
        const turn_gate::passage own(turns, true);
        turns.begin_anew_in_child();
        turns.close();
        return 0;
    });
    BOOST_TEST(status == 0);
    end.open();
    other.join();
}

BOOST_AUTO_TEST_SUITE_END()
