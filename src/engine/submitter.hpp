//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_ENGINE_SUBMITTER_HPP
#define KAIO_ENGINE_SUBMITTER_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <kaio/service_options.hpp>

#include "engine/batch_filler.hpp"
#include "engine/operation_table.hpp"
#include "kernel/aio_context.hpp"
#include "queue/batch_pool.hpp"

namespace kaio {
namespace detail {

/// Hands operations to the kernel, and takes back what it has completed.
/** All functions are called with the engine's lock held, and leave it for what may take long. */
class submitter
{
public:
    using lock_type = file_table::lock_type;

    submitter(const service_options& options, file_table& files, slot_table& slots,
              operation_table& operations, batch_filler& filler, service_counters& counters);

    /// Have the kernel make an AIO context. Throws setup_failure if that fails and it is required.
    void set_up(bool required);

    /// Forget the context: it exists in another process only.
    void abandon() noexcept;

    /// Whether submit_from_loop() would find something to do.
    bool may_submit_from_loop() const noexcept
    {
        return batches_.available() && filler_.may_fill_from_loop();
    }

    /// Submit what was started and what there is room for.
    void submit_from_loop(lock_type& lock) noexcept;

    /// Have the kernel carry out a batch.
    void hand_over(submission_batch& batch, bool on_loop, lock_type& lock) noexcept;

    /// Take what has completed. Returns how much that was.
    std::size_t harvest() noexcept
    {
        return context_ ? operations_.harvest(*context_) : 0;
    }

    /// Sleep until something has completed, and take it.
    /** False if the kernel refuses to tell: then nothing is known of what is in flight. */
    bool wait_for_completions() noexcept;

private:
    // io_submit: submitter.cpp.
    void find_positions(submission_batch& batch, bool on_loop, lock_type& lock) noexcept;
    void submit(submission_batch& batch, bool on_loop, lock_type& lock) noexcept;
    void time_on_loop(std::chrono::nanoseconds duration, std::chrono::nanoseconds most,
                      const submission_batch& batch,
                      submission_batch::kinds submission_batch::batch_file::*way) noexcept;
    void no_room(submission_batch& batch, std::size_t first, bool on_loop) noexcept;
    void rejected(operation_record& record, int error) noexcept;

    // System calls of their own: loop_tries.cpp.
    void make_tries(submission_batch& batch, lock_type& lock) noexcept;
    void returned(operation_record& record) noexcept;
    void not_tried(operation_record& record) noexcept;

    const service_options& options_;
    file_table& files_;
    slot_table& slots_;
    operation_table& operations_;
    batch_filler& filler_;
    service_counters& counters_;
    std::optional<aio_context> context_;
    batch_pool batches_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_ENGINE_SUBMITTER_HPP
