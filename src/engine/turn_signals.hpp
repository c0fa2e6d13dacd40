//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_ENGINE_TURN_SIGNALS_HPP
#define KAIO_ENGINE_TURN_SIGNALS_HPP

#include <optional>

#include <kaio/detail/context/engine.hpp>

#include "kernel/wake_event.hpp"
#include "policy/turn_handshake.hpp"

namespace kaio {
namespace detail {

/// How the owner of an engine gets its turns: by asking for them, or by the wake event.
/** All functions are called with the engine's lock held, but posted(), armed() and descriptor(). */
class turn_signals
{
public:
    /// Throws setup_failure if the kernel refuses the eventfd.
    turn_signals() = default;

    /// The eventfd that is readable when the owner is to begin a turn.
    int descriptor() const noexcept
    {
        return event_.descriptor();
    }

    /// Outside of turns: there is work. True if the caller has to post a turn.
    bool ask() noexcept
    {
        return handshake_.ask();
    }

    /// The turn that ask() wanted has been posted.
    void posted() noexcept
    {
        handshake_.posted();
    }

    /// It can't be posted. True if the caller has to wait for the event, and to call armed() then.
    bool not_posted() noexcept
    {
        return begin_by_wait(handshake_.not_posted());
    }

    void armed() noexcept
    {
        handshake_.armed();
    }

    /// In a turn: the one that was to be scheduled can't be posted. True if the caller has to wait.
    bool not_posted_in_turn() noexcept
    {
        return begin_by_wait(handshake_.not_posted_in_turn());
    }

    /// A turn begins.
    void begin(turn_cause cause) noexcept
    {
        if (cause == turn_cause::woken)
            handshake_.begin_woken();
        else
            handshake_.begin_posted();
    }

    /// Completions were harvested. The kernel signals after it has put one into the ring.
    void harvested() noexcept
    {
        handshake_.harvested();
    }

    /// Whether a turn will begin, whatever there is to do.
    bool turn_is_certain() const noexcept
    {
        return handshake_.turn_is_certain();
    }

    /// In a turn, before something that may take long. True if another turn is to be posted.
    bool hand_on(bool work_left) noexcept
    {
        return handshake_.hand_on(work_left);
    }

    /// In a turn: what the owner does before it turns to something else.
    /**
     * @param work_left() Whether a turn would find something to do now.
     * @param held() How many operations others have.
     * @param harvest() Takes what has completed.
     */
    template <typename WorkLeft, typename Held, typename Harvest>
    next_step decide(WorkLeft&& work_left, Held&& held, Harvest&& harvest) noexcept
    {
        for (;;)
        {
            switch (handshake_.decide(work_left(), held()))
            {
            case turn_handshake::step::none:
                return next_step::none;
            case turn_handshake::step::post:
                return next_step::schedule_turn;
            case turn_handshake::step::wait:
                return next_step::wait;
            case turn_handshake::step::signal:
                event_.signal();
                return next_step::none;
            case turn_handshake::step::drain:
                // In this order: what completes after the harvest signals after the drain.
                event_.drain();
                harvest();
                handshake_.drained();
            }
        }
    }

    /// Outside of the owner's threads: there is work.
    void notify() noexcept
    {
        if (handshake_.notify())
            event_.signal();
    }

    /// Before a fork: make the child's eventfd. Throws setup_failure.
    int descriptor_of_child()
    {
        if (!event_of_child_)
            event_of_child_.emplace();
        return event_of_child_->descriptor();
    }

    /// Before a fork: no wait for the event counts any more.
    void forget_waits() noexcept
    {
        handshake_.forget_waits();
    }

    /// After a fork: the child has its own eventfd, and the parent keeps the one it had.
    void resume(bool in_child) noexcept
    {
        if (in_child && event_of_child_)
            event_.swap(*event_of_child_);
        event_of_child_.reset();
    }

private:
    bool begin_by_wait(turn_handshake::substitute instead) noexcept
    {
        if (instead.signal)
            event_.signal();
        return instead.wait;
    }

    turn_handshake handshake_;
    wake_event event_;

    // Made before a fork, so that the child is sure to have one.
    std::optional<wake_event> event_of_child_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_ENGINE_TURN_SIGNALS_HPP
