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

#include <kaio/detail/file/file_traits.hpp>

#include "policy/file_history.hpp"
#include "queue/mount_table.hpp"
#include "queue/waiting_operations.hpp"

namespace kaio {
namespace detail {

class open_file;

/// The lists of files: with operations for the loop, for helpers, and to be prefetched.
enum class ring_of
{
    ready,
    off_loop,
    prefetchable
};

inline constexpr std::size_t file_rings = 3;

/// The links of a file in one file_ring.
struct file_links
{
    open_file* next = nullptr;
    open_file* previous = nullptr;
    bool linked = false;
};

/// How long a file and the number of its descriptor are kept. The file_table decides.
class file_lifetime
{
private:
    friend class file_table;
    friend class open_file;

    bool opening_ = false;

    // No file object refers to it any more. The number of its descriptor is parked on a placeholder.
    bool detached_ = false;
    bool parked_ = false;

    // Operations that refer to the file.
    std::size_t references_ = 0;

    // Calls that may be using the number of the descriptor at this moment.
    std::size_t pins_ = 0;
};

/// What a file has of the slots and of the helpers.
class file_usage
{
public:
    /// Operations in the kernel.
    std::size_t in_flight() const noexcept
    {
        return in_flight_;
    }

private:
    friend class slot_table;
    friend class helper_table;

    std::size_t in_flight_ = 0;

    // How many operations a block device takes without waiting.
    std::size_t depth_limit_ = std::numeric_limits<std::size_t>::max();
    std::size_t helpers_ = 0;
};

/// The place of a file in the submission_batch that is being put together.
class batch_place
{
private:
    friend class submission_batch;

    std::uint64_t batch_ = 0;
    std::size_t index_ = 0;
};

/// What the engine knows of one open file. Lives until it is closed and its last operation is gone.
/** All is read and written under the engine's lock. Only descriptor() is called without it, too. */
class open_file
{
public:
    open_file() = default;

    // What it is.

    int descriptor() const noexcept
    {
        return descriptor_.load(std::memory_order_relaxed);
    }

    void set_descriptor(int descriptor, const file_traits& traits) noexcept;

    /// Look again at what fcntl can change. A change of O_DIRECT makes what was learned worthless.
    void refresh() noexcept;

    /// A batch of tries was made with it. Now and then that is a reason to refresh.
    void tried() noexcept;

    bool is_special() const noexcept
    {
        return traits_.type == file_type::other;
    }

    bool is_direct() const noexcept
    {
        return flags_.direct;
    }

    /// Whether it is a block device that is used past the page cache.
    bool is_direct_to_device() const noexcept
    {
        return traits_.type == file_type::block_device && flags_.direct;
    }

    /// Whether transfers go by the page cache.
    bool is_cached() const noexcept
    {
        return !flags_.direct && !is_special();
    }

    /// Whether reads may be prefetched.
    bool prefetches() const noexcept
    {
        return traits_.prefetches && is_cached();
    }

    /// Whether all writes go to its end, one after the other.
    bool appends() const noexcept
    {
        return flags_.appends;
    }

    /// Whether writes wait, although the kernel is asked not to.
    bool writes_wait() const noexcept
    {
        return !flags_.direct && (traits_.ignores_nowait || flags_.sync_writes);
    }

    mount_usage& mount() const noexcept
    {
        return *mount_;
    }

    void set_mount(mount_usage& mount) noexcept
    {
        mount_ = &mount;
    }

    // What was learned of it.

    file_history& history() noexcept
    {
        return history_;
    }

    const file_history& history() const noexcept
    {
        return history_;
    }

    /// What was learned of transfers in the direction of an operation.
    would_block& learned(operation_kind kind) noexcept
    {
        return kind == operation_kind::write ? history_.writes() : history_.reads();
    }

    const would_block& learned(operation_kind kind) const noexcept
    {
        return kind == operation_kind::write ? history_.writes() : history_.reads();
    }

    // Its operations.

    waiting_operations& waiting() noexcept
    {
        return waiting_;
    }

    const waiting_operations& waiting() const noexcept
    {
        return waiting_;
    }

    /// What was started before the last cancellation is not tried again elsewhere.
    std::uint32_t cancellations() const noexcept
    {
        return cancellations_;
    }

    void cancel() noexcept
    {
        ++cancellations_;
    }

    file_usage& usage() noexcept
    {
        return usage_;
    }

    const file_usage& usage() const noexcept
    {
        return usage_;
    }

    batch_place& place() noexcept
    {
        return place_;
    }

    // Its life.

    file_lifetime& lifetime() noexcept
    {
        return lifetime_;
    }

    bool is_opening() const noexcept
    {
        return lifetime_.opening_;
    }

    /// Whether no file object refers to it any more.
    bool is_detached() const noexcept
    {
        return lifetime_.detached_;
    }

private:
    template <ring_of Ring>
    friend class file_ring;

    // What fcntl tells of a descriptor.
    struct status_flags
    {
        bool appends;
        bool direct;

        // O_SYNC or O_DSYNC.
        bool sync_writes;
    };

    std::atomic<int> descriptor_{-1};
    file_traits traits_;
    status_flags flags_{};
    mount_usage* mount_ = nullptr;
    file_history history_;
    waiting_operations waiting_;
    std::uint32_t cancellations_ = 0;
    unsigned batches_of_tries_ = 0;
    file_usage usage_;
    batch_place place_;
    file_lifetime lifetime_;
    file_links links_[file_rings];
};

/// A list of files that are served in turn.
template <ring_of Ring>
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

    static bool contains(const open_file& file) noexcept
    {
        return links_of(file).linked;
    }

    /// Put a file into the list, or take it out, as wanted.
    void update(open_file& file, bool wanted) noexcept
    {
        if (links_of(file).linked == wanted)
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
        for (const open_file* file = front_; file; file = links_of(*file).next)
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
    static file_links& links_of(open_file& file) noexcept
    {
        return file.links_[static_cast<std::size_t>(Ring)];
    }

    static const file_links& links_of(const open_file& file) noexcept
    {
        return file.links_[static_cast<std::size_t>(Ring)];
    }

    void push_back(open_file& file) noexcept
    {
        links_of(file) = {nullptr, back_, true};
        (back_ ? links_of(*back_).next : front_) = &file;
        back_ = &file;
        ++size_;
    }

    void erase(open_file& file) noexcept
    {
        const file_links links = links_of(file);
        (links.previous ? links_of(*links.previous).next : front_) = links.next;
        (links.next ? links_of(*links.next).previous : back_) = links.previous;
        links_of(file).linked = false;
        --size_;
    }

    open_file* front_ = nullptr;
    open_file* back_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_QUEUE_OPEN_FILE_HPP
