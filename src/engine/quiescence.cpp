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
            answers = submitter_.wait_for_completions();
        operations_.move_positions(lock);
        if (operations_.stopping())
            operations_.abort_all_waiting();
    } while ((slots_.in_flight() != 0 && answers) || operations_.has_position_to_move());
}

void engine::shutdown() noexcept
{
    if (is_foreign())
        return;
    implementation& self = *implementation_;
    implementation::lock_type lock(self.mutex_);
    self.operations_.stop();
    self.operations_.abort_all_waiting();
    self.helpers_.stop(lock);
    self.wait_until_idle(lock);
}

int engine::wake_descriptor_of_child()
{
    implementation& self = *implementation_;
    const implementation::lock_type lock(self.mutex_);
    return self.turns_.descriptor_of_child();
}

void engine::forget_descriptor_of_child() noexcept
{
    implementation& self = *implementation_;
    const implementation::lock_type lock(self.mutex_);
    self.turns_.resume(false);
}

void engine::prepare_fork() noexcept
{
    implementation& self = *implementation_;
    implementation::lock_type lock(self.mutex_);
    self.helpers_.stop(lock);
    self.wait_until_idle(lock);
    self.turns_.forget_waits();
}

bool engine::resume_in_parent() noexcept
{
    implementation& self = *implementation_;
    const implementation::lock_type lock(self.mutex_);
    self.turns_.resume(false);
    self.helpers_.resume();
    for (std::size_t i = self.operations_.queue().off_loop_size(); i != 0; --i)
        self.operations_.wake_helper();
    return self.turns_.ask();
}

bool engine::resume_in_child() noexcept
{
    implementation& self = *implementation_;
    const implementation::lock_type lock(self.mutex_);
    self.turns_.resume(true);
    self.submitter_.abandon();
    self.operations_.abort_all_as_child();
    self.process_ = process_identity::current();
    self.helpers_.resume();
    self.submitter_.set_up(false);
    return self.turns_.ask();
}

bool engine::is_foreign() const noexcept
{
    return implementation_->process_ != process_identity::current();
}

} // namespace detail
} // namespace kaio
