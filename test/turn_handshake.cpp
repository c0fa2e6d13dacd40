//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// A model of the engine and its execution context, in which only the hand-shake between them is
// real. Every order in which the steps of all threads can follow each other is gone through.

#include "policy/turn_handshake.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "support/scale.hpp"

using kaio::detail::turn_handshake;
using kaio::test::scale_percent;

namespace {

enum class progress : std::uint8_t
{
    not_started,
    queued,
    in_kernel,
    in_ring,
    on_helper,
    finished,
    taken,
    handled
};

/// Where a thread outside of the context is: one that starts or cancels an operation.
enum class outside : std::uint8_t
{
    begin,
    post,
    posted,
    arm,
    armed,
    returned
};

/// Where a thread is that runs the context.
enum class inside : std::uint8_t
{
    idle,
    post_before_submission,
    arm_before_submission,
    submit,
    submitting,
    take,
    post_before_handler,
    arm_before_handler,
    handler,
    end,
    post_at_end,
    arm_at_end
};

constexpr std::size_t operations = 3;
constexpr std::size_t threads = 2;

struct plan
{
    // The operations, and those that a helper carries out.
    std::size_t started = operations;
    std::array<bool, operations> by_helper{};

    // The first operation is cancelled by a thread of its own, if it still waits then.
    bool cancels = false;

    // How many posts fail.
    std::uint8_t failing_posts = 0;
};

/// One state of the whole.
template <typename Handshake>
struct state
{
    Handshake handshake;

    struct
    {
        std::array<progress, operations> operation{};
        std::array<bool, operations> signal_to_come{};
        std::array<outside, operations + 1> starter{};
        std::array<inside, threads> thread{};
        std::array<std::uint8_t, threads> taken_by{};
        std::uint8_t posted = 0;
        std::uint8_t waits = 0;
        std::uint8_t woken = 0;
        std::uint8_t failing_posts = 0;
        bool readable = false;
        bool edge = false;
    } at;

    // It makes no difference which of the context's threads is where.
    void order_threads()
    {
        if (at.thread[1] < at.thread[0] ||
            (at.thread[1] == at.thread[0] && at.taken_by[1] < at.taken_by[0]))
        {
            std::swap(at.thread[0], at.thread[1]);
            std::swap(at.taken_by[0], at.taken_by[1]);
        }
    }

    /// All of it in one number.
    std::uint64_t key() const
    {
        std::uint64_t result = 0;
        unsigned used = 0;
        const auto append = [&](auto value, unsigned bits) {
            const auto number = static_cast<std::uint64_t>(value);
            if (number >> bits != 0 || (used += bits) > 64)
                throw std::range_error("a state has no room in its key");
            result = result << bits | number;
        };
        for (std::size_t i = 0; i != operations; ++i)
        {
            append(at.operation[i], 3);
            append(at.signal_to_come[i], 1);
        }
        for (const outside o : at.starter)
            append(o, 3);
        for (std::size_t t = 0; t != threads; ++t)
        {
            append(at.thread[t], 4);
            append(at.taken_by[t], 2);
        }
        append(at.posted, 3);
        append(at.waits, 3);
        append(at.woken, 3);
        append(at.failing_posts, 2);
        append(at.readable, 1);
        append(at.edge, 1);
        constexpr std::array<unsigned, 6> bits = {3, 3, 3, 3, 1, 1};
        for (std::size_t i = 0; i != bits.size(); ++i)
            append(handshake.values()[i], bits[i]);
        return result;
    }
};

/// Goes through all states that a plan can lead to.
template <typename Handshake>
class model
{
public:
    explicit model(const plan& p) : plan_(p)
    {
    }

    /// The first violation, or nothing.
    std::string explore()
    {
        state_type first;
        first.at.failing_posts = plan_.failing_posts;
        for (std::size_t i = plan_.started; i != operations; ++i)
            first.at.starter[i] = outside::returned;
        if (!plan_.cancels)
            first.at.starter[operations] = outside::returned;

        visit(first);
        while (!path_.empty() && defect_.empty())
        {
            if (path_.back().next == path_.back().successors.size())
            {
                seen_[path_.back().key] = colour::done;
                path_.pop_back();
            }
            else
            {
                const state_type next = path_.back().successors[path_.back().next++];
                visit(next);
            }
        }
        return defect_;
    }

    std::size_t states() const
    {
        return seen_.size();
    }

private:
    using state_type = state<Handshake>;
    using step = turn_handshake::step;

    enum class colour
    {
        on_path,
        done
    };

    struct place
    {
        std::uint64_t key;
        std::vector<state_type> successors;
        std::size_t next;
    };

    void visit(const state_type& s)
    {
        const std::uint64_t key = s.key();
        const auto [found, is_new] = seen_.emplace(key, colour::on_path);
        if (!is_new)
        {
            if (found->second == colour::on_path)
                defect_ = "turns beget turns for ever";
            return;
        }
        check(s);
        path_.push_back({key, successors(s), 0});
        if (path_.back().successors.empty())
            check_end(s);
    }

    // Properties.

    static bool outstanding(const state_type& s, std::size_t i)
    {
        return s.at.operation[i] != progress::not_started &&
               s.at.operation[i] != progress::handled && s.at.starter[i] == outside::returned;
    }

    static bool in_turn(const state_type& s, std::size_t thread)
    {
        return s.at.thread[thread] != inside::idle;
    }

    void check(const state_type& s)
    {
        std::size_t left = 0;
        for (std::size_t i = 0; i != operations; ++i)
            left += outstanding(s, i);
        const bool to_come = s.at.posted != 0 || s.at.waits != 0 || s.at.woken != 0;
        bool turns = false;
        for (std::size_t t = 0; t != threads; ++t)
            turns = turns || in_turn(s, t);
        if (left != 0 && !to_come && !turns)
            defect_ = "run() may return with an operation outstanding";

        for (std::size_t t = 0; t != threads; ++t)
        {
            bool others = to_come;
            for (std::size_t other = 0; other != threads; ++other)
                others = others || (other != t && in_turn(s, other));
            if (s.at.thread[t] == inside::submitting && left > 1 && !others)
                defect_ = "nobody sees to the rest while a thread submits";
        }
    }

    void check_end(const state_type& s)
    {
        for (std::size_t i = 0; i != plan_.started; ++i)
        {
            if (s.at.operation[i] != progress::handled)
                defect_ = "a wake-up is lost";
        }
        if (s.at.waits != 0 && defect_.empty())
            defect_ = "run() doesn't end";
    }

    // Steps. Each happens at once: under the engine's lock, or as one call of the context.

    std::vector<state_type> successors(const state_type& s) const
    {
        std::vector<state_type> result;
        const auto after = [&](auto&& change) {
            state_type next = s;
            change(next);
            next.order_threads();
            result.push_back(next);
        };
        for (std::size_t i = 0; i != operations + 1; ++i)
            step_outside(s, i, after);
        for (std::size_t t = 0; t != threads; ++t)
            step_inside(s, t, after);
        for (std::size_t i = 0; i != operations; ++i)
            step_elsewhere(s, i, after);
        if (s.at.edge)
            after([](state_type& next) { react(next); });
        return result;
    }

    template <typename After>
    void step_outside(const state_type& s, std::size_t i, After& after) const
    {
        switch (s.at.starter[i])
        {
        case outside::begin:
            after([&](state_type& next) {
                bool ask = true;
                if (i == operations)
                    ask = cancel(next);
                else
                    next.at.operation[i] = progress::queued;
                next.at.starter[i] =
                    ask && next.handshake.ask() ? outside::post : outside::returned;
            });
            break;
        case outside::post:
            after([&](state_type& next) {
                ++next.at.posted;
                next.at.starter[i] = outside::posted;
            });
            if (s.at.failing_posts != 0)
            {
                after([&](state_type& next) {
                    --next.at.failing_posts;
                    const turn_handshake::substitute instead = next.handshake.not_posted();
                    if (instead.signal)
                        signal(next);
                    next.at.starter[i] = instead.wait ? outside::arm : outside::returned;
                });
            }
            break;
        case outside::posted:
            after([&](state_type& next) {
                next.handshake.posted();
                next.at.starter[i] = outside::returned;
            });
            break;
        case outside::arm:
            after([&](state_type& next) {
                arm(next);
                next.at.starter[i] = outside::armed;
            });
            break;
        case outside::armed:
            after([&](state_type& next) {
                next.handshake.armed();
                next.at.starter[i] = outside::returned;
            });
            break;
        case outside::returned:
            break;
        }
    }

    // Whether there is anything to tell anybody of.
    static bool cancel(state_type& s)
    {
        if (s.at.operation[0] == progress::queued)
            s.at.operation[0] = progress::finished;
        return count(s, progress::finished) != 0;
    }

    template <typename After>
    void step_inside(const state_type& s, std::size_t t, After& after) const
    {
        switch (s.at.thread[t])
        {
        case inside::idle:
            if (s.at.posted != 0)
            {
                after([&](state_type& next) {
                    --next.at.posted;
                    next.handshake.begin_posted();
                    begin(next, t);
                });
            }
            if (s.at.woken != 0)
            {
                after([&](state_type& next) {
                    --next.at.woken;
                    next.handshake.begin_woken();
                    begin(next, t);
                });
            }
            break;
        case inside::post_before_submission:
            post_inside(s, t, inside::arm_before_submission, inside::submit, after);
            break;
        case inside::arm_before_submission:
            arm_inside(t, inside::submit, after);
            break;
        case inside::submit:
            after([&](state_type& next) { submit(next, t); });
            break;
        case inside::submitting:
            after([&](state_type& next) {
                harvest(next);
                next.at.thread[t] = inside::take;
            });
            break;
        case inside::take:
            for (std::size_t i = 0; i != operations; ++i)
            {
                if (s.at.operation[i] == progress::finished)
                    after([&](state_type& next) { take(next, t, i); });
            }
            if (count(s, progress::finished) == 0)
                after([&](state_type& next) { next.at.thread[t] = inside::end; });
            break;
        case inside::post_before_handler:
            post_inside(s, t, inside::arm_before_handler, inside::handler, after);
            break;
        case inside::arm_before_handler:
            arm_inside(t, inside::handler, after);
            break;
        case inside::handler:
            // Enough of them, or an exception, ends the turn.
            for (const inside then : {inside::take, inside::end})
            {
                after([&](state_type& next) {
                    next.at.operation[next.at.taken_by[t]] = progress::handled;
                    next.at.taken_by[t] = 0;
                    next.at.thread[t] = then;
                });
            }
            break;
        case inside::end:
            after([&](state_type& next) {
                decide(next, t, inside::post_at_end, inside::arm_at_end, inside::idle);
            });
            break;
        case inside::post_at_end:
            post_inside(s, t, inside::arm_at_end, inside::idle, after);
            break;
        case inside::arm_at_end:
            arm_inside(t, inside::idle, after);
            break;
        }
    }

    template <typename After>
    static void post_inside(const state_type& s, std::size_t t, inside arm_instead, inside then,
                            After& after)
    {
        after([&](state_type& next) {
            ++next.at.posted;
            next.at.thread[t] = then;
        });
        if (s.at.failing_posts == 0)
            return;
        after([&](state_type& next) {
            --next.at.failing_posts;
            const turn_handshake::substitute instead = next.handshake.not_posted_in_turn();
            if (instead.signal)
                signal(next);
            next.at.thread[t] = instead.wait ? arm_instead : then;
        });
    }

    template <typename After>
    static void arm_inside(std::size_t t, inside then, After& after)
    {
        after([&](state_type& next) {
            arm(next);
            next.at.thread[t] = then;
        });
    }

    void begin(state_type& s, std::size_t t) const
    {
        harvest(s);
        const bool finished = count(s, progress::finished) != 0;
        const bool others = held(s) + count(s, progress::queued) > 1;
        const bool hands_on = count(s, progress::queued) != 0 && (finished || others) &&
                              s.handshake.hand_on(finished);
        if (hands_on)
            s.at.thread[t] = inside::post_before_submission;
        else
            submit(s, t);
    }

    void submit(state_type& s, std::size_t t) const
    {
        s.at.thread[t] = inside::take;
        for (std::size_t i = 0; i != operations; ++i)
        {
            if (s.at.operation[i] != progress::queued)
                continue;
            s.at.operation[i] = plan_.by_helper[i] ? progress::on_helper : progress::in_kernel;
            if (!plan_.by_helper[i])
                s.at.thread[t] = inside::submitting;
        }
    }

    static void take(state_type& s, std::size_t t, std::size_t i)
    {
        s.at.operation[i] = progress::taken;
        s.at.taken_by[t] = static_cast<std::uint8_t>(i);
        decide(s, t, inside::post_before_handler, inside::arm_before_handler, inside::handler);
    }

    static void decide(state_type& s, std::size_t t, inside post, inside wait, inside then)
    {
        s.at.thread[t] = then;
        switch (s.handshake.decide(work_left(s), held(s)))
        {
        case step::none:
            break;
        case step::post:
            s.at.thread[t] = post;
            break;
        case step::drain:
            s.at.readable = false;
            harvest(s);
            s.handshake.drained();
            decide(s, t, post, wait, then);
            break;
        case step::wait:
            s.at.thread[t] = wait;
            break;
        case step::signal:
            signal(s);
            break;
        }
    }

    // The kernel puts an event into the ring first, and then signals.
    template <typename After>
    static void step_elsewhere(const state_type& s, std::size_t i, After& after)
    {
        if (s.at.operation[i] == progress::in_kernel)
        {
            after([&](state_type& next) {
                next.at.operation[i] = progress::in_ring;
                next.at.signal_to_come[i] = true;
            });
        }
        if (s.at.signal_to_come[i])
        {
            after([&](state_type& next) {
                next.at.signal_to_come[i] = false;
                signal(next);
            });
        }
        if (s.at.operation[i] == progress::on_helper)
        {
            after([&](state_type& next) {
                next.at.operation[i] = progress::finished;
                if (next.handshake.notify())
                    signal(next);
            });
        }
    }

    // The reactor is edge-triggered, and looks again when a wait is armed.
    static void react(state_type& s)
    {
        s.at.edge = false;
        if (!s.at.readable)
            return;
        s.at.woken = static_cast<std::uint8_t>(s.at.woken + s.at.waits);
        s.at.waits = 0;
    }

    static void arm(state_type& s)
    {
        ++s.at.waits;
        s.at.edge = s.at.edge || s.at.readable;
    }

    static void signal(state_type& s)
    {
        s.at.readable = s.at.edge = true;
    }

    static void harvest(state_type& s)
    {
        for (progress& p : s.at.operation)
        {
            if (p != progress::in_ring)
                continue;
            p = progress::finished;
            s.handshake.harvested();
        }
    }

    static std::size_t count(const state_type& s, progress p)
    {
        std::size_t result = 0;
        for (const progress each : s.at.operation)
            result += each == p;
        return result;
    }

    static bool work_left(const state_type& s)
    {
        return count(s, progress::finished) != 0 || count(s, progress::queued) != 0;
    }

    static std::size_t held(const state_type& s)
    {
        return count(s, progress::in_kernel) + count(s, progress::in_ring) +
               count(s, progress::on_helper);
    }

    const plan plan_;
    std::string defect_;
    std::unordered_map<std::uint64_t, colour> seen_;
    std::vector<place> path_;
};

std::vector<plan> small_plans()
{
    std::vector<plan> result;
    for (const bool by_helper : {false, true})
    {
        result.push_back({2, {false, by_helper, false}, false, 0});
        result.push_back({2, {false, by_helper, false}, true, 0});
        result.push_back({2, {false, by_helper, false}, false, 1});
    }
    return result;
}

template <typename Handshake>
std::string defect_of()
{
    for (const plan& p : small_plans())
    {
        const std::string defect = model<Handshake>(p).explore();
        if (!defect.empty())
            return defect;
    }
    return {};
}

void check_all_orders(const plan& p)
{
    model<turn_handshake> m(p);
    BOOST_TEST(m.explore() == "");
    BOOST_TEST_MESSAGE(m.states() << " states");
    BOOST_TEST(m.states() > 50U);
}

} // namespace

BOOST_AUTO_TEST_CASE(no_order_of_two_operations_loses_anything)
{
    for (const plan& p : small_plans())
        check_all_orders(p);
}

BOOST_AUTO_TEST_CASE(no_order_loses_anything_if_two_turns_can_not_be_posted)
{
    check_all_orders({2, {false, true, false}, false, 2});
}

// Five million states.
BOOST_AUTO_TEST_CASE(no_order_of_three_operations_loses_anything)
{
    if (scale_percent() < 100)
        return;
    check_all_orders({3, {false, false, true}, false, 0});
}

namespace {

// As long as a turn has been asked for, others rely on it, though it may not have been posted.
struct relies_on_promised_turns : turn_handshake
{
    bool ask() noexcept
    {
        return values()[0] == 0 && turn_handshake::ask();
    }
};

struct counts_turns_as_posted_at_once : turn_handshake
{
    bool ask() noexcept
    {
        if (!turn_handshake::ask())
            return false;
        turn_handshake::posted();
        return true;
    }

    void posted() noexcept
    {
    }

    substitute not_posted() noexcept
    {
        const substitute result = turn_handshake::not_posted_in_turn();
        return result;
    }
};

struct counts_waits_as_armed_at_once : turn_handshake
{
    substitute not_posted() noexcept
    {
        const substitute result = turn_handshake::not_posted();
        if (result.wait)
            turn_handshake::armed();
        return result;
    }

    void armed() noexcept
    {
    }
};

struct waits_without_draining : turn_handshake
{
    step decide(bool work_left, std::size_t held) noexcept
    {
        const step result = turn_handshake::decide(work_left, held);
        if (result != step::drain)
            return result;
        turn_handshake::drained();
        return turn_handshake::decide(work_left, held);
    }
};

struct never_ends_a_wait : turn_handshake
{
    step decide(bool work_left, std::size_t held) noexcept
    {
        const step result = turn_handshake::decide(work_left, held);
        return result == step::signal ? step::none : result;
    }
};

struct never_notifies : turn_handshake
{
    bool notify() noexcept
    {
        return false;
    }
};

struct never_hands_on : turn_handshake
{
    bool hand_on(bool) noexcept
    {
        return false;
    }
};

struct does_not_signal_without_a_post : turn_handshake
{
    substitute not_posted() noexcept
    {
        substitute result = turn_handshake::not_posted();
        result.signal = false;
        return result;
    }
};

struct does_not_wait_without_a_post : turn_handshake
{
    substitute not_posted_in_turn() noexcept
    {
        substitute result = turn_handshake::not_posted_in_turn();
        result.wait = false;
        return result;
    }
};

} // namespace

// A model that finds nothing may be blind: it has to see what each of these does wrong.
BOOST_AUTO_TEST_CASE(the_model_sees_what_is_wrong)
{
    const std::string outstanding = "run() may return with an operation outstanding";
    BOOST_TEST(defect_of<relies_on_promised_turns>() == outstanding);
    BOOST_TEST(defect_of<counts_turns_as_posted_at_once>() == outstanding);
    BOOST_TEST(defect_of<counts_waits_as_armed_at_once>() == outstanding);
    BOOST_TEST(defect_of<never_ends_a_wait>() == "run() doesn't end");
    BOOST_TEST(defect_of<never_hands_on>() == "nobody sees to the rest while a thread submits");
    BOOST_TEST(defect_of<never_notifies>() == "a wake-up is lost");
    BOOST_TEST(!defect_of<does_not_signal_without_a_post>().empty());
    BOOST_TEST(!defect_of<does_not_wait_without_a_post>().empty());
    BOOST_TEST(!defect_of<waits_without_draining>().empty());
}
