//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_RECORD_HPP
#define KAIO_DETAIL_OPERATION_RECORD_HPP

#include <sys/uio.h>

#include <atomic>
#include <cstdint>

#include <kaio/detail/config.hpp>

namespace kaio {
namespace detail {

class open_file;
struct operation_record;

/// What an operation does.
enum class operation_kind : std::uint8_t
{
    read,
    write,
    sync_all,
    sync_data,

    /// Calls a function on a thread of the engine.
    call
};

/// How far an operation has come. Only the engine changes it, under its lock.
enum class operation_state : std::uint8_t
{
    created,
    waiting,
    waiting_off_loop,
    in_flight,
    finished
};

/// What becomes of a finished operation: its handler is called, or it is destroyed uncalled.
enum class upcall
{
    invoke,
    discard
};

/// The far end of a cancellation slot. Whichever of the two dies first lets go of the other.
struct cancellation_link
{
    std::atomic<operation_record*> target{nullptr};
};

/// One asynchronous operation, as the engine sees it. The Asio side derives from it.
struct operation_record
{
    using upcall_function = void (*)(operation_record&, upcall);

    // Does the work of an operation of the kind call, and returns its result.
    using call_function = std::int64_t (*)(operation_record&, int descriptor);

    operation_record(operation_kind kind, upcall_function complete) noexcept
      : complete_(complete), kind_(kind)
    {
    }

    operation_record(const operation_record&) = delete;
    operation_record& operator=(const operation_record&) = delete;

    // An operation is in at most one list at a time.
    operation_record* next_ = nullptr;
    operation_record* previous_ = nullptr;

    const upcall_function complete_;
    open_file* file_ = nullptr;
    cancellation_link* cancellation_ = nullptr;

    // What a transfer moves, and what it has moved before it had to go on elsewhere.
    ::iovec* buffers_ = nullptr;
    std::uint32_t buffer_count_ = 0;
    std::uint32_t rw_flags_ = 0;
    std::int64_t offset_ = 0;
    std::int64_t transferred_ = 0;

    // Bytes transferred, or a negative errno.
    std::int64_t result_ = 0;

    call_function call_ = nullptr;
    std::uint32_t cancellations_ = 0;

    std::uint16_t priority_ = 0;
    const operation_kind kind_;
    operation_state state_ = operation_state::created;

    // Serial operations of one file run one at a time, in the order started.
    bool serial_ = false;

    // A transfer at the position of the file, which it moves on. Its offset is -1 until that is
    // looked up, and stays so where the system call moves the position itself.
    bool at_position_ = false;

    // The engine asked the kernel not to wait. The user was told of a cancellation.
    bool nowait_added_ = false;
    bool cancelled_ = false;

    // For a thread: to submit, not to carry out.
    bool to_submit_ = false;

protected:
    ~operation_record() = default;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_OPERATION_RECORD_HPP
