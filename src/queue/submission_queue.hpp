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
        file.lane(record).push_back(record);
        record.progress().state = operation_state::queued;
        ++size_;
        if (!file.ready_links_.linked)
            update(file);
    }

    /// Queue an operation for the loop before all others of its file.
    void put_back(operation_record& record) noexcept;

    /// Queue an operation for helpers.
    void push_off_loop(operation_record& record) noexcept;

    /// Queue an operation for helpers before all others of its file.
    void put_back_off_loop(operation_record& record) noexcept;

    /// Take an operation out of its queue.
    void erase(operation_record& record) noexcept;

    /// The files with operations for the loop.
    file_ring<&open_file::ready_links_>& ready() noexcept
    {
        return ready_;
    }

    const file_ring<&open_file::ready_links_>& ready() const noexcept
    {
        return ready_;
    }

    /// The files with operations for helpers.
    file_ring<&open_file::off_loop_links_>& off_loop() noexcept
    {
        return off_loop_;
    }

    const file_ring<&open_file::off_loop_links_>& off_loop() const noexcept
    {
        return off_loop_;
    }

    /// The files with operations for helpers that might be prefetched.
    file_ring<&open_file::prefetch_links_>& prefetchable() noexcept
    {
        return next_to_prefetch_;
    }

    /// The next such operation of a file, which is not looked at again.
    operation_record& pass_prefetchable(open_file& file) noexcept;

    /// Take the next operation of a file for the loop.
    operation_record& pop(open_file& file) noexcept
    {
        return file.serial_.empty() ? pop_concurrent(file) : pop_next(file);
    }

    /// The first concurrent operations of a file were taken: all before next, or all if there is no next.
    void popped(open_file& file, operation_record* next, std::size_t count) noexcept
    {
        file.concurrent_.pop_before(next);
        size_ -= count;
        if (!next)
            update(file);
    }

    /// The serial operation of a file has ended: the next may follow.
    void serial_finished(open_file& file) noexcept;

private:
    operation_record& pop_concurrent(open_file& file) noexcept
    {
        operation_record& record = *file.concurrent_.pop_front();
        --size_;
        if (file.concurrent_.empty())
            update(file);
        return record;
    }

    operation_record& pop_next(open_file& file) noexcept;
    void update(open_file& file) noexcept;

    file_ring<&open_file::ready_links_> ready_;
    file_ring<&open_file::off_loop_links_> off_loop_;
    file_ring<&open_file::prefetch_links_> next_to_prefetch_;
    std::size_t size_ = 0;
    std::size_t off_loop_size_ = 0;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_QUEUE_SUBMISSION_QUEUE_HPP
