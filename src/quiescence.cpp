//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Waiting until nobody else holds an operation: at the end, and around a fork.

#include <unistd.h>

#include "engine_implementation.hpp"

namespace kaio {
namespace detail {

void engine::implementation::wait_for_kernel() noexcept
{
    while (in_flight_ != 0)
        context_->wait(
            [this](operation_record& record, std::int64_t result) { completed(record, result); });
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
    // What completes may let others come forward that waited for it.
    do
    {
        self.wait_for_kernel();
        self.move_positions(lock);
        self.abort_all_waiting();
    } while (self.in_flight_ != 0 || !self.to_be_moved_.empty());
}

void engine::prepare_fork() noexcept
{
    implementation& self = *implementation_;
    implementation::lock_type lock(self.mutex_);
    self.workers_.stop(lock);
    do
    {
        self.wait_for_kernel();
        self.move_positions(lock);
    } while (self.in_flight_ != 0 || !self.to_be_moved_.empty());
}

bool engine::resume_in_parent() noexcept
{
    implementation& self = *implementation_;
    const implementation::lock_type lock(self.mutex_);
    self.workers_.resume();
    for (std::size_t i = self.queue_.off_loop_size(); i != 0; --i)
        self.call_worker();
    return self.turns_.ask();
}

bool engine::resume_in_child()
{
    implementation& self = *implementation_;
    const implementation::lock_type lock(self.mutex_);
    // The ring is shared with the parent: it must not even be looked at.
    if (self.context_)
        self.context_->abandon();
    self.context_.reset();
    self.submits_on_loop_ = self.submits_writes_on_loop_ = false;
    self.abort_all_waiting();
    self.process_ = ::getpid();
    self.workers_.resume();
    self.turns_.forget_waits();
    self.congested_ = self.worker_wants_slot_ = false;
    self.wake_event_.reset();
    self.wake_event_.emplace();
    self.set_up_context(false);
    return self.turns_.ask();
}

bool engine::is_foreign() const noexcept
{
    return implementation_->process_ != ::getpid();
}

} // namespace detail
} // namespace kaio
