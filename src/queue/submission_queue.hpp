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

/// The operations that wait: for each file a FIFO for the loop and one for the threads.
/** Files are served in turn, on the loop as by the threads. */
class submission_queue
{
public:
    /// The number of operations that wait for the loop.
    std::size_t size() const noexcept
    {
        return size_;
    }

    /// The number of operations that wait for a thread.
    std::size_t off_loop_size() const noexcept
    {
        return off_loop_size_;
    }

    /// Queue an operation for the loop.
    void push(operation_record& record) noexcept
    {
        open_file& file = *record.file_;
        file.lane(record).push_back(record);
        record.state_ = operation_state::waiting;
        ++size_;
        if (!file.ready_links_.linked)
            update(file);
    }

    /// Queue an operation for the loop before all others of its file.
    void put_back(operation_record& record) noexcept;

    /// Queue an operation for the threads.
    void push_off_loop(operation_record& record) noexcept;

    /// Queue an operation for the threads before all others of its file.
    void put_back_off_loop(operation_record& record) noexcept;

    /// Take back an operation that waits.
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

    /// The files with operations for the threads.
    file_ring<&open_file::off_loop_links_>& off_loop() noexcept
    {
        return off_loop_;
    }

    const file_ring<&open_file::off_loop_links_>& off_loop() const noexcept
    {
        return off_loop_;
    }

    /// The files with operations for the threads of which the kernel might be told ahead.
    file_ring<&open_file::unannounced_links_>& unannounced() noexcept
    {
        return unannounced_;
    }

    /// Look at the next such operation of a file, for the only time.
    operation_record& pass_unannounced(open_file& file) noexcept;

    /// Take the next operation of a file for the loop.
    operation_record& pop(open_file& file) noexcept
    {
        return file.serial_.empty() ? pop_concurrent(file) : pop_next(file);
    }

    /// The first concurrent operations of a file were taken: all before next, if there is that.
    void popped(open_file& file, operation_record* next, std::size_t count) noexcept
    {
        file.concurrent_.pop_before(next);
        size_ -= count;
        if (!next)
            update(file);
    }

    /// The operation of a file that was running alone has ended: the next may follow.
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
    file_ring<&open_file::unannounced_links_> unannounced_;
    std::size_t size_ = 0;
    std::size_t off_loop_size_ = 0;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_QUEUE_SUBMISSION_QUEUE_HPP
