//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <kaio/service_statistics.hpp>

#include <ostream>

namespace kaio {

std::ostream& operator<<(std::ostream& os, const service_statistics& s)
{
    return os << "operations started      " << s.operations_started << "\noperations completed    "
              << s.operations_completed << "\n  of these failed       " << s.operations_failed
              << "\n  of these cancelled    " << s.operations_cancelled
              << "\noutstanding             " << s.outstanding << ", at most "
              << s.outstanding_high_water << "\nqueued                  " << s.queued
              << ", at most " << s.queued_high_water << "\nin flight, at most      "
              << s.in_flight_high_water << "\nio_submit calls         " << s.submit_calls
              << ", longest on the loop " << s.longest_submit.count() << " ns, largest batch "
              << s.largest_batch << "\nevents from the ring    " << s.events_from_ring
              << "\nevents by system call   " << s.events_from_syscall
              << "\nwould-block fallbacks   " << s.would_block_fallbacks
              << "\nhelper operations       " << s.helper_operations << "\nthread submissions      "
              << s.thread_submissions << "\nbytes read              " << s.bytes_read
              << "\nbytes written           " << s.bytes_written << "\nkernel AIO              "
              << (s.kernel_aio ? "yes" : "no: " + s.setup_error) << '\n';
}

} // namespace kaio
