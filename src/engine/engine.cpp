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
    statistics_.setup_error.clear();
    try
    {
        context_.emplace(options_.max_in_flight);
        slots_.reset(context_->capacity());
    }
    catch (const std::exception& failure)
    {
        if (required)
            throw;
        note_setup_error(failure.what());
    }
    statistics_.kernel_aio = context_.has_value();
    submits_on_loop_ = context_ && options_.submission != submission_mode::on_thread;
    submits_writes_on_loop_ = context_ && options_.submission == submission_mode::on_loop;
}

void engine::implementation::note_setup_error(const char* text) noexcept
{
    try
    {
        statistics_.setup_error = text;
    }
    catch (const std::bad_alloc&)
    {
        statistics_.setup_error.clear();
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
    statistics_.queued_high_water = std::max(statistics_.queued_high_water, queued());
    if (workers_.most() == 0)
        work(lock, inline_work_per_turn);
}

next_step engine::implementation::plan_anew() noexcept
{
    for (;;)
    {
        using step = turn_handshake::step;
        const std::size_t held_by_others =
            slots_.in_flight() + on_threads_ + queue_.off_loop_size();
        switch (turns_.decide(work_left(), held_by_others))
        {
        case step::none:
            return next_step::none;
        case step::post:
            return next_step::schedule_turn;
        case step::wait:
            return next_step::wait;
        case step::signal:
            wake_event_.signal();
            return next_step::none;
        case step::drain:
            // In this order: what completes after the harvest signals after the drain.
            wake_event_.drain();
            harvest();
            turns_.drained();
        }
    }
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
    return implementation_->wake_event_.descriptor();
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

    service_statistics& statistics = self.statistics_;
    if (++statistics.outstanding > statistics.outstanding_high_water)
        statistics.outstanding_high_water = statistics.outstanding;
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
    const turn_handshake::substitute instead = self.turns_.not_posted();
    if (instead.signal)
        self.wake_event_.signal();
    return instead.wait;
}

void engine::wait_armed() noexcept
{
    implementation_->turns_.armed();
}

bool engine::turn_not_posted_in_turn() noexcept
{
    implementation& self = *implementation_;
    const implementation::guard_type lock(self.mutex_);
    const turn_handshake::substitute instead = self.turns_.not_posted_in_turn();
    if (instead.signal)
        self.wake_event_.signal();
    return instead.wait;
}

void engine::count_immediate(bool failed) noexcept
{
    implementation& self = *implementation_;
    const implementation::guard_type lock(self.mutex_);
    ++self.statistics_.operations_completed;
    ++self.statistics_.immediate_completions;
    self.statistics_.operations_failed += failed;
}

void engine::uncount_immediate(bool failed) noexcept
{
    implementation& self = *implementation_;
    const implementation::guard_type lock(self.mutex_);
    --self.statistics_.operations_completed;
    --self.statistics_.immediate_completions;
    self.statistics_.operations_failed -= failed;
}

bool engine::begin_turn(turn_cause cause) noexcept
{
    implementation& self = *implementation_;
    implementation::lock_type lock(self.mutex_);
    if (cause == turn_cause::woken)
        self.turns_.begin_woken();
    else
        self.turns_.begin_posted();
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

    service_statistics& statistics = self.statistics_;
    --statistics.outstanding;
    ++statistics.operations_completed;
    if (record->result_ >= 0)
        self.results_[static_cast<std::size_t>(record->kind_)] +=
            static_cast<std::uint64_t>(record->result_);
    else if (record->result_ == -ECANCELED)
        ++statistics.operations_cancelled;
    else
        ++statistics.operations_failed;
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
    service_statistics result = implementation_->statistics_;
    result.queued = implementation_->queued();
    result.operations_started = result.operations_completed + result.outstanding;
    result.bytes_read = implementation_->results_[static_cast<std::size_t>(operation_kind::read)];
    result.bytes_written =
        implementation_->results_[static_cast<std::size_t>(operation_kind::write)];
    result.would_block_fallbacks =
        result.refused_fallbacks + result.unknown_flag_fallbacks + result.short_fallbacks;
    return result;
}

} // namespace detail
} // namespace kaio
