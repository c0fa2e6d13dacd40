//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_POSIX_AIO_CONTENDER_HPP
#define KAIO_BENCH_POSIX_AIO_CONTENDER_HPP

#include <aio.h>
#include <fcntl.h>

#include <cerrno>
#include <cstddef>
#include <vector>

#include "contender.hpp"

namespace bench {

/// POSIX AIO as the C library has it, waiting in aio_suspend.
class posix_aio_contender final : public contender
{
public:
    explicit posix_aio_contender(bench::lane& lane)
      : lane_(lane), files_(open_files(lane.cell())), blocks_(lane.slots().size()),
        waiting_(lane.slots().size())
    {
    }

    void run() override
    {
        std::size_t active = 0;
        for (slot& s : lane_.slots())
            if (lane_.begin(s))
            {
                start(s);
                ++active;
            }
        while (active != 0)
        {
            if (::aio_suspend(waiting_.data(), static_cast<int>(waiting_.size()), nullptr) != 0 &&
                errno != EINTR)
                throw_errno("aio_suspend");
            for (slot& s : lane_.slots())
                if (waiting_[s.number] && !take(s))
                    --active;
        }
    }

private:
    void start(slot& s)
    {
        ::aiocb& block = blocks_[s.number];
        block = {};
        block.aio_fildes = files_[s.handle].get();
        block.aio_buf = s.data;
        block.aio_nbytes = lane_.block_size();
        block.aio_offset = static_cast<off_t>(s.op.offset);
        block.aio_sigevent.sigev_notify = SIGEV_NONE;
        const int result = s.op.kind == operation::read    ? ::aio_read(&block)
                           : s.op.kind == operation::write ? ::aio_write(&block)
                                                           : ::aio_fsync(O_DSYNC, &block);
        if (result != 0)
            throw_errno("aio_read, aio_write or aio_fsync");
        waiting_[s.number] = &block;
    }

    // Whether the slot goes on.
    bool take(slot& s)
    {
        ::aiocb& block = blocks_[s.number];
        const int error = ::aio_error(&block);
        if (error == EINPROGRESS)
            return true;
        const ssize_t size = ::aio_return(&block);
        waiting_[s.number] = nullptr;
        if (!lane_.completed(s, error != 0 ? -error : size))
            return false;
        start(s);
        return true;
    }

    bench::lane& lane_;
    std::vector<descriptor> files_;
    std::vector<::aiocb> blocks_;
    std::vector<const ::aiocb*> waiting_;
};

} // namespace bench

#endif // KAIO_BENCH_POSIX_AIO_CONTENDER_HPP
