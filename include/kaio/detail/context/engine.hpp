//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_CONTEXT_ENGINE_HPP
#define KAIO_DETAIL_CONTEXT_ENGINE_HPP

#include <memory>

#include <kaio/detail/config.hpp>
#include <kaio/detail/file/file_traits.hpp>
#include <kaio/detail/operation/operation_record.hpp>
#include <kaio/service_options.hpp>
#include <kaio/service_statistics.hpp>

namespace kaio {
namespace detail {

/// Why a turn begins.
enum class turn_cause
{
    /// A member of the engine asked for it.
    scheduled,

    /// The wake descriptor became readable.
    woken
};

/// What the owner of an engine is to do before it turns to something else.
enum class next_step
{
    /// Nothing: another turn is scheduled, or nothing is outstanding.
    none,

    /// Schedule a turn: there is work for it already.
    schedule_turn,

    /// Wait until the wake descriptor is readable, then begin a turn.
    wait
};

/// What has become of a file.
enum class file_state
{
    /// It is being opened.
    opening,
    open,

    /// It could not be opened.
    closed
};

/// The next finished operation, and what is to be done before its handler is called.
struct finished_operation
{
    operation_record* record;
    next_step before;
};

/// Takes operations, has the kernel carry them out, and gives them back finished.
/**
 * The engine knows Linux and nothing of Asio, and calls nobody back. Its owner runs turns: it calls
 * begin_turn(), takes operations that have finished, calls end_turn() and does what that says.
 * Other member functions ask for a turn by returning true: the caller posts one and calls
 * turn_posted(), or else turn_not_posted(). All members may be called from any thread.
 *
 * In a child process that was not told of the fork, members that a destructor calls do nothing: the
 * lock may be held by a thread that the child doesn't have.
 */
class engine
{
public:
    /// Throws setup_failure if the kernel refuses a descriptor, or an AIO context that is required.
    KAIO_DECL explicit engine(const service_options& options);
    KAIO_DECL ~engine();

    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;

    /// The eventfd that becomes readable when operations have finished.
    KAIO_DECL int wake_descriptor() const noexcept;

    /// Make a descriptor known.
    KAIO_DECL open_file* adopt(int descriptor);

    /// Make a file known that is being opened.
    KAIO_DECL open_file* begin_open();

    /// Give a file that is being opened its descriptor. False if it was closed or cancelled meanwhile.
    KAIO_DECL bool opened(open_file& file, int descriptor, const file_traits& description) noexcept;

    /// Say that a file could not be opened.
    KAIO_DECL void not_opened(open_file& file) noexcept;

    /// What has become of a file that was made known.
    KAIO_DECL file_state state(const open_file& file) const noexcept;

    /// The descriptor of a file, or -1.
    KAIO_DECL int descriptor(const open_file& file) const noexcept;

    /// Keep a file known that may be closed.
    KAIO_DECL void reference(open_file& file) noexcept;
    KAIO_DECL void dereference(open_file& file) noexcept;

    /// The file to which operations belong that no file object refers to any more.
    KAIO_DECL open_file& no_file() noexcept;

    /// Abort what waits on a file.
    KAIO_DECL bool cancel(open_file& file) noexcept;

    /// Close a file on which nothing waits. Operations in flight go on, and complete.
    /**
     * The number of the descriptor is not free for others before no submission can be using it.
     * Returns 0 or the errno of close(2).
     */
    KAIO_DECL int close(open_file* file) noexcept;

    /// Forget a file on which nothing waits, and return its descriptor.
    /** Waits for the end of submissions and threads that are using the descriptor. */
    KAIO_DECL int release(open_file* file) noexcept;

    /// The number of files that were made known, and not closed or released.
    KAIO_DECL std::size_t open_files() const noexcept;

    /// Abort the operation at the end of a link, if it still waits.
    KAIO_DECL bool cancel(cancellation_link& link) noexcept;

    /// Connect an operation that was not started yet with its cancellation slot.
    KAIO_DECL void connect(operation_record& record, cancellation_link& link) noexcept;

    /// Let go of the operation at the end of a link.
    KAIO_DECL void disconnect(cancellation_link& link) noexcept;

    /// Take an operation.
    KAIO_DECL bool start(operation_record& record, open_file& file) noexcept;

    /// Outside of turns: the turn that was asked for has been posted.
    KAIO_DECL void turn_posted() noexcept;

    /// Outside of turns: the turn that was asked for can't be posted. It begins by a wait.
    /** Returns true if the caller has to wait. It then calls wait_armed(). */
    KAIO_DECL bool turn_not_posted() noexcept;

    /// Outside of turns: the wait that turn_not_posted() wanted has begun.
    KAIO_DECL void wait_armed() noexcept;

    /// In a turn: the turn that was asked for can't be posted. It begins by a wait.
    /** Returns true if the caller has to wait. */
    KAIO_DECL bool turn_not_posted_in_turn() noexcept;

    /// Count an operation that completes without the engine. By -1, one that could not even do that.
    KAIO_DECL void count_immediate(bool failed, int how_many) noexcept;

    /// Harvest, and submit what was started and what there is room for now.
    /**
     * A submission may take long. Returns true if another thread has to see to the rest meanwhile:
     * nothing was submitted yet, and the caller posts a turn, then calls submit_started().
     */
    KAIO_DECL bool begin_turn(turn_cause cause) noexcept;
    KAIO_DECL void submit_started() noexcept;

    /// Take one finished operation; its record is nullptr if there is none.
    /**
     * A handler may take long. What is to be done before it is called lets another thread see to
     * the rest meanwhile.
     */
    KAIO_DECL finished_operation take_finished() noexcept;

    /// End a turn.
    KAIO_DECL next_step end_turn() noexcept;

    /// Wait until neither the kernel nor a thread holds anything, and end the threads.
    /** Afterwards take_finished() gives all that is left. */
    KAIO_DECL void shutdown() noexcept;

    /// Before a fork: the wake descriptor that the child will have.
    /** Throws setup_failure if the kernel refuses it. */
    KAIO_DECL int wake_descriptor_of_child();

    /// There will be no fork: close that descriptor.
    KAIO_DECL void forget_descriptor_of_child() noexcept;

    /// Then: as shutdown(), but what waits goes on waiting. Waits for the wake descriptor are over.
    KAIO_DECL void prepare_fork() noexcept;

    /// After a fork, in the parent: go on.
    KAIO_DECL bool resume_in_parent() noexcept;

    /// After a fork, in the child: go on with nothing that waits, and with the child's descriptor.
    KAIO_DECL bool resume_in_child() noexcept;

    /// Whether this is a copy in a child process in which resume_in_child() was not called.
    KAIO_DECL bool is_foreign() const noexcept;

    KAIO_DECL service_statistics statistics() const;

private:
    class implementation;
    std::unique_ptr<implementation> implementation_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_CONTEXT_ENGINE_HPP
