//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// The calls that a simulation stands in front of. Outside of a simulation they do what they always do.

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <new>

#include <kaio/detail/schedule_point.hpp>

#include "kernel.hpp"
#include "real_calls.hpp"
#include "schedule.hpp"

using kaio::test::kernel;
using kaio::test::schedule;

namespace {

template <typename... Arguments>
long system_call(long number, Arguments... arguments)
{
    return KAIO_REAL(syscall)(number, arguments...);
}

template <typename... Arguments>
int negative_errno(long number, Arguments... arguments)
{
    const long result = system_call(number, arguments...);
    return result == -1 ? -errno : static_cast<int>(result);
}

// Memory that a program asks for while the simulation has none for it.
bool is_refused() noexcept
{
    if (!kaio::test::memory_may_be_refused::by_now())
        return false;
    kernel* const k = kernel::current();
    return k && k->refuses_memory();
}

// The lock of the engine sleeps by this.
long wait_for_change(schedule& s, const int* word, int expected)
{
    s.wait_until("the lock of an engine",
                 [=] { return __atomic_load_n(word, __ATOMIC_RELAXED) != expected; });
    return 0;
}

} // namespace

extern "C" {

int io_setup(int events, ::aio_context_t* context)
{
    if (kernel* const k = kernel::current())
        return k->setup(static_cast<unsigned>(events), context);
    return negative_errno(SYS_io_setup, events, context);
}

int io_destroy(::aio_context_t context)
{
    if (kernel* const k = kernel::current())
        return k->destroy(context);
    return negative_errno(SYS_io_destroy, context);
}

int io_submit(::aio_context_t context, long count, ::iocb** blocks)
{
    if (kernel* const k = kernel::current())
        return k->submit(context, count, blocks);
    return negative_errno(SYS_io_submit, context, count, blocks);
}

int io_getevents(::aio_context_t context, long minimum, long maximum, ::io_event* events,
                 ::timespec* timeout)
{
    if (kernel* const k = kernel::current())
        return k->get_events(context, minimum, maximum, events);
    return negative_errno(SYS_io_getevents, context, minimum, maximum, events, timeout);
}

long syscall(long number, ...) noexcept
{
    std::va_list list;
    va_start(list, number);
    long arguments[6];
    for (long& argument : arguments)
        argument = va_arg(list, long);
    va_end(list);
    const auto& [first, second, third, fourth, fifth, sixth] = arguments;
    if (kernel* const k = kernel::current())
    {
        if (number == SYS_preadv2 || number == SYS_pwritev2)
            return k->transfer(number == SYS_pwritev2, static_cast<int>(first),
                               reinterpret_cast<const ::iovec*>(second), static_cast<int>(third),
                               fourth, static_cast<int>(sixth));
        if (number == SYS_futex && (second & FUTEX_CMD_MASK) == FUTEX_WAIT)
            return wait_for_change(*schedule::current(), reinterpret_cast<const int*>(first),
                                   static_cast<int>(third));
    }
    return system_call(number, first, second, third, fourth, fifth, sixth);
}

::ssize_t preadv2(int descriptor, const ::iovec* buffers, int count, ::off_t offset, int flags)
{
    if (kernel* const k = kernel::current())
        return k->transfer(false, descriptor, buffers, count, offset, flags);
    return KAIO_REAL(preadv2)(descriptor, buffers, count, offset, flags);
}

::ssize_t pwritev2(int descriptor, const ::iovec* buffers, int count, ::off_t offset, int flags)
{
    if (kernel* const k = kernel::current())
        return k->transfer(true, descriptor, buffers, count, offset, flags);
    return KAIO_REAL(pwritev2)(descriptor, buffers, count, offset, flags);
}

int fsync(int descriptor)
{
    if (kernel* const k = kernel::current())
        return k->sync(descriptor, false);
    return KAIO_REAL(fsync)(descriptor);
}

int fdatasync(int descriptor)
{
    if (kernel* const k = kernel::current())
        return k->sync(descriptor, true);
    return KAIO_REAL(fdatasync)(descriptor);
}

int fcntl(int descriptor, int command, ...)
{
    std::va_list list;
    va_start(list, command);
    const long argument = va_arg(list, long);
    va_end(list);
    const int result = KAIO_REAL(fcntl)(descriptor, command, argument);
    if (kernel* const k = kernel::current(); k && command == F_GETFL && result != -1)
        return k->file_status_flags(descriptor, result);
    return result;
}

// Threads, and what they wait for.

int pthread_create(::pthread_t* thread, const ::pthread_attr_t* attributes,
                   void* (*function)(void*), void* argument) noexcept
{
    if (kernel* const k = kernel::current())
        return k->refuses_thread()
                   ? EAGAIN
                   : schedule::current()->create_thread(thread, attributes, function, argument);
    return KAIO_REAL(pthread_create)(thread, attributes, function, argument);
}

int pthread_join(::pthread_t thread, void** result)
{
    if (schedule* const s = schedule::current())
        return s->join_thread(thread, result);
    return KAIO_REAL(pthread_join)(thread, result);
}

int pthread_mutex_lock(::pthread_mutex_t* mutex) noexcept
{
    if (schedule* const s = schedule::current())
        return s->lock(mutex), 0;
    return KAIO_REAL(pthread_mutex_lock)(mutex);
}

int pthread_cond_wait(::pthread_cond_t* condition, ::pthread_mutex_t* mutex)
{
    if (schedule* const s = schedule::current())
        return s->wait_for_signal(condition, mutex), 0;
    return KAIO_REAL(pthread_cond_wait)(condition, mutex);
}

int pthread_cond_signal(::pthread_cond_t* condition) noexcept
{
    if (schedule* const s = schedule::current())
        return s->signal(condition, false), 0;
    return KAIO_REAL(pthread_cond_signal)(condition);
}

int pthread_cond_broadcast(::pthread_cond_t* condition) noexcept
{
    if (schedule* const s = schedule::current())
        return s->signal(condition, true), 0;
    return KAIO_REAL(pthread_cond_broadcast)(condition);
}

int epoll_wait(int epoll, ::epoll_event* events, int most, int timeout)
{
    schedule* const s = schedule::current();
    if (!s)
        return KAIO_REAL(epoll_wait)(epoll, events, most, timeout);
    for (;;)
    {
        s->point();
        const int count = KAIO_REAL(epoll_wait)(epoll, events, most, 0);
        if (count != 0 || timeout == 0)
            return count;
        s->wait_until("the reactor", [epoll] {
            ::pollfd status = {epoll, POLLIN, 0};
            return ::poll(&status, 1, 0) == 1;
        });
    }
}

int clock_gettime(::clockid_t clock, ::timespec* time) noexcept
{
    if (schedule* const s = schedule::current())
    {
        const std::int64_t now = s->nanoseconds();
        time->tv_sec = now / 1'000'000'000;
        time->tv_nsec = now % 1'000'000'000;
        return 0;
    }
    return KAIO_REAL(clock_gettime)(clock, time);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept
{
    return is_refused() ? nullptr : KAIO_REAL(aligned_alloc)(alignment, size);
}

} // extern "C"

void* operator new(std::size_t size)
{
    if (!is_refused())
        if (void* const memory = std::malloc(size))
            return memory;
    throw std::bad_alloc();
}

void operator delete(void* memory) noexcept
{
    std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept
{
    std::free(memory);
}

namespace kaio {
namespace detail {

// The places at which the library itself lets others go on.
void schedule_point() noexcept
{
    if (schedule* const s = schedule::current())
        s->point();
}

} // namespace detail
} // namespace kaio
