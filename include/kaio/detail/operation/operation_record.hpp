//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_OPERATION_RECORD_HPP
#define KAIO_DETAIL_OPERATION_OPERATION_RECORD_HPP

#include <sys/uio.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <kaio/detail/config.hpp>
#include <kaio/detail/operation/control_block.hpp>

namespace kaio {
namespace detail {

class open_file;
class operation_record;

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

    /// It waits for a helper, which makes a system call for it.
    queued_for_helper,

    /// It waits for a helper, which submits it, or makes a system call if there is no slot.
    queued_for_submission,

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

/// What the user asks for, besides buffers and offset. It doesn't change any more once the operation is queued.
struct operation_request
{
    operation_kind kind;

    // Serial operations of one file run one at a time, in the order started.
    bool serial = false;

    // It transfers at the position of the file, and moves it.
    bool at_position = false;

    // The flags of the user. The control block has those of the attempt under way.
    std::uint32_t rw_flags = 0;

    // The number of buffers of a transfer of several, otherwise 0.
    std::uint32_t vector_count = 0;
};

/// How far an operation has come.
/** The engine's lock guards it. During an attempt it belongs to the thread that makes the attempt. That thread
 *  reads it, and writes the result and the position, without the lock. Others may set only cancelled then.
 */
struct operation_progress
{
    // When it has finished: the bytes transferred in all, or a negative errno. All attempts together transfer
    // no more than one call of the kernel, which is less than 2 GiB. A try leaves its own result here.
    std::int32_t result = 0;

    // Bytes that earlier attempts have transferred.
    std::uint32_t transferred = 0;

    // The number of cancellations of its file when it was started.
    std::uint32_t cancellations = 0;
    operation_state state = operation_state::created;

    // It is the one serial operation of its file that is under way. The next one waits for it.
    bool has_turn = false;

    // It looks up the position when it begins.
    bool seeks = false;

    // It has looked it up, and has to move it behind what was transferred.
    bool position_due = false;

    // In the attempt under way the engine has asked the kernel not to wait.
    bool nowait_added = false;

    // The user was told of a cancellation.
    bool cancelled = false;

    // The kernel was told of this read before a helper takes it.
    bool prefetched = false;

    // Linux AIO has refused it. If a system call can do it, the file is the reason.
    bool refused_by_aio = false;
};

/// One asynchronous operation, as the engine sees it. The Asio side derives from it.
class operation_record
{
public:
    using upcall_function = void (*)(operation_record&, upcall);

    // Carries out an operation of the kind job, and returns its result.
    using job_function = std::int64_t (*)(operation_record&, int descriptor);

    operation_record(operation_kind kind, upcall_function function) noexcept
      : upcall_(function), request_{kind}
    {
        block_.data = reinterpret_cast<std::uintptr_t>(this);
        if (kind != operation_kind::job)
            block_.command = static_cast<kernel_command>(kind);
        block_.flags = control_block::signals_descriptor;
    }

    operation_record(const operation_record&) = delete;
    operation_record& operator=(const operation_record&) = delete;

    // The owner describes the operation before it is queued. None of these is called later.

    void set_offset(std::int64_t offset) noexcept
    {
        block_.offset = offset;
    }

    void set_at_position(bool at_position) noexcept
    {
        request_.at_position = at_position;
    }

    void set_serial(bool serial) noexcept
    {
        request_.serial = serial;
    }

    void set_rw_flags(std::uint32_t flags) noexcept
    {
        request_.rw_flags = flags;
    }

    void set_priority(std::uint16_t priority) noexcept
    {
        block_.priority = priority;
        if (priority != 0)
            block_.flags |= control_block::has_priority;
    }

    /// Say what a transfer moves.
    void set_buffer(const ::iovec& buffer) noexcept
    {
        block_.buffer = reinterpret_cast<std::uintptr_t>(buffer.iov_base);
        block_.length = buffer.iov_len;
    }

    /// Say which array, of a number of buffers, a transfer moves.
    void set_buffers(::iovec* buffers, std::uint32_t count) noexcept
    {
        block_.command = request_.kind == operation_kind::read ? kernel_command::read_to_several
                                                               : kernel_command::write_from_several;
        block_.buffer = reinterpret_cast<std::uintptr_t>(buffers);
        block_.length = request_.vector_count = count;
    }

    void set_job(job_function job) noexcept
    {
        job_ = job;
    }

    // What the engine asks.

    const operation_request& request() const noexcept
    {
        return request_;
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

    open_file& file() const noexcept
    {
        return *file_;
    }

    operation_progress& progress() noexcept
    {
        return progress_;
    }

    const operation_progress& progress() const noexcept
    {
        return progress_;
    }

    /// What the kernel is asked for in the attempt under way.
    /** The offset of a transfer at the position of a file is -1 until the position is looked up. It stays -1
     *  where the system call moves the position itself.
     */
    control_block& block() noexcept
    {
        return block_;
    }

    const control_block& block() const noexcept
    {
        return block_;
    }

    /// The next operation in the list that this one is in.
    operation_record* next() const noexcept
    {
        return next_;
    }

    // What the engine does with it.

    /// The operation of a file is started.
    void begin(open_file& file, std::uint32_t cancellations) noexcept
    {
        file_ = &file;
        progress_.cancellations = cancellations;
    }

    std::int64_t call_job(int descriptor) noexcept
    {
        return job_(*this, descriptor);
    }

    /// Call its handler, or destroy it uncalled. The operation is gone afterwards.
    void complete(upcall what)
    {
        upcall_(*this, what);
    }

    void connect(cancellation_link& link) noexcept
    {
        cancellation_ = &link;
    }

    void disconnect() noexcept
    {
        cancellation_ = nullptr;
    }

    /// Tell the cancellation slot that the operation has ended.
    void release_link() noexcept
    {
        if (cancellation_)
            cancellation_->target.store(nullptr, std::memory_order_release);
    }

protected:
    ~operation_record() = default;

private:
    friend class record_list;
    friend class record_queue;

    void* address() const noexcept
    {
        return reinterpret_cast<void*>(static_cast<std::uintptr_t>(block_.buffer));
    }

    // A transfer of one buffer needs no array of iovecs.
    control_block block_{};

    // An operation is in at most one list at a time.
    operation_record* next_ = nullptr;
    operation_record* previous_ = nullptr;

    open_file* file_ = nullptr;
    cancellation_link* cancellation_ = nullptr;
    const upcall_function upcall_;
    job_function job_ = nullptr;
    operation_request request_;
    operation_progress progress_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_OPERATION_OPERATION_RECORD_HPP
