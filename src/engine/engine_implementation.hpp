//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_ENGINE_ENGINE_IMPLEMENTATION_HPP
#define KAIO_ENGINE_ENGINE_IMPLEMENTATION_HPP

#include <cstddef>
#include <mutex>

#include <kaio/detail/context/engine.hpp>

#include "engine/batch_filler.hpp"
#include "engine/file_table.hpp"
#include "engine/helper_table.hpp"
#include "engine/helper_work.hpp"
#include "engine/operation_table.hpp"
#include "engine/service_counters.hpp"
#include "engine/slot_table.hpp"
#include "engine/submitter.hpp"
#include "engine/turn_signals.hpp"
#include "kernel/mutex.hpp"
#include "kernel/process_identity.hpp"

namespace kaio {
namespace detail {

/// The lock of an engine, the parts that it protects, and the order of their steps.
/** All functions are called with the lock held. */
class engine::implementation
{
public:
    using lock_type = std::unique_lock<mutex>;
    using guard_type = std::lock_guard<mutex>;

    explicit implementation(const service_options& options);

    /// Take what has completed.
    void harvest() noexcept
    {
        if (submitter_.harvest() != 0)
            turns_.harvested();
    }

    /// Whether a turn would find something to do now.
    bool work_left() const noexcept;

    /// Whether it would find something that may take long.
    bool may_take_long() const noexcept;

    /// In a turn, before what may take long: whether another turn is to be posted.
    bool hand_on() noexcept;

    /// Submit what was started and what there is room for.
    void submit_started(lock_type& lock) noexcept;

    /// What has to be done so that no completion and no operation is left to itself.
    next_step plan() noexcept
    {
        return turns_.turn_is_certain() ? next_step::none : plan_anew();
    }

    /// Do what helpers do, so many times at most.
    void help(lock_type& lock, std::size_t most) noexcept;

    /// Outside of turns: the owner has to know if there is something to do.
    void notify_owner() noexcept;

    /// Wait until nobody else holds an operation.
    void wait_until_idle(lock_type& lock) noexcept;

    mutex mutex_;
    const service_options options_;
    process_identity process_ = process_identity::current();
    service_counters counters_;
    turn_signals turns_;
    file_table files_;
    slot_table slots_{files_};
    helper_table helpers_;
    operation_table operations_{files_, slots_, helpers_, counters_};
    batch_filler filler_{options_, turns_, files_, slots_, helpers_, operations_, counters_};
    submitter submitter_{options_, files_, slots_, operations_, filler_, counters_};
    helper_work helper_work_{options_,    files_,  slots_,     helpers_,
                             operations_, filler_, submitter_, counters_};

private:
    [[gnu::noinline]] next_step plan_anew() noexcept;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_ENGINE_ENGINE_IMPLEMENTATION_HPP
