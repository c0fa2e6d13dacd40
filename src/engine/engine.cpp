//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <kaio/detail/engine.hpp>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <limits>
#include <new>
#include <utility>

#include <kaio/detail/setup_failure.hpp>

#include "engine/engine_implementation.hpp"

namespace kaio {
namespace detail {
namespace {

// Without threads the loop does what may wait, a little at a time.
constexpr std::size_t inline_work_per_turn = 16;
constexpr std::size_t all_there_is = std::numeric_limits<std::size_t>::max();

service_options checked(service_options options)
{
    if (options.max_in_flight == 0 || options.max_batch == 0)
        throw setup_failure(EINVAL, "max_in_flight and max_batch must not be 0");
    // One call for more saves nothing any more, and every thread has room for a batch.
    constexpr std::size_t largest_batch = 1024;
    options.max_batch = std::min(options.max_batch, largest_batch);
    return options;
}

} // namespace

engine::implementation::implementation(const service_options& options)
  : options_(checked(options)), batches_(options_.max_batch),
    workers_(mutex_, options.helper_threads, [this](lock_type& lock) { work(lock, all_there_is); })
{
    set_up_context(options_.require_kernel_aio);
}

void engine::implementation::set_up_context(bool required)
{
    try
    {
        context_.emplace(options_.max_in_flight);
        slots_.reset(context_->capacity());
        counters_.set_up(true, "");
    }
    catch (const std::exception& failure)
    {
        if (required)
            throw;
        counters_.set_up(false, failure.what());
    }
}

std::size_t engine::implementation::queued() const noexcept
{
    return queue_.size() + queue_.off_loop_size();
}

bool engine::implementation::work_left() const noexcept
{
    return !finished_.empty() || may_take_long();
}

// Whether a turn would find something to do now that may take long.
bool engine::implementation::may_take_long() const noexcept
{
    if (may_submit() || !to_be_moved_.empty())
        return true;
    return workers_.most() == 0 &&
           queue_.off_loop().any_of([this](const open_file& file) { return may_work_for(file); });
}

// One operation alone holds up nobody else.
bool engine::implementation::hand_on() noexcept
{
    const bool finished = !finished_.empty();
    const std::size_t others_hold = slots_.in_flight() + on_threads_ + queued();
    const bool others = others_hold + !to_be_moved_.empty() > 1 || to_be_moved_.has_several();
    return (finished || others) && may_take_long() && turns_.hand_on(finished);
}

void engine::implementation::submit_started(lock_type& lock) noexcept
{
    move_positions(lock);
    submit_from_loop(lock);
    harvest();
    move_positions(lock);
    counters_.queue_was(queued());
    if (workers_.most() == 0)
        work(lock, inline_work_per_turn);
}

next_step engine::implementation::plan_anew() noexcept
{
    return turns_.decide(
        [this] { return work_left(); },
        [this] { return slots_.in_flight() + on_threads_ + queue_.off_loop_size(); },
        [this] { harvest(); });
}

engine::engine(const service_options& options)
  : implementation_(std::make_unique<implementation>(options))
{
}

engine::~engine()
{
    shutdown();
    // The threads on which a copy in a child process would wait are not there.
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
    ++file.cancellations_;
    self.abort_waiting(file);
    return (!self.finished_.empty() || !self.to_be_moved_.empty()) && self.turns_.ask();
}

bool engine::cancel(cancellation_link& link) noexcept
{
    if (!link.target.load(std::memory_order_acquire) || is_foreign())
        return false;
    implementation& self = *implementation_;
    const implementation::guard_type lock(self.mutex_);
    operation_record* record = link.target.load(std::memory_order_relaxed);
    if (!record)
        return false;
    switch (record->state_)
    {
    case operation_state::waiting:
    case operation_state::waiting_off_loop:
        self.abort(*record);
        return self.turns_.ask();
    case operation_state::in_flight:
        record->cancelled_ = true;
        return false;
    case operation_state::created:
    case operation_state::finished:
        break;
    }
    return false;
}

void engine::connect(operation_record& record, cancellation_link& link) noexcept
{
    record.cancellation_ = &link;
    link.target.store(&record, std::memory_order_release);
}

void engine::disconnect(cancellation_link& link) noexcept
{
    if (!link.target.load(std::memory_order_acquire) || is_foreign())
        return;
    implementation& self = *implementation_;
    const implementation::guard_type lock(self.mutex_);
    if (operation_record* record = link.target.exchange(nullptr, std::memory_order_relaxed))
        record->cancellation_ = nullptr;
}

bool engine::start(operation_record& record, open_file& file) noexcept
{
    implementation& self = *implementation_;
    const implementation::guard_type lock(self.mutex_);
    record.file_ = &file;
    record.cancellations_ = file.cancellations_;
    self.files_.reference(file);
    if (record.kind_ == operation_kind::write && file.appends_)
        record.serial_ = true;
    if (record.kind_ == operation_kind::call)
        self.send_off_loop(record, path::helper);
    else
        self.queue_.push(record);
    self.counters_.started();
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
    operation_record* record = self.finished_.pop_front();
    if (!record)
        return {nullptr, next_step::none};

    if (record->cancellation_)
        record->cancellation_->target.store(nullptr, std::memory_order_release);
    self.files_.dereference(*record->file_);
    self.counters_.completed(record->kind_, record->result_);
    return {record, self.plan()};
}

next_step engine::end_turn() noexcept
{
    const implementation::guard_type lock(implementation_->mutex_);
    return implementation_->plan();
}

service_statistics engine::statistics() const
{
    const implementation::guard_type lock(implementation_->mutex_);
    return implementation_->counters_.read(implementation_->queued());
}

} // namespace detail
} // namespace kaio
