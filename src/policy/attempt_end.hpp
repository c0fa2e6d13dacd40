//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_POLICY_ATTEMPT_END_HPP
#define KAIO_POLICY_ATTEMPT_END_HPP

#include <cerrno>
#include <cstdint>

namespace kaio {
namespace detail {

/// How an operation was attempted.
enum class attempt
{
    /// By io_submit, which took it: the result is that of its completion.
    submission,

    /// By io_submit, which refused it.
    refused_submission,

    /// By a system call of the loop, which doesn't wait.
    loop_try,

    /// By a system call of a helper thread.
    helper
};

/// The facts that decide what the end of an attempt means.
struct attempt_facts
{
    attempt made;

    /// The number of bytes, or a negative errno.
    std::int64_t result;

    /// The number of bytes that one call moves at most.
    std::uint64_t wanted;

    /// It is a read or a write.
    bool transfers;

    /// The engine has asked the kernel not to wait.
    bool added_nowait;

    /// The user has asked the kernel not to wait.
    bool user_nowait;

    /// The user has set a flag that the file may not know.
    bool user_flags;

    /// It has an I/O priority, which only io_submit takes.
    bool has_priority;

    /// The kernel does it as a whole: the rest of it must not be done later.
    bool indivisible;

    /// It has ended inside a sector: that is the end of the file.
    bool at_end_of_file;

    /// It would end behind the largest offset there is.
    bool beyond_all_files;

    /// It goes from or to a block device, past the page cache.
    bool direct_to_device;

    /// Others of its file are in the kernel.
    bool others_in_flight;

    /// The position of the file was its offset.
    bool seeks;

    /// The user was told of a cancellation.
    bool cancelled;

    /// The file was closed meanwhile.
    bool closed;
};

/// What becomes of an operation whose attempt has ended.
enum class next_try
{
    /// The result is the operation's.
    none,

    /// It is cancelled. What it has transferred is its result.
    cancelled,

    /// The loop tries it again.
    on_loop,

    /// It goes off the loop.
    off_loop,

    /// It goes off the loop, to a system call.
    by_system_call
};

/// What an attempt has shown of its file.
enum class lesson
{
    none,

    /// The kernel did not have to wait.
    succeeded,

    /// The kernel would have had to wait.
    refused,

    /// The file does not take RWF_NOWAIT.
    unknown_flag,

    /// The queue of the device holds no more than is in flight.
    full_device,

    /// Linux AIO has refused it. If a system call can do it, the file is the reason.
    refused_by_aio
};

/// Why an operation needs another attempt.
enum class retry_reason
{
    none,
    would_wait,
    unknown_flag,
    cut_short,
    unsupported
};

struct attempt_end
{
    next_try next;
    lesson learned = lesson::none;
    retry_reason reason = retry_reason::none;
};

/// What the kernel's answer means, of a completion or of a system call.
inline attempt_end judge_answer(const attempt_facts& facts) noexcept
{
    if (!facts.added_nowait)
        return {next_try::none};
    if (facts.result == -EAGAIN)
    {
        // The queue of the device is full. It takes the operation when others have ended.
        if (facts.direct_to_device && facts.others_in_flight && !facts.cancelled)
            return {next_try::on_loop, lesson::full_device};
        return {next_try::off_loop, lesson::refused, retry_reason::would_wait};
    }
    if (facts.result == -EOPNOTSUPP)
        return {next_try::off_loop, facts.user_flags ? lesson::none : lesson::unknown_flag,
                retry_reason::unknown_flag};
    if (facts.result > 0 && static_cast<std::uint64_t>(facts.result) < facts.wanted &&
        !facts.at_end_of_file && !facts.indivisible)
        return {next_try::off_loop, lesson::none, retry_reason::cut_short};
    return {next_try::none, lesson::succeeded};
}

/// What it means that io_submit has refused an operation.
inline attempt_end judge_refusal(const attempt_facts& facts) noexcept
{
    if (facts.cancelled)
        return {next_try::cancelled};
    const int error = static_cast<int>(-facts.result);
    if (error == EOPNOTSUPP && facts.added_nowait)
    {
        if (facts.user_flags)
            return {next_try::off_loop, lesson::none, retry_reason::unknown_flag};
        // To a device the loop submits without the flag.
        if (facts.direct_to_device)
            return {next_try::on_loop, lesson::unknown_flag};
        return {next_try::off_loop, lesson::unknown_flag, retry_reason::unknown_flag};
    }
    // io_submit says this of files without asynchronous functions, and of commands that the file system
    // or the kernel lacks. A filter of system calls says it of io_submit. The plain system call tells what
    // is really wrong, if anything.
    const bool unknown_command =
        error == EINVAL || error == EOPNOTSUPP || error == ENOSYS || error == EPERM;
    if (unknown_command && !facts.user_nowait && !facts.has_priority)
        return {next_try::by_system_call,
                error != EOPNOTSUPP && facts.transfers ? lesson::refused_by_aio : lesson::none,
                retry_reason::unsupported};
    return {next_try::none};
}

/// What the result of a system call of the loop means.
inline attempt_end judge_try(const attempt_facts& facts) noexcept
{
    // The descriptor was closed before the operation came to it.
    if (facts.result == -EBADF && facts.closed)
        return {next_try::cancelled};
    // The file has a position, but takes no offset.
    if (facts.result == -ESPIPE && facts.seeks)
        return {next_try::off_loop, lesson::none, retry_reason::unsupported};
    // Kernels before Linux 4.14 say this of the flag or of the call. Later ones say it of files that don't
    // know the flag, and filters of system calls of the call. A call without the flag tells what is really
    // wrong, if anything.
    const bool unknown =
        facts.result == -EINVAL || facts.result == -ENOSYS || facts.result == -EPERM;
    if (unknown && facts.added_nowait)
        return {next_try::off_loop,
                facts.beyond_all_files || facts.user_flags ? lesson::none : lesson::unknown_flag,
                retry_reason::unknown_flag};
    return judge_answer(facts);
}

/// What the end of an attempt means.
inline attempt_end judge(const attempt_facts& facts) noexcept
{
    switch (facts.made)
    {
    case attempt::submission:
        break;
    case attempt::refused_submission:
        return judge_refusal(facts);
    case attempt::loop_try:
        return judge_try(facts);
    case attempt::helper:
        if (facts.result == -EBADF && facts.closed)
            return {next_try::cancelled};
        return {next_try::none};
    }
    return judge_answer(facts);
}

} // namespace detail
} // namespace kaio

#endif // KAIO_POLICY_ATTEMPT_END_HPP
