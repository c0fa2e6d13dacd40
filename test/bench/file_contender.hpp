//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_FILE_CONTENDER_HPP
#define KAIO_BENCH_FILE_CONTENDER_HPP

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "allocation_counter.hpp"
#include "contender.hpp"
#include "loop_contender.hpp"

namespace bench {

/// A file class of Asio's interface: kaio::random_access_file or boost::asio::random_access_file.
template <typename File>
class file_contender : public loop_contender
{
public:
    using setup = std::function<void(boost::asio::io_context&, const cell&)>;

    explicit file_contender(bench::lane& lane, const setup& set_up = {}) : loop_contender(lane)
    {
        if (set_up)
            set_up(loop_.context(), lane.cell());
        open(lane.cell());
    }

    void run() override
    {
        const std::uint64_t before = live_bytes();
        loop_.run([this](slot& s) { start(s); }, [&] { bytes_ = live_bytes() - before; });
    }

    std::uint64_t bytes_started() const override
    {
        return bytes_;
    }

protected:
    using sync_handler = void (*)(boost::system::error_code);

    template <typename F>
    static constexpr auto syncs_asynchronously(int)
        -> decltype(std::declval<F&>().async_sync_data(std::declval<sync_handler>()), true)
    {
        return true;
    }

    template <typename>
    static constexpr bool syncs_asynchronously(long)
    {
        return false;
    }

    boost::asio::mutable_buffer buffer(const slot& s)
    {
        return {s.data, loop_.lane().block_size()};
    }

    static long result(boost::system::error_code ec, std::size_t n)
    {
        if (!ec)
            return static_cast<long>(n);
        return ec == boost::asio::error::eof ? 0 : -ec.value();
    }

    std::vector<File> files_;
    std::uint64_t bytes_ = 0;

private:
    void open(const cell& c)
    {
        const std::size_t handles = c.one_handle_per_slot() ? c.depth : c.paths.size();
        files_.reserve(handles);
        try
        {
            for (std::size_t i = 0; i != handles; ++i)
                files_.emplace_back(loop_.context(), c.paths[i % c.paths.size()],
                                    static_cast<typename File::flags>(workload::open_flags(c)));
        }
        catch (const boost::system::system_error& e)
        {
            const int error = e.code().value();
            if (error == ENOSYS || error == EPERM || error == ENOMEM)
                throw not_available(e.what());
            throw;
        }
    }

    void start(slot& s)
    {
        File& file = files_[s.handle];
        const auto handler = [this, &s](boost::system::error_code ec, std::size_t n) {
            completed(s, result(ec, n));
        };
        switch (s.op.kind)
        {
        case operation::read:
            file.async_read_some_at(s.op.offset, buffer(s), handler);
            break;
        case operation::write:
            file.async_write_some_at(s.op.offset, buffer(s), handler);
            break;
        case operation::sync:
            sync(file, s);
        }
    }

    template <typename F>
    void sync(F& file, slot& s)
    {
        if constexpr (syncs_asynchronously<F>(0))
        {
            file.async_sync_data(
                [this, &s](boost::system::error_code ec) { completed(s, result(ec, 0)); });
        }
        else
        {
            // Asio's own files make the loop wait.
            boost::system::error_code ec;
            file.sync_data(ec);
            boost::asio::post(loop_.context(), [this, &s, ec] { completed(s, result(ec, 0)); });
        }
    }

    void completed(slot& s, long n)
    {
        if (loop_.completed(s, n))
            start(s);
    }
};

} // namespace bench

#endif // KAIO_BENCH_FILE_CONTENDER_HPP
