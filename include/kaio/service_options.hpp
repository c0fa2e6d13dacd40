//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_SERVICE_OPTIONS_HPP
#define KAIO_SERVICE_OPTIONS_HPP

#include <cstddef>

#include <kaio/detail/config.hpp>

namespace kaio {

/// Where operations are handed to the kernel.
enum class submission_mode
{
    /// On the threads that run the execution context, asking the kernel not to wait.
    /** A file system that is frozen, for a snapshot, makes writes wait all the same, and with them
     * the loop. */
    on_loop,

    /// On helper threads. Starting an operation makes no system call that can wait for a disk.
    on_thread,

    /// Writes on helper threads, all else as with @c on_loop.
    /** So a frozen file system holds writes, and not the loop. */
    writes_on_thread
};

/// How an aio_service is set up.
struct service_options
{
    /// The number of operations that the kernel may hold at once. Further ones wait in kaio.
    /**
     * Every context takes this many of the system-wide number of events, fs.aio-max-nr (65536
     * unless configured). It should stay below the request queue of the device
     * (/sys/block/DEVICE/queue/nr_requests), as a submission that finds that queue full blocks.
     */
    std::size_t max_in_flight = 256;

    /// The number of operations that one call of io_submit hands over at most. More than 1024 means 1024.
    std::size_t max_batch = 64;

    /// The number of threads, at most, for work that would make the loop wait.
    /**
     * They are created when there is such work. One file uses at most half of them, and the files
     * of one mount leave two to others, as it may hang, if there are that many. That doesn't bound
     * how many buffered reads a disk works at: the kernel is told of those that wait, see
     * service_statistics::prefetched_reads. With 0, and in programs built with
     * @c BOOST_ASIO_DISABLE_THREADS, such work makes the loop wait.
     */
    std::size_t helper_threads = 8;

    /// Where operations are handed to the kernel.
    submission_mode submission = submission_mode::on_loop;

    /// Whether make_aio_service() fails if the kernel refuses an AIO context.
    /** Otherwise helper threads do all the work, see service_statistics::kernel_aio. */
    bool require_kernel_aio = false;
};

} // namespace kaio

#endif // KAIO_SERVICE_OPTIONS_HPP
