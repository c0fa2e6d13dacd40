//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SIMULATION_KERNEL_HPP
#define KAIO_TEST_SIMULATION_KERNEL_HPP

#include <linux/aio_abi.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "refused_memory.hpp"
#include "schedule.hpp"

namespace kaio {
namespace test {

/// What is made to happen, each with a chance in percent.
struct fault_rates
{
    // What the user must not notice.
    std::uint32_t would_block = 0;    // RWF_NOWAIT is refused for now
    std::uint32_t unknown_flag = 0;   // a file doesn't know RWF_NOWAIT; drawn once for each file
    std::uint32_t refused_by_aio = 0; // a file knows no AIO; drawn once for each file
    std::uint32_t no_aio = 0;         // io_setup is refused
    std::uint32_t partial_submission = 0; // io_submit takes some only
    std::uint32_t busy = 0;               // io_submit takes none for now
    std::uint32_t within_submit = 0;      // completes before io_submit returns
    std::uint32_t no_thread = 0;
    std::uint32_t signal_for_nothing = 0;
    std::uint32_t no_memory = 0; // per mille

    // What the user has to be told.
    std::uint32_t short_transfer = 0;
    std::uint32_t io_error = 0;
};

/// What was done to a transfer on purpose.
struct transfer_faults
{
    std::set<int> errors;
    bool cut_short = false;
};

/// Linux AIO and the transfers of a thread, on real files, with a will of its own.
/**
 * An operation that was submitted is carried out at some time, then is in the ring, then is
 * signalled. The schedule draws when.
 */
class kernel
{
public:
    explicit kernel(schedule& s);
    ~kernel();

    kernel(const kernel&) = delete;
    kernel& operator=(const kernel&) = delete;

    static kernel* current() noexcept;

    void set_rates(const fault_rates& rates)
    {
        rates_ = rates;
    }

    const fault_rates& rates() const
    {
        return rates_;
    }

    /// Whether a transfer by way of a descriptor goes past the page cache, as F_GETFL tells.
    void set_direct(int descriptor, bool direct);

    /// Transfers by a descriptor of this number are forbidden: it belongs to somebody else.
    void forbid(int descriptor);
    void allow(int descriptor);

    /// Remember what is done to transfers of this memory.
    void watch(const void* memory, std::size_t size, transfer_faults& faults);
    void unwatch(const void* memory);

    /// All errors that syncs were given.
    const std::set<int>& errors_of_syncs() const
    {
        return errors_of_syncs_;
    }

    bool holds_operations() const;

    bool no_contexts() const
    {
        return contexts_.empty();
    }

    // The calls. Those of AIO return a negative errno, the others set errno.
    int setup(unsigned events, ::aio_context_t* context);
    int destroy(::aio_context_t context);
    int submit(::aio_context_t context, long count, ::iocb** blocks);
    int get_events(::aio_context_t context, long minimum, long maximum, ::io_event* events);
    ::ssize_t transfer(bool write, int descriptor, const ::iovec* buffers, int count,
                       ::off_t offset, int flags);
    int sync(int descriptor, bool data);
    int file_status_flags(int descriptor, int flags) const;
    bool refuses_thread();
    bool refuses_memory();

private:
    struct context;
    struct operation;

    bool happens();
    bool happens_in(context& c);
    void carry_out(operation& o);
    void put_into_ring(context& c, const operation& o);
    std::int64_t perform(bool write, int descriptor, const ::iovec* buffers, int count,
                         std::int64_t offset, int flags);
    std::int64_t perform_sync(int descriptor, bool data);
    void check_allowed(int descriptor) const;
    transfer_faults* faults_of(const ::iovec* buffers, int count);
    bool draw_once(std::map<std::uint64_t, bool>& drawn, int descriptor, std::uint32_t percent);

    schedule& schedule_;
    fault_rates rates_;
    std::map<::aio_context_t, std::unique_ptr<context>> contexts_;
    std::set<int> direct_;
    std::set<int> forbidden_;
    std::set<std::uint64_t> were_direct_;
    std::map<std::uint64_t, bool> unknown_flag_;
    std::map<std::uint64_t, bool> refused_by_aio_;
    std::set<int> errors_of_syncs_;

    struct watched
    {
        const char* end;
        transfer_faults* faults;
    };

    std::map<const char*, watched> watched_;
};

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SIMULATION_KERNEL_HPP
