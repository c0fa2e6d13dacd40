//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_LIBAIO_CONTENDERS_HPP
#define KAIO_BENCH_LIBAIO_CONTENDERS_HPP

#include <libaio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "contender.hpp"

namespace bench {

/// What the loops written by hand over libaio have in common.
class libaio_contender : public contender
{
public:
    explicit libaio_contender(bench::lane& lane)
      : lane_(lane), files_(open_files(lane.cell())), blocks_(lane.slots().size()),
        events_(lane.slots().size())
    {
        const int result = ::io_setup(static_cast<int>(lane.slots().size()), &aio_);
        if (result < 0)
            throw not_available("io_setup: " + std::generic_category().message(-result));
        pending_.reserve(lane.slots().size());
    }

    ~libaio_contender() override
    {
        ::io_destroy(aio_);
    }

    void run() override
    {
        for (slot& s : lane_.slots())
            if (lane_.begin(s))
                prepare(s);
        submit();
        while (in_flight_ != 0 || !pending_.empty())
        {
            harvest();
            submit();
        }
    }

protected:
    /// Take the events that are there, at least one.
    virtual void harvest() = 0;

    virtual void set_up(::iocb&)
    {
    }

    void take(std::size_t at_least)
    {
        ::timespec at_once{};
        const int n =
            ::io_getevents(aio_, static_cast<long>(at_least), static_cast<long>(events_.size()),
                           events_.data(), at_least == 0 ? &at_once : nullptr);
        if (n < 0)
            throw_error("io_getevents", -n);
        in_flight_ -= static_cast<std::size_t>(n);
        for (int i = 0; i != n; ++i)
        {
            const ::io_event& e = events_[static_cast<std::size_t>(i)];
            slot& s = *static_cast<slot*>(e.data);
            if (lane_.completed(s, static_cast<long>(e.res)))
                prepare(s);
        }
    }

    [[noreturn]] static void throw_error(const char* what, int error)
    {
        errno = error;
        throw_errno(what);
    }

private:
    void prepare(slot& s)
    {
        ::iocb& block = blocks_[s.number];
        const int fd = files_[s.handle].get();
        switch (s.op.kind)
        {
        case operation::read:
            ::io_prep_pread(&block, fd, s.data, lane_.block_size(),
                            static_cast<long long>(s.op.offset));
            break;
        case operation::write:
            ::io_prep_pwrite(&block, fd, s.data, lane_.block_size(),
                             static_cast<long long>(s.op.offset));
            break;
        case operation::sync:
            ::io_prep_fdsync(&block, fd);
        }
        block.data = &s;
        set_up(block);
        pending_.push_back(&block);
    }

    // What the kernel has no room for now stays pending.
    void submit()
    {
        std::size_t next = 0;
        while (next != pending_.size())
        {
            const int n = ::io_submit(aio_, static_cast<long>(pending_.size() - next),
                                      pending_.data() + next);
            if (n == -EAGAIN && in_flight_ != 0)
                break;
            if (n < 0)
                throw_error("io_submit", -n);
            next += static_cast<std::size_t>(n);
            in_flight_ += static_cast<std::size_t>(n);
        }
        pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(next));
    }

    bench::lane& lane_;
    std::vector<descriptor> files_;
    std::vector<::iocb> blocks_;
    std::vector<::io_event> events_;
    std::vector<::iocb*> pending_;
    std::size_t in_flight_ = 0;
    ::io_context_t aio_ = nullptr;
};

/// Blocks in io_getevents, and so can wait for nothing but files.
class libaio_blocking_contender final : public libaio_contender
{
public:
    using libaio_contender::libaio_contender;

private:
    void harvest() override
    {
        take(1);
    }
};

/// Waits in epoll_wait for an eventfd, as an event loop does. It is what kaio is compared with.
class libaio_epoll_contender final : public libaio_contender
{
public:
    explicit libaio_epoll_contender(bench::lane& lane)
      : libaio_contender(lane), wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
        epoll_(::epoll_create1(EPOLL_CLOEXEC))
    {
        ::epoll_event wanted{};
        wanted.events = EPOLLIN;
        if (wake_.get() < 0 || epoll_.get() < 0 ||
            ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &wanted) != 0)
            throw_errno("eventfd, epoll");
    }

private:
    void set_up(::iocb& block) override
    {
        ::io_set_eventfd(&block, wake_.get());
    }

    void harvest() override
    {
        ::epoll_event ready{};
        const int n = ::epoll_wait(epoll_.get(), &ready, 1, -1);
        if (n < 0 && errno != EINTR)
            throw_errno("epoll_wait");
        if (n != 1)
            return;
        ::eventfd_t count;
        ::eventfd_read(wake_.get(), &count);
        take(0);
    }

    descriptor wake_;
    descriptor epoll_;
};

} // namespace bench

#endif // KAIO_BENCH_LIBAIO_CONTENDERS_HPP
