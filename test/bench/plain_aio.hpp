//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_PLAIN_AIO_HPP
#define KAIO_BENCH_PLAIN_AIO_HPP

#include <libaio.h>
#include <sys/eventfd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cstdint>
#include <functional>
#include <vector>

#include "descriptor.hpp"

namespace bench {

/// What one writes by hand: io_submit on the loop, as it comes, and an eventfd for the completions.
class plain_aio
{
public:
    using callback = std::function<void(long result)>;

    explicit plain_aio(boost::asio::io_context& context)
      : context_(context), wake_(context, ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))
    {
        const int result = ::io_setup(capacity, &aio_);
        if (result < 0)
        {
            errno = -result;
            throw_errno("io_setup");
        }
    }

    ~plain_aio()
    {
        ::io_destroy(aio_);
    }

    plain_aio(const plain_aio&) = delete;
    plain_aio& operator=(const plain_aio&) = delete;

    void read(int fd, void* data, std::size_t size, std::uint64_t offset, callback f)
    {
        auto* op = new operation{{}, std::move(f)};
        ::io_prep_pread(&op->block, fd, data, size, static_cast<long long>(offset));
        start(*op);
    }

    void write(int fd, void* data, std::size_t size, std::uint64_t offset, callback f)
    {
        auto* op = new operation{{}, std::move(f)};
        ::io_prep_pwrite(&op->block, fd, data, size, static_cast<long long>(offset));
        start(*op);
    }

    void sync(int fd, callback f)
    {
        auto* op = new operation{{}, std::move(f)};
        ::io_prep_fsync(&op->block, fd);
        start(*op);
    }

private:
    static constexpr int capacity = 256;

    struct operation
    {
        ::iocb block;
        callback f;
    };

    // What is started in one turn of the loop is submitted together.
    void start(operation& op)
    {
        ::io_set_eventfd(&op.block, wake_.native_handle());
        op.block.data = &op;
        if (pending_.empty())
            boost::asio::post(context_, [this] { submit(); });
        pending_.push_back(&op.block);
    }

    void submit()
    {
        for (std::size_t next = 0; next != pending_.size();)
        {
            const int result = ::io_submit(aio_, static_cast<long>(pending_.size() - next),
                                           pending_.data() + next);
            if (result < 0)
            {
                errno = -result;
                throw_errno("io_submit");
            }
            next += static_cast<std::size_t>(result);
            in_flight_ += static_cast<std::size_t>(result);
        }
        pending_.clear();
        wait();
    }

    void wait()
    {
        if (waiting_ || in_flight_ == 0)
            return;
        waiting_ = true;
        wake_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [this](boost::system::error_code) { harvest(); });
    }

    void harvest()
    {
        waiting_ = false;
        ::eventfd_t count;
        ::eventfd_read(wake_.native_handle(), &count);
        std::array<::io_event, capacity> events;
        ::timespec now{};
        const int found = ::io_getevents(aio_, 0, capacity, events.data(), &now);
        for (int i = 0; i < found; ++i)
        {
            auto* op = static_cast<operation*>(events[static_cast<std::size_t>(i)].data);
            const callback f = std::move(op->f);
            delete op;
            --in_flight_;
            f(static_cast<long>(events[static_cast<std::size_t>(i)].res));
        }
        wait();
    }

    boost::asio::io_context& context_;
    boost::asio::posix::stream_descriptor wake_;
    ::io_context_t aio_ = nullptr;
    std::vector<::iocb*> pending_;
    std::size_t in_flight_ = 0;
    bool waiting_ = false;
};

} // namespace bench

#endif // KAIO_BENCH_PLAIN_AIO_HPP
