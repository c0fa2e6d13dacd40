//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <kaio/detail/engine.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include <kaio/detail/setup_failure.hpp>

#include "engine_implementation.hpp"

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
  : wake_event_(std::in_place), options_(checked(options)), process_(::getpid()),
    batches_(options_.max_batch),
    workers_(mutex_, options.helper_threads, [this](lock_type& lock) { work(lock, all_there_is); })
{
    no_file_.account_ = &accounts_.unopened();
    set_up_context(options_.require_kernel_aio);
}

engine::implementation::~implementation()
{
    if (placeholder_ != -1)
        ::close(placeholder_);
}

void engine::implementation::set_up_context(bool required)
{
    try
    {
        context_.emplace(options_.max_in_flight);
        slots_ = context_->capacity();
        statistics_.setup_error.clear();
    }
    catch (const setup_failure& failure)
    {
        if (required)
            throw;
        statistics_.setup_error = failure.what();
    }
    statistics_.kernel_aio = context_.has_value();
    submits_on_loop_ = context_ && options_.submission == submission_mode::on_loop;
}

// What is waited for may have been cancelled while it waited for a thread: nobody else will signal.
void engine::implementation::end_wait() noexcept
{
    if (waiting_ && !std::exchange(signalled_, true))
        wake_event_->signal();
}

std::size_t engine::implementation::queued() const noexcept
{
    return queue_.size() + queue_.off_loop_size();
}

bool engine::implementation::work_left() const noexcept
{
    if (!finished_.empty() || may_submit())
        return true;
    return workers_.most() == 0 &&
           queue_.off_loop().any_of([this](const open_file& file) { return may_work_for(file); });
}

next_step engine::implementation::turn_needed() noexcept
{
    turn_scheduled_ = true;
    ++unposted_turns_;
    return next_step::schedule_turn;
}

next_step engine::implementation::plan_anew() noexcept
{
    if (work_left())
        return turn_needed();
    const std::size_t held_by_others = in_flight_ + on_threads_ + queue_.off_loop_size();
    if (held_by_others == 0)
        end_wait();
    if (held_by_others == 0 || waiting_)
        return next_step::none;

    // A signal that is still there would end the wait at once, and one that comes after the last
    // harvest must end it: so first forget the signals, then look whether there is anything.
    if (signalled_)
    {
        wake_event_->drain();
        harvest();
        if (work_left())
            return turn_needed();
        signalled_ = false;
    }
    waiting_ = true;
    return next_step::wait;
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
    return implementation_->wake_event_->descriptor();
}

open_file& engine::no_file() noexcept
{
    return implementation_->no_file_;
}

bool engine::cancel(open_file& file) noexcept
{
    if (is_foreign())
        return false;
    implementation& self = *implementation_;
    const implementation::guard_type lock(self.mutex_);
    ++file.cancellations_;
    self.abort_waiting(file);
    return !self.finished_.empty() && self.request_turn();
}

bool engine::cancel(cancellation_link& link) noexcept
{
    if (!link.target.load(std::memory_order_acquire))
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
        return self.request_turn();
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
    if (!link.target.load(std::memory_order_acquire))
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
    ++file.references_;
    if (record.kind_ == operation_kind::write && file.appends_)
        record.serial_ = true;
    if (record.kind_ == operation_kind::call)
        self.send_off_loop(record, implementation::road::thread);
    else
        self.queue_.push(record);

    service_statistics& statistics = self.statistics_;
    if (++statistics.outstanding > statistics.outstanding_high_water)
        statistics.outstanding_high_water = statistics.outstanding;
    return self.request_turn();
}

void engine::turn_posted() noexcept
{
    --implementation_->unposted_turns_;
}

bool engine::wake_instead() noexcept
{
    implementation& self = *implementation_;
    const implementation::guard_type lock(self.mutex_);
    self.turn_scheduled_ = false;
    --self.unposted_turns_;
    self.wake_event_->signal();
    self.signalled_ = true;
    return !std::exchange(self.waiting_, true);
}

void engine::count_immediate(bool failed) noexcept
{
    implementation& self = *implementation_;
    const implementation::guard_type lock(self.mutex_);
    ++self.statistics_.operations_completed;
    ++self.statistics_.immediate_completions;
    self.statistics_.operations_failed += failed;
}

void engine::begin_turn(turn_cause cause) noexcept
{
    implementation& self = *implementation_;
    implementation::lock_type lock(self.mutex_);
    if (cause == turn_cause::woken)
    {
        self.waiting_ = false;
        self.signalled_ = true;
    }
    else
    {
        self.turn_scheduled_ = false;
    }
    self.harvest();
    self.submit_from_loop(lock);
    self.harvest();
    self.statistics_.queued_high_water =
        std::max(self.statistics_.queued_high_water, self.queued());
    if (self.workers_.most() == 0)
        self.work(lock, inline_work_per_turn);
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
    self.dereference(*record->file_);

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
