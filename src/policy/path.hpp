//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_POLICY_PATH_HPP
#define KAIO_POLICY_PATH_HPP

#include "policy/would_block.hpp"

namespace kaio {
namespace detail {

/// How an operation gets to the kernel.
enum class path
{
    /// The loop tries it by a system call that doesn't wait.
    loop_try,

    /// The loop hands it to io_submit.
    loop_submission,

    /// A helper thread hands it to io_submit.
    helper_submission,

    /// A helper thread makes a system call for it.
    helper
};

/// The facts on which the path of an operation depends.
struct path_facts
{
    /// It is a read or a write.
    bool transfers;

    /// There is an AIO context, and it takes operations of this file.
    bool has_aio;

    /// It transfers at the position of the file, which only a system call can move.
    bool at_position;

    /// It transfers at the position of the file, which is found and moved by seeks.
    bool seeks;

    /// It transfers past the page cache.
    bool direct;

    /// The same, from or to a block device: a device refuses a transfer only when its queue is full.
    bool direct_to_device;

    /// It transfers by the page cache, without an option that only io_submit takes.
    bool cached;

    /// The options let the loop submit operations of this kind.
    bool allowed_on_loop;

    /// It makes the kernel wait even if it is asked not to.
    bool waits_anyway;

    /// The user has asked for RWF_NOWAIT, and wants to see a refusal.
    bool user_nowait;

    /// It is an append.
    bool appends;

    /// It would have to wait for a slot that only other mounts can give back.
    bool starved;
};

/// A path, and how it was found.
struct path_choice
{
    path where;

    /// The kernel is asked not to wait.
    bool adds_nowait = false;

    /// The loop has not tried it, because the file has refused others lately.
    bool skipped = false;
};

/// Choose the path of an operation.
/**
 * @param facts What is known of it.
 *
 * @param seeks Whether seeks in its file have waited.
 *
 * @param learned What its file has refused in this direction.
 */
inline path_choice choose_path(const path_facts& facts, would_block& seeks,
                               would_block& learned) noexcept
{
    if (!facts.has_aio || facts.at_position)
        return {path::helper};
    const path off_loop = facts.direct || !facts.transfers ? path::helper_submission : path::helper;
    if (!facts.transfers) // The kernel carries it out on a thread of its own.
        return {facts.starved || !facts.allowed_on_loop ? off_loop : path::loop_submission};

    // Whoever begins the operation looks up the position. After a seek that waited, that is a helper.
    if (facts.seeks && !facts.cached && !seeks.attempt())
        return {path::helper};
    if (!facts.allowed_on_loop || facts.waits_anyway)
        return {off_loop};
    const bool needs_slot = !facts.cached;
    const path on_loop = facts.cached ? path::loop_try : path::loop_submission;
    if (facts.user_nowait)
        return {facts.starved && needs_slot ? off_loop : on_loop};
    // With RWF_NOWAIT the kernel may do half of an append.
    if (facts.appends || (facts.starved && needs_slot))
        return {off_loop};
    if (learned.attempt())
    {
        if (learned.knows_nowait())
            return {on_loop, true};
        if (facts.direct_to_device)
            return {on_loop};
    }
    return {off_loop, false, true};
}

/// The path of all plain transfers of a file in one direction.
struct common_path
{
    /// The loop takes them without a look at each.
    bool open;

    /// The kernel is asked not to wait.
    bool adds_nowait;
};

/// Make the choice of choose_path() once for many transfers.
/** Only while the file has refused nothing lately: until then no choice changes what was learned. */
inline common_path choose_common_path(const path_facts& facts, const would_block& learned) noexcept
{
    if (!learned.trusted())
        return {false, false};
    would_block unused;
    would_block same = learned;
    const path_choice choice = choose_path(facts, unused, same);
    return {choice.where == path::loop_try || choice.where == path::loop_submission,
            choice.adds_nowait};
}

} // namespace detail
} // namespace kaio

#endif // KAIO_POLICY_PATH_HPP
