//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_STATISTICS_HPP
#define KAIO_TEST_SUPPORT_STATISTICS_HPP

#include <kaio/service_statistics.hpp>

namespace kaio {
namespace test {

/// Whether the figures agree with each other, as they must at any time.
inline bool consistent(const service_statistics& s)
{
    return s.operations_started == s.operations_completed + s.outstanding &&
           s.operations_failed + s.operations_cancelled <= s.operations_completed &&
           s.queued <= s.outstanding && s.outstanding <= s.outstanding_high_water &&
           s.would_block_fallbacks ==
               s.refused_fallbacks + s.unknown_flag_fallbacks + s.short_fallbacks &&
           s.operations_started + s.would_block_fallbacks + s.unsupported_fallbacks +
                   s.loop_retries ==
               s.immediate_completions + s.completed_while_queued + s.queued + s.loop_submissions +
                   s.loop_tries + s.helper_submissions + s.helper_operations;
}

/// Whether no operation has left the loop, unless a thread seemed to wait in io_submit.
/** It seems so too where it lost its processor there, which tests that run side by side may see. */
inline bool stayed_on_loop(const service_statistics& s)
{
    return s.slow_submissions != 0 || (s.helper_operations == 0 && s.helper_submissions == 0);
}

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_STATISTICS_HPP
