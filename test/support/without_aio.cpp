//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// without_aio PROGRAM [ARGUMENT ...]: runs a program that may use neither Linux AIO nor io_uring, as
// in many a container.

#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "seccomp.hpp"

int main(int argc, char* argv[])
{
    if (argc < 2)
    {
        std::fprintf(stderr, "usage: %s PROGRAM [ARGUMENT ...]\n", argv[0]);
        return 2;
    }
    if (!kaio::test::forbid(kaio::test::asynchronous_calls(), EPERM))
    {
        std::perror("seccomp");
        return 2;
    }
    ::execvp(argv[1], argv + 1);
    std::perror(argv[1]);
    return 2;
}
