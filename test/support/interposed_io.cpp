//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "interposed_io.hpp"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace kaio {
namespace test {
namespace {

static_assert(sizeof(::iocb) % sizeof(std::uint64_t) == 0, "copied by words");

// Another thread may complete an operation, and free its control block, as soon as the kernel has
// it. ThreadSanitizer doesn't know that the thread that submits has read the block before that.
__attribute__((noinline, no_sanitize("thread"))) void copy(const ::iocb& from, ::iocb& to)
{
    const auto* source = reinterpret_cast<const volatile std::uint64_t*>(&from);
    auto* target = reinterpret_cast<volatile std::uint64_t*>(&to);
    for (std::size_t i = 0; i != sizeof(::iocb) / sizeof(std::uint64_t); ++i)
        target[i] = source[i];
}

// An interposed function is given copies of the control blocks.
int submit_copies(::aio_context_t context, long count, ::iocb** blocks)
{
    std::vector<::iocb> copies(static_cast<std::size_t>(count));
    std::vector<::iocb*> pointers;
    for (std::size_t i = 0; i != copies.size(); ++i)
    {
        copy(*blocks[i], copies[i]);
        pointers.push_back(&copies[i]);
    }
    return interposed_submit::call(kernel_submit, context, count, pointers.data());
}

// The C library's syscall, which this file replaces.
template <typename... Arguments>
long system_call(long number, Arguments... arguments)
{
    using function = long (*)(long, ...);
    static const auto original = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "syscall"));
    return original(number, arguments...);
}

template <typename... Arguments>
int negative_errno(long number, Arguments... arguments)
{
    const long result = system_call(number, arguments...);
    return result == -1 ? -errno : static_cast<int>(result);
}

} // namespace

int kernel_setup(unsigned events, ::aio_context_t* context)
{
    return negative_errno(SYS_io_setup, events, context);
}

int kernel_submit(::aio_context_t context, long count, ::iocb** blocks)
{
    return negative_errno(SYS_io_submit, context, count, blocks);
}

int kernel_get_events(::aio_context_t context, long minimum, long maximum, ::io_event* events,
                      ::timespec* timeout)
{
    return negative_errno(SYS_io_getevents, context, minimum, maximum, events, timeout);
}

int kernel_duplicate(int from, int to, int flags)
{
    return static_cast<int>(system_call(SYS_dup3, from, to, flags));
}

::ssize_t kernel_write(int descriptor, const ::iovec* buffers, int count, ::off_t offset, int flags)
{
    return kernel_call(SYS_pwritev2, descriptor, buffers, count, offset, flags);
}

long kernel_call(long number, int descriptor, const ::iovec* buffers, long count, ::off_t offset,
                 int flags)
{
    // The offset goes in two halves, of which a 64-bit kernel ignores the second.
    return system_call(number, descriptor, buffers, count, offset, 0L, flags);
}

} // namespace test
} // namespace kaio

extern "C" {

int io_setup(int events, ::aio_context_t* context)
{
    return kaio::test::interposed_setup::call(kaio::test::kernel_setup,
                                              static_cast<unsigned>(events), context);
}

int io_submit(::aio_context_t context, long count, ::iocb** blocks)
{
    return kaio::test::submit_copies(context, count, blocks);
}

int io_getevents(::aio_context_t context, long minimum, long maximum, ::io_event* events,
                 ::timespec* timeout)
{
    return kaio::test::interposed_get_events::call(kaio::test::kernel_get_events, context, minimum,
                                                   maximum, events, timeout);
}

int dup3(int from, int to, int flags) noexcept
{
    return kaio::test::interposed_duplicate::call(kaio::test::kernel_duplicate, from, to, flags);
}

::ssize_t pwritev2(int descriptor, const ::iovec* buffers, int count, ::off_t offset, int flags)
{
    return kaio::test::interposed_write::call(kaio::test::kernel_write, descriptor, buffers, count,
                                              offset, flags);
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
    if (number == SYS_preadv2 || number == SYS_pwritev2)
        return kaio::test::interposed_call::call(
            kaio::test::kernel_call, number, static_cast<int>(first),
            reinterpret_cast<const ::iovec*>(second), third, fourth, static_cast<int>(sixth));
    return kaio::test::system_call(number, first, second, third, fourth, fifth, sixth);
}

} // extern "C"
