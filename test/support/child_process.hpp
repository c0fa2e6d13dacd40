//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_CHILD_PROCESS_HPP
#define KAIO_TEST_SUPPORT_CHILD_PROCESS_HPP

#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <exception>
#include <iostream>
#include <utility>

#include "run.hpp"

namespace kaio {
namespace test {

/// A child process prints a failed check with its line.
#define KAIO_REQUIRE_IN_CHILD(condition)                                                           \
    do                                                                                             \
    {                                                                                              \
        if (!(condition))                                                                          \
        {                                                                                          \
            std::cerr << __FILE__ << '(' << __LINE__ << "): in a child: " #condition << std::endl; \
            return 1;                                                                              \
        }                                                                                          \
    } while (false)

/// Wait for a child, and return its exit status; -1 if it ended otherwise.
inline int wait_for(::pid_t child)
{
    int status = 0;
    if (::waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

/// Call a function in a child process, which ends with what it returns. A signal bounds its time.
template <typename Function>
::pid_t start_child(Function&& function)
{
    std::cout.flush();
    const ::pid_t child = ::fork();
    BOOST_REQUIRE(child != -1);
    if (child != 0)
        return child;
    ::alarm(static_cast<unsigned>(time_bound.count()));
    int status = 3;
    try
    {
        status = std::forward<Function>(function)();
    }
    catch (const std::exception& e)
    {
        std::cerr << "in a child: " << e.what() << std::endl;
    }
    ::_exit(status);
}

/// Call a function in a child process, and return what it returns.
template <typename Function>
int run_in_child(Function&& function)
{
    return wait_for(start_child(std::forward<Function>(function)));
}

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_CHILD_PROCESS_HPP
