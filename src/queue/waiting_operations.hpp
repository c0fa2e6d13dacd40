//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_QUEUE_WAITING_OPERATIONS_HPP
#define KAIO_QUEUE_WAITING_OPERATIONS_HPP

#include "queue/record_list.hpp"

namespace kaio {
namespace detail {

/// The operations of one file that are queued: for the loop, concurrent and serial ones, and for helpers.
class waiting_operations
{
public:
    /// Any operation that is queued, or nullptr.
    operation_record* any() const noexcept
    {
        if (!concurrent_.empty())
            return concurrent_.front();
        return !serial_.empty() ? serial_.front() : off_loop_.front();
    }

    // For the loop.

    /// Whether an operation waits that may be taken now.
    bool ready() const noexcept
    {
        return !concurrent_.empty() || (!serial_.empty() && !serial_busy_);
    }

    bool has_serial() const noexcept
    {
        return !serial_.empty();
    }

    /// Whether the next operation is a serial one. Both kinds have their turns.
    bool next_is_serial() const noexcept
    {
        return !serial_.empty() && !serial_busy_ && (serial_next_ || concurrent_.empty());
    }

    /// The next operation of a file that is ready.
    const operation_record& next() const noexcept
    {
        return next_is_serial() ? *serial_.front() : *concurrent_.front();
    }

    /// The first concurrent operation, or nullptr.
    operation_record* first_concurrent() const noexcept
    {
        return concurrent_.front();
    }

    void push(operation_record& record) noexcept
    {
        lane(record).push_back(record);
    }

    /// Put an operation back to the front of its queue. It is not under way any more.
    void put_back(operation_record& record) noexcept
    {
        if (record.progress().has_turn)
            serial_finished(record);
        lane(record).push_front(record);
    }

    void erase(operation_record& record) noexcept
    {
        lane(record).erase(record);
    }

    operation_record& pop_concurrent() noexcept
    {
        return *concurrent_.pop_front();
    }

    /// Take the concurrent operations before one of them, or all if there is none.
    void pop_concurrent_before(operation_record* record) noexcept
    {
        concurrent_.pop_before(record);
    }

    /// Take the next operation of a file that is ready.
    operation_record& pop_next() noexcept
    {
        const bool serial = next_is_serial();
        serial_next_ = !serial;
        if (!serial)
            return pop_concurrent();
        operation_record& record = *serial_.pop_front();
        record.progress().has_turn = true;
        serial_busy_ = true;
        return record;
    }

    /// A serial operation that was taken has ended: the next one may follow.
    void serial_finished(operation_record& record) noexcept
    {
        record.progress().has_turn = false;
        serial_busy_ = false;
    }

    // For helpers.

    /// The first operation, or nullptr.
    operation_record* first_off_loop() const noexcept
    {
        return off_loop_.front();
    }

    /// Whether the next thing for a helper to do is to submit.
    bool helper_submits_next() const noexcept
    {
        return !off_loop_.empty() &&
               off_loop_.front()->progress().state == operation_state::queued_for_submission;
    }

    void push_off_loop(operation_record& record, bool may_be_prefetched) noexcept
    {
        off_loop_.push_back(record);
        if (!next_to_prefetch_ && may_be_prefetched)
            next_to_prefetch_ = &record;
    }

    void put_back_off_loop(operation_record& record) noexcept
    {
        off_loop_.push_front(record);
    }

    void erase_off_loop(operation_record& record) noexcept
    {
        if (next_to_prefetch_ == &record)
            next_to_prefetch_ = record.next();
        off_loop_.erase(record);
    }

    /// Whether there is an operation that might be prefetched.
    bool has_prefetchable() const noexcept
    {
        return next_to_prefetch_ != nullptr;
    }

    /// The first such operation, which is not looked at again.
    operation_record& pass_prefetchable() noexcept
    {
        operation_record& record = *next_to_prefetch_;
        next_to_prefetch_ = record.next();
        return record;
    }

private:
    record_list& lane(const operation_record& record) noexcept
    {
        return record.request().serial ? serial_ : concurrent_;
    }

    record_list concurrent_;
    record_list serial_;
    bool serial_busy_ = false;
    bool serial_next_ = false;
    record_list off_loop_;

    // The first of off_loop_ that may be worth prefetching, or nullptr.
    operation_record* next_to_prefetch_ = nullptr;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_QUEUE_WAITING_OPERATIONS_HPP
