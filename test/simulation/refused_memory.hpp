//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SIMULATION_REFUSED_MEMORY_HPP
#define KAIO_TEST_SIMULATION_REFUSED_MEMORY_HPP

#include <utility>

namespace kaio {
namespace test {

/// Whether the calling thread may be refused memory, as long as this lives.
class memory_may_be_refused
{
public:
    explicit memory_may_be_refused(bool it_may = true) : before_(std::exchange(now, it_may))
    {
    }

    ~memory_may_be_refused()
    {
        now = before_;
    }

    memory_may_be_refused(const memory_may_be_refused&) = delete;
    memory_may_be_refused& operator=(const memory_may_be_refused&) = delete;

    static bool by_now() noexcept
    {
        return now;
    }

private:
    static inline thread_local bool now = false;
    const bool before_;
};

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SIMULATION_REFUSED_MEMORY_HPP
