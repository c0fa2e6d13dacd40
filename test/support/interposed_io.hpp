//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_INTERPOSED_IO_HPP
#define KAIO_TEST_SUPPORT_INTERPOSED_IO_HPP

#include <linux/aio_abi.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

#include <atomic>
#include <functional>
#include <thread>
#include <utility>

// A test that is linked with interposed_io.cpp stands between kaio and the kernel: it defines
// libaio's io_setup, io_submit and io_getevents, and the C library's pwritev2, dup3 and syscall, which
// by default make the system call.

namespace kaio {
namespace test {

// The system calls. As libaio's functions do, they return a negative errno for an error.
int kernel_setup(unsigned events, ::aio_context_t* context);
int kernel_submit(::aio_context_t context, long count, ::iocb** blocks);
int kernel_get_events(::aio_context_t context, long minimum, long maximum, ::io_event* events,
                      ::timespec* timeout);

// These, like the C library's functions, set errno.
int kernel_duplicate(int from, int to, int flags);
::ssize_t kernel_write(int descriptor, const ::iovec* buffers, int count, ::off_t offset,
                       int flags);

// A transfer of a loop that doesn't wait: the number is that of preadv2 or of pwritev2.
long kernel_call(long number, int descriptor, const ::iovec* buffers, long count, ::off_t offset,
                 int flags);

using setup_function = std::function<int(unsigned, ::aio_context_t*)>;
using submit_function = std::function<int(::aio_context_t, long, ::iocb**)>;
using get_events_function =
    std::function<int(::aio_context_t, long, long, ::io_event*, ::timespec*)>;
using write_function = std::function<::ssize_t(int, const ::iovec*, int, ::off_t, int)>;
using duplicate_function = std::function<int(int, int, int)>;
using call_function = std::function<long(long, int, const ::iovec*, long, ::off_t, int)>;

/// Replaces one of the calls as long as it lives. Its end waits for threads that are inside.
template <typename Function>
class interposed
{
public:
    explicit interposed(Function function) : function_(std::move(function))
    {
        current_ = &function_;
    }

    ~interposed()
    {
        current_ = nullptr;
        while (inside_ != 0)
            std::this_thread::yield();
    }

    interposed(const interposed&) = delete;
    interposed& operator=(const interposed&) = delete;

    /// Call what replaces the call, or the default where nothing does.
    template <typename Default, typename... Arguments>
    static auto call(Default original, Arguments... arguments)
    {
        {
            const visit inside;
            if (Function* const current = current_)
                return (*current)(arguments...);
        }
        return original(arguments...);
    }

private:
    struct visit
    {
        visit()
        {
            ++inside_;
        }

        ~visit()
        {
            --inside_;
        }
    };

    static inline std::atomic<Function*> current_{nullptr};
    static inline std::atomic<int> inside_{0};
    Function function_;
};

using interposed_setup = interposed<setup_function>;
using interposed_submit = interposed<submit_function>;
using interposed_get_events = interposed<get_events_function>;
using interposed_write = interposed<write_function>;
using interposed_duplicate = interposed<duplicate_function>;
using interposed_call = interposed<call_function>;

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_INTERPOSED_IO_HPP
