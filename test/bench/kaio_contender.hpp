//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_KAIO_CONTENDER_HPP
#define KAIO_BENCH_KAIO_CONTENDER_HPP

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <kaio/kaio.hpp>
#include <map>
#include <string>

#include "file_contender.hpp"

namespace bench {

/// kaio with a callback for each operation.
class kaio_contender : public file_contender<kaio::random_access_file>
{
public:
    explicit kaio_contender(bench::lane& lane) : file_contender(lane, make_service)
    {
    }

    std::map<std::string, double> statistics() override
    {
        const kaio::service_statistics s =
            boost::asio::use_service<kaio::aio_service>(loop_.context()).statistics();
        const auto number = [](auto n) { return static_cast<double>(n); };
        return {
            {"kaio_submit_calls", number(s.submit_calls)},
            {"kaio_largest_batch", number(s.largest_batch)},
            {"kaio_events_from_ring", number(s.events_from_ring)},
            {"kaio_events_from_syscall", number(s.events_from_syscall)},
            {"kaio_would_block_fallbacks", number(s.would_block_fallbacks)},
            {"kaio_loop_tries", number(s.loop_tries)},
            {"kaio_helper_operations", number(s.helper_operations)},
            {"kaio_prefetched_reads", number(s.prefetched_reads)},
            {"kaio_kernel_aio", number(s.kernel_aio)},
            {"kaio_longest_submit_us",
             std::chrono::duration<double, std::micro>(s.longest_submit).count()},
        };
    }

private:
    static void make_service(boost::asio::io_context& context, const cell& c)
    {
        kaio::service_options options;
        if (c.max_in_flight != 0)
            options.max_in_flight = c.max_in_flight;
        if (c.max_batch != 0)
            options.max_batch = c.max_batch;
        kaio::make_aio_service(context, options);
    }
};

/// kaio with a coroutine for each slot.
class kaio_coroutine_contender : public kaio_contender
{
public:
    using kaio_contender::kaio_contender;

    void run() override
    {
        loop_.run(
            [this](slot& s) {
                boost::asio::co_spawn(loop_.context(), carry_out(s), boost::asio::detached);
            },
            [] {});
    }

private:
    boost::asio::awaitable<void> carry_out(slot& s)
    {
        constexpr auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
        long n = 0;
        do
        {
            kaio::random_access_file& file = files_[s.handle];
            if (s.op.kind == operation::sync)
            {
                const auto [ec] = co_await file.async_sync_data(token);
                n = result(ec, 0);
            }
            else if (s.op.kind == operation::read)
            {
                const auto [ec, size] =
                    co_await file.async_read_some_at(s.op.offset, buffer(s), token);
                n = result(ec, size);
            }
            else
            {
                const auto [ec, size] =
                    co_await file.async_write_some_at(s.op.offset, buffer(s), token);
                n = result(ec, size);
            }
        } while (loop_.completed(s, n));
    }
};

} // namespace bench

#endif // KAIO_BENCH_KAIO_CONTENDER_HPP
