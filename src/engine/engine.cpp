//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <kaio/detail/context/engine.hpp>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <limits>
#include <new>
#include <utility>

#include <kaio/detail/context/setup_failure.hpp>

#include "engine/engine_implementation.hpp"

namespace kaio {
namespace detail {
namespace {

// Without helpers the loop does what may wait, a little at a time.
constexpr std::size_t inline_work_per_turn = 16;
constexpr std::size_t all_there_is = std::numeric_limits<std::size_t>::max();

service_options checked(service_options options)
{
    if (options.max_in_flight == 0 || options.max_batch == 0)
        throw setup_failure(EINVAL, "max_in_flight and max_batch must not be 0");
    // A larger batch saves nothing, and every thread has memory for one.
    constexpr std::size_t largest_batch = 1024;
    options.max_batch = std::min(options.max_batch, largest_batch);
    return options;
}

} // namespace

engine::implementation::implementation(const service_options& options)
  : options_(checked(options)), helpers_(mutex_, options.helper_threads, files_,
                                         [this](lock_type& lock) { help(lock, all_there_is); })
{
    submitter_.set_up(options_.require_kernel_aio);
}

bool engine::implementation::work_left() const noexcept
{
    return operations_.has_finished() || may_take_long();
}

bool engine::implementation::may_take_long() const noexcept
{
    return submitter_.may_submit_from_loop() || operations_.has_position_to_move() ||
           (!helpers_.allowed() && helper_work_.any());
}

// One operation alone holds up nobody else.
bool engine::implementation::hand_on() noexcept
{
    const bool finished = operations_.has_finished();
    const std::size_t others_hold = slots_.in_flight() + helpers_.operations() +
                                    operations_.queued() + operations_.has_position_to_move();
    const bool others = others_hold > 1 || operations_.has_several_positions_to_move();
    return (finished || others) && may_take_long() && turns_.hand_on(finished);
}

void engine::implementation::submit_started(lock_type& lock) noexcept
{
    operations_.move_positions(lock);
    submitter_.submit_from_loop(lock);
    harvest();
    operations_.move_positions(lock);
    counters_.queue_was(operations_.queued());
    if (!helpers_.allowed())
        help(lock, inline_work_per_turn);
}

next_step engine::implementation::plan_anew() noexcept
{
    const auto held_by_others = [this] {
        return slots_.in_flight() + helpers_.operations() + operations_.queue().off_loop_size();
    };
    return turns_.decide([this] { return work_left(); }, held_by_others, [this] { harvest(); });
}

void engine::implementation::help(lock_type& lock, std::size_t most) noexcept
{
    std::optional<submission_batch> batch;
    while (most != 0 && !helpers_.stopping() && helper_work_.work_once(batch, lock))
    {
        notify_owner();
        --most;
    }
}

void engine::implementation::notify_owner() noexcept
{
    // Not only for what has finished: there may be room for more.
    if (work_left())
        turns_.notify();
}

engine::engine(const service_options& options)
  : implementation_(std::make_unique<implementation>(options))
{
}

engine::~engine()
{
    shutdown();
    // In a child process the threads for which the destructor waits don't exist.
    if (is_foreign())
        implementation_.release();
}

int engine::wake_descriptor() const noexcept
{
    return implementation_->turns_.descriptor();
}

open_file& engine::no_file() noexcept
{
    return implementation_->files_.no_file();
}

bool engine::cancel(open_file& file) noexcept
{
    if (is_foreign())
        return false;
    implementation& self = *implementation_;
    const implementation::guard_type lock(self.mutex_);
    file.cancel();
    self.operations_.abort_waiting(file);
    return (self.operations_.has_finished() || self.operations_.has_position_to_move()) &&
           self.turns_.ask();
}

bool engine::cancel(cancellation_link& link) noexcept
{
    if (!link.target.load(std::memory_order_acquire) || is_foreign())
        return false;
    implementation& self = *implementation_;
    const implementation::guard_type lock(self.mutex_);
    operation_record* record = link.target.load(std::memory_order_relaxed);
    return record && self.operations_.cancel(*record) && self.turns_.ask();
}

void engine::connect(operation_record& record, cancellation_link& link) noexcept
{
    record.connect(link);
    link.target.store(&record, std::memory_order_release);
}

void engine::disconnect(cancellation_link& link) noexcept
{
    if (!link.target.load(std::memory_order_acquire) || is_foreign())
        return;
    implementation& self = *implementation_;
    const implementation::guard_type lock(self.mutex_);
    if (operation_record* record = link.target.exchange(nullptr, std::memory_order_relaxed))
        record->disconnect();
}

bool engine::start(operation_record& record, open_file& file) noexcept
{
    implementation& self = *implementation_;
    const implementation::guard_type lock(self.mutex_);
    self.operations_.start(record, file);
    return self.turns_.ask();
}

void engine::turn_posted() noexcept
{
    implementation_->turns_.posted();
}

bool engine::turn_not_posted() noexcept
{
    implementation& self = *implementation_;
    const implementation::guard_type lock(self.mutex_);
    return self.turns_.not_posted();
}

void engine::wait_armed() noexcept
{
    implementation_->turns_.armed();
}

bool engine::turn_not_posted_in_turn() noexcept
{
    implementation& self = *implementation_;
    const implementation::guard_type lock(self.mutex_);
    return self.turns_.not_posted_in_turn();
}

void engine::count_immediate(bool failed, int how_many) noexcept
{
    const implementation::guard_type lock(implementation_->mutex_);
    implementation_->counters_.completed_at_once(failed, how_many);
}

bool engine::begin_turn(turn_cause cause) noexcept
{
    implementation& self = *implementation_;
    implementation::lock_type lock(self.mutex_);
    self.turns_.begin(cause);
    self.harvest();
    if (self.hand_on())
        return true;
    self.submit_started(lock);
    return false;
}

void engine::submit_started() noexcept
{
    implementation::lock_type lock(implementation_->mutex_);
    implementation_->submit_started(lock);
}

finished_operation engine::take_finished() noexcept
{
    implementation& self = *implementation_;
    const implementation::guard_type lock(self.mutex_);
    operation_record* record = self.operations_.take_finished();
    return {record, record ? self.plan() : next_step::none};
}

next_step engine::end_turn() noexcept
{
    const implementation::guard_type lock(implementation_->mutex_);
    return implementation_->plan();
}

service_statistics engine::statistics() const
{
    const implementation::guard_type lock(implementation_->mutex_);
    return implementation_->counters_.read(implementation_->operations_.queued());
}

} // namespace detail
} // namespace kaio
