//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_SECCOMP_HPP
#define KAIO_TEST_SUPPORT_SECCOMP_HPP

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cstddef>
#include <vector>

namespace kaio {
namespace test {

/// The system calls of Linux AIO, and those of io_uring.
inline std::vector<long> asynchronous_calls()
{
    return
    {
        SYS_io_setup, SYS_io_submit, SYS_io_getevents, SYS_io_destroy, SYS_io_cancel,
            SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
#if defined(SYS_io_pgetevents)
            SYS_io_pgetevents
#endif
    };
}

/// Have system calls fail in this process from now on, and in all that it starts.
inline bool forbid(const std::vector<long>& calls, int error)
{
    // Programs for other architectures don't run here: the number alone decides.
    std::vector<::sock_filter> program;
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(::seccomp_data, nr)));
    for (const long call : calls)
    {
        program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1));
        program.push_back(
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)));
    }
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    const ::sock_fprog filter = {static_cast<unsigned short>(program.size()), program.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_SECCOMP_HPP
