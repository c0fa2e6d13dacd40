//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_THREAD_CONTENDERS_HPP
#define KAIO_BENCH_THREAD_CONTENDERS_HPP

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <thread>
#include <vector>

#include "blocking_operation.hpp"
#include "contender.hpp"
#include "loop_contender.hpp"

namespace bench {

/// Blocking calls on an asio::thread_pool, whose results are posted to the loop.
class thread_pool_contender final : public loop_contender
{
public:
    thread_pool_contender(bench::lane& lane, std::size_t threads)
      : loop_contender(lane), files_(open_files(lane.cell())), pool_(threads)
    {
    }

    void run() override
    {
        loop_.run([this](slot& s) { start(s); }, [] {});
    }

private:
    using work_guard = boost::asio::executor_work_guard<boost::asio::io_context::executor_type>;

    void start(slot& s)
    {
        boost::asio::post(pool_, [this, &s, work = work_guard(loop_.context().get_executor())] {
            const long result = carry_out(files_[s.handle].get(), s, loop_.lane().block_size());
            boost::asio::post(loop_.context(), [this, &s, result] {
                if (loop_.completed(s, result))
                    start(s);
            });
        });
    }

    std::vector<descriptor> files_;
    boost::asio::thread_pool pool_;
};

/// A thread for each slot, without an event loop. At depth 1 the plain synchronous program.
class blocking_contender final : public contender
{
public:
    explicit blocking_contender(bench::lane& lane) : files_(open_files(lane.cell())), lane_(lane)
    {
    }

    void run() override
    {
        std::vector<std::thread> others;
        for (std::size_t i = 1; i < lane_.slots().size(); ++i)
            others.emplace_back([this, i] {
                lane_.enter();
                carry_out_all(lane_.slots()[i]);
            });
        carry_out_all(lane_.slots()[0]);
        for (std::thread& t : others)
            t.join();
    }

private:
    void carry_out_all(slot& s)
    {
        if (!lane_.begin(s))
            return;
        while (lane_.completed(s, carry_out(files_[s.handle].get(), s, lane_.block_size())))
        {
        }
    }

    std::vector<descriptor> files_;
    bench::lane& lane_;
};

} // namespace bench

#endif // KAIO_BENCH_THREAD_CONTENDERS_HPP
