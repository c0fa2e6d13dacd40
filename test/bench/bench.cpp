//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Measures one cell: kaio, and the contenders that need nothing but the system.

#include "kaio_contender.hpp"
#include "libaio_contenders.hpp"
#include "loop_contenders.hpp"
#include "posix_aio_contender.hpp"
#include "program.hpp"
#include "thread_contenders.hpp"

int main(int argc, char** argv)
{
    using namespace bench;
    return program("Measures one cell and prints its figures",
                   {
                       {"kaio", make_contender<kaio_contender>()},
                       {"kaio_coroutine", make_contender<kaio_coroutine_contender>()},
                       {"asio_libaio", make_contender<plain_aio_contender>()},
                       {"idle", make_contender<idle_contender>()},
                       {"thread_pool_8", make_contender<thread_pool_contender>(std::size_t{8})},
                       {"thread_pool_32", make_contender<thread_pool_contender>(std::size_t{32})},
                       {"posix_aio", make_contender<posix_aio_contender>()},
                       {"libaio_blocking", make_contender<libaio_blocking_contender>()},
                       {"libaio_epoll", make_contender<libaio_epoll_contender>()},
                       {"pread", make_contender<blocking_contender>()},
                   })
        .run(argc, argv);
}
