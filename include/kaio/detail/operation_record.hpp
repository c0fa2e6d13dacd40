//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_RECORD_HPP
#define KAIO_DETAIL_OPERATION_RECORD_HPP

#include <sys/uio.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <kaio/detail/config.hpp>
#include <kaio/detail/control_block.hpp>

namespace kaio {
namespace detail {

class open_file;
struct operation_record;

/// What an operation does. The kernel has a command for each of them but the last.
enum class operation_kind : std::uint8_t
{
    read = static_cast<int>(kernel_command::read),
    write = static_cast<int>(kernel_command::write),
    sync_all = static_cast<int>(kernel_command::sync_all),
    sync_data = static_cast<int>(kernel_command::sync_data),

    /// Has a helper call a function.
    job
};

inline constexpr std::size_t operation_kinds = 5;

/// Where an operation is. Only the engine changes it, under its lock.
enum class operation_state : std::uint8_t
{
    created,

    /// It waits for the loop.
    queued,

    /// It waits for a helper.
    queued_for_helper,

    /// io_submit may see it, and has not given it back.
    in_kernel,

    /// The loop makes a system call for it.
    tried_on_loop,

    /// A helper makes a system call for it.
    on_helper,

    /// It is done, but the position of its file is still to be moved.
    moving_position,
    finished
};

/// What becomes of a finished operation: its handler is called, or it is destroyed uncalled.
enum class upcall
{
    invoke,
    discard
};

/// Connects a cancellation slot with its operation. The one that dies first disconnects the other.
struct cancellation_link
{
    std::atomic<operation_record*> target{nullptr};
};

/// One asynchronous operation, as the engine sees it. The Asio side derives from it.
struct operation_record
{
    using upcall_function = void (*)(operation_record&, upcall);

    // Carries out an operation of the kind job, and returns its result.
    using job_function = std::int64_t (*)(operation_record&, int descriptor);

    operation_record(operation_kind kind, upcall_function complete) noexcept
      : complete_(complete), kind_(kind)
    {
        block_.data = reinterpret_cast<std::uintptr_t>(this);
        if (kind != operation_kind::job)
            block_.command = static_cast<kernel_command>(kind);
        block_.flags = control_block::signals_descriptor;
    }

    operation_record(const operation_record&) = delete;
    operation_record& operator=(const operation_record&) = delete;

    /// Say what a transfer moves.
    void set_buffer(const ::iovec& buffer) noexcept
    {
        block_.buffer = reinterpret_cast<std::uintptr_t>(buffer.iov_base);
        block_.length = buffer.iov_len;
    }

    /// Say which array, of a number of buffers, a transfer moves.
    void set_buffers(::iovec* buffers, std::uint32_t count) noexcept
    {
        block_.command = kind_ == operation_kind::read ? kernel_command::read_to_several
                                                       : kernel_command::write_from_several;
        block_.buffer = reinterpret_cast<std::uintptr_t>(buffers);
        block_.length = vector_count_ = count;
    }

    /// The buffer of a transfer of one.
    ::iovec buffer() const noexcept
    {
        return {address(), static_cast<std::size_t>(block_.length)};
    }

    /// The array of the buffers of a transfer of several.
    ::iovec* buffers() const noexcept
    {
        return static_cast<::iovec*>(address());
    }

    void set_priority(std::uint16_t priority) noexcept
    {
        block_.priority = priority;
        if (priority != 0)
            block_.flags |= control_block::has_priority;
    }

    // What the kernel is asked for. A transfer of one buffer needs no array of iovecs.
    control_block block_{};

    // An operation is in at most one list at a time.
    operation_record* next_ = nullptr;
    operation_record* previous_ = nullptr;

    open_file* file_ = nullptr;
    cancellation_link* cancellation_ = nullptr;
    const upcall_function complete_;
    job_function job_ = nullptr;

    // Bytes transferred, or a negative errno. Before the operation has finished: what earlier attempts
    // have transferred.
    std::int64_t result_ = 0;

    // The flags of the user. The control block has those of the attempt under way.
    std::uint32_t rw_flags_ = 0;

    // How many iovecs follow the operation.
    std::uint32_t vector_count_ = 0;

    std::uint32_t cancellations_ = 0;
    const operation_kind kind_;
    operation_state state_ = operation_state::created;

    // Serial operations of one file run one at a time, in the order started.
    bool serial_ = false;

    // It transfers at the position of the file, and moves it. Its offset is -1 until the position is
    // looked up, and stays -1 where the system call moves the position itself.
    bool at_position_ = false;

    // It looks up the position when it begins.
    bool seeks_ = false;

    // It has looked it up, and has to move it behind what was transferred.
    bool position_due_ = false;

    // In the attempt under way the engine has asked the kernel not to wait.
    bool nowait_added_ = false;

    // The user was told of a cancellation.
    bool cancelled_ = false;

    // The helper that takes it submits it, rather than making a system call.
    bool to_submit_ = false;

    // The kernel was told of this read before a helper takes it.
    bool prefetched_ = false;

    // Linux AIO has refused it. If a system call can do it, the file is the reason.
    bool refused_by_aio_ = false;

protected:
    ~operation_record() = default;

private:
    void* address() const noexcept
    {
        return reinterpret_cast<void*>(static_cast<std::uintptr_t>(block_.buffer));
    }
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_OPERATION_RECORD_HPP
