//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_POLICY_PACING_HPP
#define KAIO_POLICY_PACING_HPP

#include <cstddef>

namespace kaio {
namespace detail {

/// The facts that decide how many operations are submitted by one call.
struct pacing_facts
{
    /// As many as there may be: service_options::max_batch.
    std::size_t max_batch;

    /// The loop submits, rather than a helper.
    bool on_loop;

    /// The last submission for this file has waited.
    bool submission_blocks;
};

/// How many operations are submitted by one call at most.
/** The loop fills a batch. Where submissions wait, several helpers get further with one operation each. */
inline std::size_t largest_group(const pacing_facts& facts) noexcept
{
    return !facts.on_loop && facts.submission_blocks ? 1 : facts.max_batch;
}

} // namespace detail
} // namespace kaio

#endif // KAIO_POLICY_PACING_HPP
