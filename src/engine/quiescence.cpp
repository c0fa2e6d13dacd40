//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Waiting until nobody else holds an operation: at the end, and around a fork.

#include "engine/engine_implementation.hpp"

namespace kaio {
namespace detail {

// Completed operations may let others come forward that waited for them.
void engine::implementation::wait_until_idle(lock_type& lock) noexcept
{
    bool answers = true;
    do
    {
        while (slots_.in_flight() != 0 && answers)
            answers = context_ && context_->wait([this](std::uint64_t data, std::int64_t result) {
                completed(record_of(data), result);
            });
        move_positions(lock);
        if (stopping_)
            abort_all_waiting();
    } while ((slots_.in_flight() != 0 && answers) || !to_be_moved_.empty());
}

void engine::shutdown() noexcept
{
    if (is_foreign())
        return;
    implementation& self = *implementation_;
    implementation::lock_type lock(self.mutex_);
    self.stopping_ = true;
    self.abort_all_waiting();
    self.workers_.stop(lock);
    self.wait_until_idle(lock);
}

int engine::wake_descriptor_of_child()
{
    implementation& self = *implementation_;
    const implementation::lock_type lock(self.mutex_);
    return self.turns_.descriptor_of_child();
}

void engine::prepare_fork() noexcept
{
    implementation& self = *implementation_;
    implementation::lock_type lock(self.mutex_);
    self.workers_.stop(lock);
    self.wait_until_idle(lock);
    self.turns_.forget_waits();
}

bool engine::resume_in_parent() noexcept
{
    implementation& self = *implementation_;
    const implementation::lock_type lock(self.mutex_);
    self.turns_.resume(false);
    self.workers_.resume();
    for (std::size_t i = self.queue_.off_loop_size(); i != 0; --i)
        self.call_worker();
    return self.turns_.ask();
}

bool engine::resume_in_child() noexcept
{
    implementation& self = *implementation_;
    const implementation::lock_type lock(self.mutex_);
    self.turns_.resume(true);
    // The ring is shared with the parent: it must not even be looked at.
    if (self.context_)
        self.context_->abandon();
    self.context_.reset();
    self.abort_all_waiting();
    self.process_ = process_identity::current();
    self.workers_.resume();
    self.slots_.reset(0);
    self.set_up_context(false);
    return self.turns_.ask();
}

bool engine::is_foreign() const noexcept
{
    return implementation_->process_ != process_identity::current();
}

} // namespace detail
} // namespace kaio
