//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_ENGINE_HELPER_WORK_HPP
#define KAIO_ENGINE_HELPER_WORK_HPP

#include <optional>

#include <kaio/service_options.hpp>

#include "engine/batch_filler.hpp"
#include "engine/operation_table.hpp"
#include "engine/submitter.hpp"

namespace kaio {
namespace detail {

/// What helpers do: submissions, system calls and prefetch, all of which may wait.
/** All functions are called with the engine's lock held, and leave it for what may take long. */
class helper_work
{
public:
    using lock_type = file_table::lock_type;

    helper_work(const service_options& options, file_table& files, slot_table& slots,
                helper_table& helpers, operation_table& operations, batch_filler& filler,
                submitter& s, service_counters& counters) noexcept
      : options_(options), files_(files), slots_(slots), helpers_(helpers), operations_(operations),
        filler_(filler), submitter_(s), counters_(counters)
    {
    }

    /// Whether a helper would find something to do.
    bool any() const noexcept;

    /// Do something, if there is something to do.
    bool work_once(std::optional<submission_batch>& batch, lock_type& lock) noexcept;

private:
    // Submissions and system calls: helper_work.cpp.
    bool may_work_for(const open_file& file) const noexcept;
    open_file* next_file() noexcept;
    void wait_for_slot() noexcept;
    void wake_another() noexcept;
    bool reserve(std::optional<submission_batch>& batch) const noexcept;
    void carry_out(operation_record& record, lock_type& lock) noexcept;
    void take_next_append(open_file& file) noexcept;

    // Prefetch: prefetch.cpp.
    operation_record* next_to_prefetch() noexcept;
    void prefetch(lock_type& lock) noexcept;

    const service_options& options_;
    file_table& files_;
    slot_table& slots_;
    helper_table& helpers_;
    operation_table& operations_;
    batch_filler& filler_;
    submitter& submitter_;
    service_counters& counters_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_ENGINE_HELPER_WORK_HPP
