//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_QUEUE_OPEN_FILE_HPP
#define KAIO_QUEUE_OPEN_FILE_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <kaio/detail/file_traits.hpp>

#include "policy/would_block.hpp"
#include "queue/mount_table.hpp"
#include "queue/record_list.hpp"

namespace kaio {
namespace detail {

class open_file;

/// The links of a file in one file_ring.
struct file_links
{
    open_file* next = nullptr;
    open_file* previous = nullptr;
    bool linked = false;
};

/// What the engine knows of one open file. Lives until it is closed and its last operation is gone.
class open_file
{
public:
    open_file() = default;

    void set_descriptor(int descriptor, const file_traits& description) noexcept;

    int descriptor() const noexcept
    {
        return descriptor_.load(std::memory_order_relaxed);
    }

    /// Look again at what fcntl can change. A change of O_DIRECT makes what was learned worthless.
    void refresh() noexcept;

    /// Whether transfers go by the page cache.
    bool is_cached() const noexcept
    {
        return !direct_ && type_ != file_type::other;
    }

    /// Whether reads may be prefetched.
    bool prefetches() const noexcept
    {
        return prefetches_ && is_cached();
    }

    /// The queue for the loop that an operation belongs to, in the order started.
    record_list& lane(const operation_record& record) noexcept
    {
        return record.request().serial ? serial_ : concurrent_;
    }

    would_block& learned(const operation_record& record) noexcept
    {
        return record.request().kind == operation_kind::write ? writes_ : reads_;
    }

    /// Whether an operation waits that may be taken now.
    bool ready() const noexcept
    {
        return !concurrent_.empty() || (!serial_.empty() && !serial_busy_);
    }

    /// Whether the next operation for the loop is a serial one. Both kinds have their turns.
    bool next_is_serial() const noexcept
    {
        return !serial_.empty() && !serial_busy_ && (serial_next_ || concurrent_.empty());
    }

    /// The next operation for the loop, of a file that is ready.
    const operation_record& next() const noexcept
    {
        return next_is_serial() ? *serial_.front() : *concurrent_.front();
    }

    /// Any operation that is queued, or nullptr.
    operation_record* any_waiting() const noexcept
    {
        if (!concurrent_.empty())
            return concurrent_.front();
        return !serial_.empty() ? serial_.front() : off_loop_.front();
    }

    // Written under the lock as all the rest. This alone is read without it.
    std::atomic<int> descriptor_{-1};
    file_type type_ = file_type::other;
    mount_usage* mount_ = nullptr;

    // Opened with O_APPEND: all writes are serial. With O_DIRECT. With O_SYNC or O_DSYNC.
    bool appends_ = false;
    bool direct_ = false;
    bool sync_writes_ = false;

    // Its file system waits in spite of RWF_NOWAIT when it writes to the page cache.
    bool ignores_nowait_ = false;

    // What reads miss in the page cache comes from a device: prefetch helps.
    bool prefetches_ = false;

    // The kernel takes this file from io_submit, as far as is known.
    bool takes_aio_ = false;

    // It made the last submission by a helper wait.
    bool submission_blocks_ = false;

    would_block reads_;
    would_block writes_;

    // Whether seeks have waited: for somebody else who holds the position.
    would_block seeks_;

    // It is being opened.
    bool opening_ = false;

    // No file object refers to it any more. The number of its descriptor is parked on a placeholder.
    bool detached_ = false;
    bool parked_ = false;

    record_list concurrent_;
    record_list serial_;
    bool serial_busy_ = false;
    bool serial_next_ = false;
    record_list off_loop_;

    // The first of these that may be worth prefetching, or nullptr.
    operation_record* next_to_prefetch_ = nullptr;

    // Operations that refer to this file.
    std::size_t references_ = 0;

    // Operations in the kernel, and how many of them a block device takes without waiting.
    std::size_t in_flight_ = 0;
    std::size_t depth_limit_ = std::numeric_limits<std::size_t>::max();

    // Calls that may be using the number of the descriptor at this moment.
    std::size_t pins_ = 0;

    // Helpers that work for this file.
    std::size_t helpers_ = 0;

    // What was started before the last cancellation is not tried again elsewhere.
    std::uint32_t cancellations_ = 0;

    // Batches in which it had tries.
    unsigned batches_of_tries_ = 0;

    // The place of the file in the submission that is being put together.
    std::uint64_t batch_number_ = 0;
    std::size_t place_in_batch_ = 0;

    file_links ready_links_;
    file_links off_loop_links_;
    file_links prefetch_links_;
};

/// A list of files that are served in turn.
template <file_links open_file::*Links>
class file_ring
{
public:
    std::size_t size() const noexcept
    {
        return size_;
    }

    open_file* front() const noexcept
    {
        return front_;
    }

    /// Put a file into the list, or take it out, as wanted.
    void update(open_file& file, bool wanted) noexcept
    {
        if ((file.*Links).linked == wanted)
            return;
        if (wanted)
            push_back(file);
        else
            erase(file);
    }

    /// Whether a predicate holds for any of the files.
    template <typename Predicate>
    bool any_of(Predicate&& holds) const noexcept
    {
        for (const open_file* file = front_; file; file = (file->*Links).next)
        {
            if (holds(*file))
                return true;
        }
        return false;
    }

    /// Move the first file to the end.
    void rotate() noexcept
    {
        if (size_ > 1)
        {
            open_file& file = *front_;
            erase(file);
            push_back(file);
        }
    }

private:
    void push_back(open_file& file) noexcept
    {
        (file.*Links) = {nullptr, back_, true};
        (back_ ? (back_->*Links).next : front_) = &file;
        back_ = &file;
        ++size_;
    }

    void erase(open_file& file) noexcept
    {
        const file_links links = file.*Links;
        (links.previous ? (links.previous->*Links).next : front_) = links.next;
        (links.next ? (links.next->*Links).previous : back_) = links.previous;
        (file.*Links).linked = false;
        --size_;
    }

    open_file* front_ = nullptr;
    open_file* back_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_QUEUE_OPEN_FILE_HPP
