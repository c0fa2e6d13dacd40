//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// The ring of completions, read from one that is made up here.

#include "kernel/completion_ring.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <cstdlib>
#include <new>
#include <thread>
#include <vector>

#include "support/environment_variable.hpp"

using kaio::detail::completion_event;
using kaio::detail::completion_ring;

namespace {

// The head of the kernel's ring: struct aio_ring.
struct ring_header
{
    std::uint32_t id = 0;
    std::uint32_t nr = 0;
    std::uint32_t head = 0;
    std::uint32_t tail = 0;
    std::uint32_t magic = 0xa10a10a1;
    std::uint32_t compat_features = 1;
    std::uint32_t incompat_features = 0;
    std::uint32_t header_length = sizeof(ring_header);
};

class made_up_ring
{
public:
    explicit made_up_ring(std::uint32_t places)
      : memory_((sizeof(ring_header) + places * sizeof(completion_event)) / sizeof(std::uint64_t))
    {
        ::unsetenv("KAIO_RING");
        new (memory_.data()) ring_header;
        header().nr = places;
    }

    ring_header& header()
    {
        return *reinterpret_cast<ring_header*>(memory_.data());
    }

    void* address()
    {
        return memory_.data();
    }

    // As the kernel does it: the event first, then the tail.
    void complete(std::uint64_t data, std::int64_t result)
    {
        auto* const events = reinterpret_cast<completion_event*>(&header() + 1);
        const std::uint32_t tail = header().tail;
        events[tail] = {data, 0, result, 0};
        __atomic_store_n(&header().tail, (tail + 1) % header().nr, __ATOMIC_RELEASE);
    }

    std::uint32_t free_places()
    {
        const std::uint32_t head = __atomic_load_n(&header().head, __ATOMIC_ACQUIRE);
        return (head + header().nr - header().tail - 1) % header().nr;
    }

private:
    std::vector<std::uint64_t> memory_;
};

std::vector<std::uint64_t> consume(completion_ring& ring)
{
    std::vector<std::uint64_t> result;
    const std::size_t count =
        ring.consume([&](const completion_event& event) { result.push_back(event.data); });
    BOOST_TEST(count == result.size());
    return result;
}

using numbers = std::vector<std::uint64_t>;

} // namespace

BOOST_AUTO_TEST_SUITE(completion_ring_)

BOOST_AUTO_TEST_CASE(an_empty_ring_gives_nothing_and_is_left_alone)
{
    made_up_ring made(4);
    completion_ring ring(made.address());
    BOOST_TEST_REQUIRE(ring.usable());
    BOOST_TEST(consume(ring).empty());
    BOOST_TEST(made.header().head == 0U);
}

BOOST_AUTO_TEST_CASE(events_come_in_order_and_their_places_are_given_back)
{
    made_up_ring made(8);
    completion_ring ring(made.address());
    made.complete(10, 4096);
    made.complete(11, -5);
    made.complete(12, 0);
    std::vector<std::int64_t> results;
    ring.consume([&](const completion_event& event) { results.push_back(event.result); });
    BOOST_TEST(results == (std::vector<std::int64_t>{4096, -5, 0}),
               boost::test_tools::per_element());
    BOOST_TEST(made.header().head == 3U);
    BOOST_TEST(made.free_places() == 7U);
    BOOST_TEST(consume(ring).empty());
}

BOOST_AUTO_TEST_CASE(a_ring_goes_round)
{
    for (const std::uint32_t places : {2U, 3U, 5U, 128U})
    {
        made_up_ring made(places);
        completion_ring ring(made.address());
        std::uint64_t next = 0;
        std::uint64_t expected = 0;
        for (int round = 0; round != 50; ++round)
        {
            while (made.free_places() != 0)
                made.complete(next++, 0);
            for (const std::uint64_t data : consume(ring))
                BOOST_TEST_REQUIRE(data == expected++);
        }
        BOOST_TEST(expected == next);
    }
}

BOOST_AUTO_TEST_CASE(what_completes_meanwhile_is_for_the_next_time)
{
    made_up_ring made(8);
    completion_ring ring(made.address());
    made.complete(1, 0);
    ring.consume([&](const completion_event&) { made.complete(2, 0); });
    BOOST_TEST(consume(ring) == (numbers{2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_unknown_layout_is_not_used)
{
    const auto usable = [](auto change) {
        made_up_ring made(8);
        change(made.header());
        return completion_ring(made.address()).usable();
    };
    BOOST_TEST(usable([](ring_header&) {}));
    BOOST_TEST(!usable([](ring_header& header) { header.magic = 0xa10a10a2; }));
    BOOST_TEST(!usable([](ring_header& header) { header.incompat_features = 1; }));
    BOOST_TEST(!usable([](ring_header& header) { header.header_length = 64; }));
    // In gVisor the page is there, but zero.
    BOOST_TEST(
        !usable([](ring_header& header) { header.magic = header.header_length = header.nr = 0; }));
    BOOST_TEST(usable([](ring_header& header) { header.compat_features = 3; }));
    BOOST_TEST(!completion_ring().usable());
}

BOOST_AUTO_TEST_CASE(the_environment_may_forbid_or_want_it)
{
    const auto usable = [](const char* choice) {
        made_up_ring made(8);
        const kaio::test::environment_variable wanted("KAIO_RING", choice);
        return completion_ring(made.address()).usable();
    };
    BOOST_TEST(!usable("off"));
    BOOST_TEST(usable("on"));
}

// One thread completes as the kernel does, another reads.
BOOST_AUTO_TEST_CASE(another_thread_completes_at_the_same_time)
{
    constexpr std::uint64_t most = 200000;
    made_up_ring made(64);
    completion_ring ring(made.address());
    std::thread kernel([&] {
        for (std::uint64_t i = 0; i != most;)
        {
            if (made.free_places() != 0)
                made.complete(i, static_cast<std::int64_t>(2 * i)), ++i;
            else
                std::this_thread::yield();
        }
    });
    std::uint64_t expected = 0;
    std::uint64_t wrong = 0;
    while (expected != most)
    {
        const std::size_t count = ring.consume([&](const completion_event& event) {
            wrong +=
                event.data != expected || event.result != static_cast<std::int64_t>(2 * expected);
            ++expected;
        });
        if (count == 0)
            std::this_thread::yield();
    }
    kernel.join();
    BOOST_TEST(wrong == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
