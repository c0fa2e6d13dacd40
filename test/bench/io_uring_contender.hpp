//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_IO_URING_CONTENDER_HPP
#define KAIO_BENCH_IO_URING_CONTENDER_HPP

#include <liburing.h>

#include <cerrno>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "contender.hpp"

namespace bench {

/// io_uring by hand, with the flags that suit a program whose one thread submits and waits.
class io_uring_contender final : public contender
{
public:
    explicit io_uring_contender(bench::lane& lane) : lane_(lane), files_(open_files(lane.cell()))
    {
        int result = set_up(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
        if (result == -EINVAL)
            result = set_up(0);
        if (result < 0)
            throw not_available("io_uring_setup: " + std::generic_category().message(-result));
    }

    ~io_uring_contender() override
    {
        ::io_uring_queue_exit(&ring_);
    }

    void run() override
    {
        std::size_t in_flight = 0;
        for (slot& s : lane_.slots())
            if (lane_.begin(s))
            {
                prepare(s);
                ++in_flight;
            }
        while (in_flight != 0)
        {
            const int result = ::io_uring_submit_and_wait(&ring_, 1);
            if (result < 0 && result != -EINTR)
            {
                errno = -result;
                throw_errno("io_uring_submit_and_wait");
            }
            in_flight -= take();
        }
    }

private:
    int set_up(unsigned flags)
    {
        return ::io_uring_queue_init(static_cast<unsigned>(lane_.slots().size()), &ring_, flags);
    }

    void prepare(slot& s)
    {
        ::io_uring_sqe* const entry = ::io_uring_get_sqe(&ring_);
        if (!entry)
            throw std::logic_error("io_uring_get_sqe: no room");
        const int fd = files_[s.handle].get();
        const auto size = static_cast<unsigned>(lane_.block_size());
        switch (s.op.kind)
        {
        case operation::read:
            ::io_uring_prep_read(entry, fd, s.data, size, s.op.offset);
            break;
        case operation::write:
            ::io_uring_prep_write(entry, fd, s.data, size, s.op.offset);
            break;
        case operation::sync:
            ::io_uring_prep_fsync(entry, fd, IORING_FSYNC_DATASYNC);
        }
        ::io_uring_sqe_set_data(entry, &s);
    }

    // The number of slots that have ended.
    std::size_t take()
    {
        std::size_t ended = 0;
        unsigned head = 0;
        unsigned n = 0;
        ::io_uring_cqe* entry = nullptr;
        io_uring_for_each_cqe(&ring_, head, entry)
        {
            ++n;
            slot& s = *static_cast<slot*>(::io_uring_cqe_get_data(entry));
            if (lane_.completed(s, entry->res))
                prepare(s);
            else
                ++ended;
        }
        ::io_uring_cq_advance(&ring_, n);
        return ended;
    }

    bench::lane& lane_;
    std::vector<descriptor> files_;
    ::io_uring ring_{};
};

} // namespace bench

#endif // KAIO_BENCH_IO_URING_CONTENDER_HPP
