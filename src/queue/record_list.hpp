//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_QUEUE_RECORD_LIST_HPP
#define KAIO_QUEUE_RECORD_LIST_HPP

#include <cstdint>

#include <kaio/detail/operation/operation_record.hpp>

namespace kaio {
namespace detail {

/// A list of operations, linked through the operations themselves.
class record_list
{
public:
    bool empty() const noexcept
    {
        return front_ == nullptr;
    }

    operation_record* front() const noexcept
    {
        return front_;
    }

    void push_back(operation_record& record) noexcept
    {
        record.previous_ = back_;
        record.next_ = nullptr;
        (back_ ? back_->next_ : front_) = &record;
        back_ = &record;
    }

    void push_front(operation_record& record) noexcept
    {
        record.previous_ = nullptr;
        record.next_ = front_;
        (front_ ? front_->previous_ : back_) = &record;
        front_ = &record;
    }

    void erase(operation_record& record) noexcept
    {
        (record.previous_ ? record.previous_->next_ : front_) = record.next_;
        (record.next_ ? record.next_->previous_ : back_) = record.previous_;
        record.next_ = record.previous_ = nullptr;
    }

    operation_record* pop_front() noexcept
    {
        operation_record* record = front_;
        if (!record)
            return nullptr;
        front_ = record->next_;
        (front_ ? front_->previous_ : back_) = nullptr;
        return record;
    }

    /// Remove all before one of the operations, or all if there is none.
    void pop_before(operation_record* record) noexcept
    {
        front_ = record;
        (record ? record->previous_ : back_) = nullptr;
    }

private:
    operation_record* front_ = nullptr;
    operation_record* back_ = nullptr;
};

/// The operation of a control block, by the data that the kernel gives back with its result.
inline operation_record& record_of(std::uint64_t data) noexcept
{
    return *reinterpret_cast<operation_record*>(static_cast<std::uintptr_t>(data));
}

/// A queue of operations, linked through the operations themselves. None is taken out of turn.
class record_queue
{
public:
    bool empty() const noexcept
    {
        return front_ == nullptr;
    }

    bool has_several() const noexcept
    {
        return front_ && front_->next_;
    }

    void push_back(operation_record& record) noexcept
    {
        record.next_ = nullptr;
        *(front_ ? &back_->next_ : &front_) = &record;
        back_ = &record;
    }

    operation_record* pop_front() noexcept
    {
        operation_record* const record = front_;
        if (record)
            front_ = record->next_;
        return record;
    }

private:
    operation_record* front_ = nullptr;
    operation_record* back_ = nullptr;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_QUEUE_RECORD_LIST_HPP
