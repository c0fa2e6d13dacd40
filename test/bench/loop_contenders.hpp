//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_LOOP_CONTENDERS_HPP
#define KAIO_BENCH_LOOP_CONTENDERS_HPP

#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstddef>
#include <vector>

#include "contender.hpp"
#include "loop_contender.hpp"
#include "plain_aio.hpp"

namespace bench {

/// io_submit as it comes, on Asio's loop: what kaio would be if it took no care of the loop.
class plain_aio_contender final : public loop_contender
{
public:
    explicit plain_aio_contender(bench::lane& lane)
      : loop_contender(lane), files_(open_files(lane.cell())), aio_(loop_.context())
    {
    }

    void run() override
    {
        loop_.run([this](slot& s) { start(s); }, [] {});
    }

private:
    void start(slot& s)
    {
        const int fd = files_[s.handle].get();
        const std::size_t size = loop_.lane().block_size();
        const auto done = [this, &s](long result) {
            if (loop_.completed(s, result))
                start(s);
        };
        switch (s.op.kind)
        {
        case operation::read:
            aio_.read(fd, s.data, size, s.op.offset, done);
            break;
        case operation::write:
            aio_.write(fd, s.data, size, s.op.offset, done);
            break;
        case operation::sync:
            aio_.sync(fd, done);
        }
    }

    std::vector<descriptor> files_;
    plain_aio aio_;
};

/// Does nothing for as long as the others work: shows how late a loop is without them.
class idle_contender final : public loop_contender
{
public:
    using loop_contender::loop_contender;

    void run() override
    {
        loop_.run([this](slot& s) { wait(s); }, [] {});
    }

private:
    void wait(slot& s)
    {
        s.started_operations = 0;
        timer_.expires_after(loop_.lane().cell().duration);
        timer_.async_wait([this](boost::system::error_code) { loop_.end(); });
    }

    boost::asio::steady_timer timer_{loop_.context()};
};

} // namespace bench

#endif // KAIO_BENCH_LOOP_CONTENDERS_HPP
