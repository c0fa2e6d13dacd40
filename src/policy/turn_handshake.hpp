//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_POLICY_TURN_HANDSHAKE_HPP
#define KAIO_POLICY_TURN_HANDSHAKE_HPP

#include <array>
#include <atomic>
#include <cstddef>

namespace kaio {
namespace detail {

/// Who is to begin the next turn: the hand-shake between an engine and its execution context.
/**
 * A turn begins because it was posted, or because a wait for the wake event ended. A posted turn and
 * an armed wait keep the context at work: run() doesn't return. So while an operation is outstanding
 * there must be one of them, or a turn that is running.
 *
 * A decision is made under the engine's lock. What it asks for is done after the lock was left: until
 * then it is a promise. A promise that was made inside a turn is as good as kept, since the running
 * turn keeps the context at work. One that was made outside of turns is not: the context may run out
 * of work before it is kept. Nobody else may rely on it. Two callers may then both post a turn; one
 * turn too many finds nothing to do, and does no harm.
 *
 * All members need the engine's lock, except posted() and armed().
 */
class turn_handshake
{
public:
    /// What the owner of the engine has to do.
    enum class step
    {
        /// Nothing: a turn is certain to begin, or nobody needs one.
        none,

        /// Post a turn.
        post,

        /// Drain the wake event, then harvest, call drained(), and ask again.
        drain,

        /// Wait for the wake event.
        wait,

        /// Signal the wake event: it ends a wait for which there is no reason left.
        signal
    };

    /// How a turn begins that could not be posted.
    struct substitute
    {
        bool signal;
        bool wait;
    };

    turn_handshake() = default;

    turn_handshake(const turn_handshake& other) noexcept
    {
        *this = other;
    }

    turn_handshake& operator=(const turn_handshake& other) noexcept
    {
        asked_ = other.asked_;
        waits_ = other.waits_;
        signalled_ = other.signalled_;
        undrained_ = other.undrained_;
        unposted_.store(other.unposted_.load(std::memory_order_relaxed), std::memory_order_relaxed);
        unarmed_.store(other.unarmed_.load(std::memory_order_relaxed), std::memory_order_relaxed);
        return *this;
    }

    /// Outside of turns: something was given to the engine. True if the caller has to post a turn.
    bool ask() noexcept
    {
        if (turn_is_certain())
            return false;
        ++asked_;
        unposted_.fetch_add(1, std::memory_order_relaxed);
        return true;
    }

    /// The turn for which ask() returned true has been posted. Needs no lock.
    void posted() noexcept
    {
        unposted_.fetch_sub(1, std::memory_order_release);
    }

    /// Outside of turns: the turn for which ask() returned true can't be posted.
    /** If the caller has to wait, it calls armed() when it does. */
    substitute not_posted() noexcept
    {
        posted();
        const substitute result = begin_by_wait();
        if (result.wait)
            unarmed_.fetch_add(1, std::memory_order_relaxed);
        return result;
    }

    /// The wait that not_posted() wanted has begun. Needs no lock.
    void armed() noexcept
    {
        unarmed_.fetch_sub(1, std::memory_order_release);
    }

    /// In a turn: the turn that decide() wanted can't be posted.
    substitute not_posted_in_turn() noexcept
    {
        return begin_by_wait();
    }

    /// A turn begins that was posted.
    void begin_posted() noexcept
    {
        --asked_;
    }

    /// A turn begins because a wait has ended.
    void begin_woken() noexcept
    {
        --waits_;
        // Another turn may have drained it already.
        undrained_ = true;
    }

    /// Events were harvested. The kernel signals after it has put an event into the ring.
    void harvested() noexcept
    {
        signalled_ = undrained_ = true;
    }

    /// The wake event was drained, and the ring was harvested after that.
    /** The signals of those events may have been drained: they are not to be relied on. */
    void drained() noexcept
    {
        signalled_ = undrained_ = false;
    }

    /// Outside of the owner's threads: there is work. True if the caller has to signal.
    bool notify() noexcept
    {
        if (waits_ == 0 || signalled_)
            return false;
        signalled_ = undrained_ = true;
        return true;
    }

    /// Whether decide() would say none, whatever there is to do.
    bool turn_is_certain() const noexcept
    {
        return asked_ > unposted_.load(std::memory_order_acquire);
    }

    /// In a turn: what is to be done before this thread turns to something else.
    /**
     * @param work_left Whether a turn would find something to do now.
     * @param held How many operations others have: the kernel, helpers, another thread.
     */
    step decide(bool work_left, std::size_t held) noexcept
    {
        if (turn_is_certain())
            return step::none;
        if (work_left)
        {
            ++asked_;
            return step::post;
        }
        if (held == 0)
            return notify() ? step::signal : step::none;
        if (wait_is_certain())
            return step::none;
        if (undrained_)
            return step::drain;
        ++waits_;
        return step::wait;
    }

    /// In a turn, before something that may take long. True if another turn is to be posted.
    /** That one sees to the rest meanwhile, and finds out itself whether it has to wait. */
    bool hand_on(bool work_left) noexcept
    {
        if (turn_is_certain() || (!work_left && wait_is_certain()))
            return false;
        ++asked_;
        return true;
    }

    /// The waits that were promised don't count any more, although turns may still begin by them. Turns
    /// that were posted count. The wake event may have been signalled.
    void forget_waits() noexcept
    {
        waits_ = 0;
        unarmed_.store(0, std::memory_order_relaxed);
        signalled_ = false;
        undrained_ = true;
    }

    /// All that decisions depend on, for tests that go through all states.
    std::array<unsigned, 6> values() const noexcept
    {
        return {asked_,     unposted_.load(std::memory_order_relaxed),
                waits_,     unarmed_.load(std::memory_order_relaxed),
                signalled_, undrained_};
    }

private:
    bool wait_is_certain() const noexcept
    {
        return waits_ > unarmed_.load(std::memory_order_acquire);
    }

    substitute begin_by_wait() noexcept
    {
        --asked_;
        const substitute result{!signalled_, !wait_is_certain()};
        signalled_ = undrained_ = true;
        waits_ += result.wait;
        return result;
    }

    // Turns that were asked for and have not begun. Of these, how many may still have to be posted by
    // somebody outside of turns.
    unsigned asked_ = 0;
    std::atomic<unsigned> unposted_{0};

    // Waits that were promised and have not ended. Of these, how many may still have to be armed by
    // somebody outside of turns.
    unsigned waits_ = 0;
    std::atomic<unsigned> unarmed_{0};

    // The wake event holds a count, or the kernel is about to add one: each wait will end.
    bool signalled_ = false;

    // It may hold a count: a wait that begins now may end at once.
    bool undrained_ = false;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_POLICY_TURN_HANDSHAKE_HPP
