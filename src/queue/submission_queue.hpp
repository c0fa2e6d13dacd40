//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_QUEUE_SUBMISSION_QUEUE_HPP
#define KAIO_QUEUE_SUBMISSION_QUEUE_HPP

#include <cstddef>

#include "queue/open_file.hpp"

namespace kaio {
namespace detail {

/// The operations that are queued: for each file, a FIFO for the loop and one for helpers.
/** Files are served in turn, on the loop as by helpers. */
class submission_queue
{
public:
    /// The number of operations that wait for the loop.
    std::size_t size() const noexcept
    {
        return size_;
    }

    /// The number of operations that wait for a helper.
    std::size_t off_loop_size() const noexcept
    {
        return off_loop_size_;
    }

    /// Queue an operation for the loop.
    void push(operation_record& record) noexcept
    {
        open_file& file = record.file();
        file.waiting().push(record);
        record.progress().state = operation_state::queued;
        ++size_;
        if (!ready_.contains(file))
            update(file);
    }

    /// Queue an operation for the loop before all others of its file.
    void put_back(operation_record& record) noexcept;

    /// Queue an operation for helpers: for a system call, or to be submitted.
    void push_off_loop(operation_record& record, operation_state state) noexcept;

    /// Queue an operation that is to be submitted by a helper before all others of its file.
    void put_back_off_loop(operation_record& record) noexcept;

    /// Take an operation out of its queue.
    void erase(operation_record& record) noexcept;

    /// The files with operations for the loop.
    file_ring<ring_of::ready>& ready() noexcept
    {
        return ready_;
    }

    const file_ring<ring_of::ready>& ready() const noexcept
    {
        return ready_;
    }

    /// The files with operations for helpers.
    file_ring<ring_of::off_loop>& off_loop() noexcept
    {
        return off_loop_;
    }

    const file_ring<ring_of::off_loop>& off_loop() const noexcept
    {
        return off_loop_;
    }

    /// The files with operations for helpers that might be prefetched.
    file_ring<ring_of::prefetchable>& prefetchable() noexcept
    {
        return prefetchable_;
    }

    /// The next such operation of a file, which is not looked at again.
    operation_record& pass_prefetchable(open_file& file) noexcept;

    /// Take the next operation of a file for the loop.
    operation_record& pop(open_file& file) noexcept
    {
        return file.waiting().has_serial() ? pop_next(file) : pop_concurrent(file);
    }

    /// The first concurrent operations of a file were taken: all before next, or all if there is no next.
    void popped(open_file& file, operation_record* next, std::size_t count) noexcept
    {
        file.waiting().pop_concurrent_before(next);
        size_ -= count;
        if (!next)
            update(file);
    }

    /// A serial operation has ended: the next of its file may follow.
    void serial_finished(operation_record& record) noexcept;

private:
    operation_record& pop_concurrent(open_file& file) noexcept
    {
        operation_record& record = file.waiting().pop_concurrent();
        --size_;
        if (!file.waiting().first_concurrent())
            update(file);
        return record;
    }

    operation_record& pop_next(open_file& file) noexcept;
    void update(open_file& file) noexcept;

    file_ring<ring_of::ready> ready_;
    file_ring<ring_of::off_loop> off_loop_;
    file_ring<ring_of::prefetchable> prefetchable_;
    std::size_t size_ = 0;
    std::size_t off_loop_size_ = 0;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_QUEUE_SUBMISSION_QUEUE_HPP
