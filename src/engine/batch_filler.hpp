//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_ENGINE_BATCH_FILLER_HPP
#define KAIO_ENGINE_BATCH_FILLER_HPP

#include <cstddef>
#include <cstdint>

#include <kaio/service_options.hpp>

#include "engine/operation_table.hpp"
#include "engine/turn_signals.hpp"
#include "policy/path.hpp"
#include "queue/submission_batch.hpp"

namespace kaio {
namespace detail {

/// Decides which operations go to the kernel next, and by which path.
/** All functions are called with the engine's lock held. */
class batch_filler
{
public:
    batch_filler(const service_options& options, const turn_signals& turns, file_table& files,
                 slot_table& slots, const helper_table& helpers, operation_table& operations,
                 service_counters& counters) noexcept
      : options_(options), turns_(turns), files_(files), slots_(slots), helpers_(helpers),
        operations_(operations), counters_(counters)
    {
    }

    /// Whether an operation waits that fill_from_loop() would take.
    bool may_fill_from_loop() const noexcept;

    /// Fill a batch with what the loop submits and calls. What it must not do goes to helpers.
    void fill_from_loop(submission_batch& batch, bool with_tries) noexcept;

    /// Fill a batch with operations of a file that a helper submits.
    void fill_from_helper(open_file& file, submission_batch& batch) noexcept;

    /// Whether a file waits for a slot that only other mounts can give back.
    /** They may hang: its operations then go by helpers, which carry out what they find no slot for. */
    bool is_starved(const open_file& file) const noexcept;

private:
    bool has_aio() const noexcept
    {
        return slots_.capacity() != 0;
    }

    bool must_wait(const open_file& file) const noexcept;
    path path_of(operation_record& record, bool starved) noexcept;
    common_path common_path_of(const open_file& file, operation_kind kind) const noexcept;
    bool submits_on_loop(operation_kind kind) const noexcept;
    static void look_before(open_file& file) noexcept;
    std::size_t take_fast_path(open_file& file, submission_batch& batch) noexcept;
    bool take_slow_path(open_file& file, bool starved, submission_batch& batch) noexcept;
    bool take_slot(operation_record& record, submission_batch& batch) noexcept;
    bool take_try(operation_record& record, submission_batch& batch) noexcept;

    const service_options& options_;
    const turn_signals& turns_;
    file_table& files_;
    slot_table& slots_;
    const helper_table& helpers_;
    operation_table& operations_;
    service_counters& counters_;
    std::uint64_t last_number_ = 0;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_ENGINE_BATCH_FILLER_HPP
