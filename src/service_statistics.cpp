//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <kaio/service_statistics.hpp>

#include <ostream>
#include <sstream>

namespace kaio {
namespace {

std::string fixed_point(double number)
{
    std::ostringstream os;
    os.setf(std::ios::fixed);
    os.precision(1);
    os << number;
    return os.str();
}

} // namespace

std::ostream& operator<<(std::ostream& os, const service_statistics& s)
{
    return os << "operations started      " << s.operations_started << "\noperations completed    "
              << s.operations_completed << "\n  of these failed       " << s.operations_failed
              << "\n  of these cancelled    " << s.operations_cancelled
              << "\n  at once               " << s.immediate_completions
              << "\n  while queued          " << s.completed_while_queued
              << "\noutstanding             " << s.outstanding << ", at most "
              << s.outstanding_high_water << "\nqueued                  " << s.queued
              << ", at most " << s.queued_high_water << "\nin flight, at most      "
              << s.in_flight_high_water << "\nsubmitted on the loop   " << s.loop_submissions
              << "\ntries on the loop       " << s.loop_tries << "\nsubmitted by helpers    "
              << s.helper_submissions << "\ncarried out by helpers  " << s.helper_operations
              << "\n  prefetched            " << s.prefetched_reads << "\nio_submit calls         "
              << s.submit_calls << ", mean batch " << fixed_point(s.mean_batch()) << ", largest "
              << s.largest_batch << "\n  longest on the loop   " << s.longest_submit.count()
              << " ns, " << s.slow_submissions << " over 1 ms\nevents from the ring    "
              << s.events_from_ring << "\nevents by system call   " << s.events_from_syscall
              << "\nwould-block fallbacks   " << s.would_block_fallbacks
              << "\n  refused               " << s.refused_fallbacks << "\n  flag unknown          "
              << s.unknown_flag_fallbacks << "\n  cut short             " << s.short_fallbacks
              << "\nattempts skipped        " << s.skipped_attempts << "\nunsupported by AIO      "
              << s.unsupported_fallbacks << "\nretries on the loop     " << s.loop_retries
              << "\nbytes read              " << s.bytes_read << "\nbytes written           "
              << s.bytes_written << "\nkernel AIO              "
              << (s.kernel_aio ? "yes" : "no: " + s.setup_error) << '\n';
}

} // namespace kaio
