//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_GATE_HPP
#define KAIO_TEST_SUPPORT_GATE_HPP

#include <atomic>
#include <chrono>
#include <exception>
#include <future>

#include "run.hpp"

namespace kaio {
namespace test {

/// Holds threads up until it is opened.
class gate
{
public:
    gate() = default;
    gate(const gate&) = delete;
    gate& operator=(const gate&) = delete;

    /// Let all threads through, from now on.
    void open()
    {
        if (!is_open_.exchange(true))
            opened_.set_value();
    }

    /// Wait until it is open. Ends the program if that takes too long.
    void pass()
    {
        if (!pass_within(time_bound))
            std::terminate();
    }

    /// The same for a time. False if it isn't open then.
    bool pass_within(std::chrono::seconds time)
    {
        ++arrived_;
        return open_.wait_for(time) == std::future_status::ready;
    }

    /// How many threads have come so far.
    int arrived() const
    {
        return arrived_;
    }

private:
    std::atomic<bool> is_open_{false};
    std::atomic<int> arrived_{0};
    std::promise<void> opened_;
    const std::shared_future<void> open_ = opened_.get_future().share();
};

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_GATE_HPP
