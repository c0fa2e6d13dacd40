//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_INITIATION_GUARD_HPP
#define KAIO_TEST_SUPPORT_INITIATION_GUARD_HPP

namespace kaio {
namespace test {

/// Says, as long as it lives, that this thread is inside an initiating function.
class initiation_guard
{
public:
    initiation_guard() noexcept
    {
        ++depth();
    }

    initiation_guard(const initiation_guard&) = delete;
    initiation_guard& operator=(const initiation_guard&) = delete;

    ~initiation_guard()
    {
        --depth();
    }

    /// Whether this thread is inside an initiating function: no handler may run then.
    static bool active() noexcept
    {
        return depth() != 0;
    }

private:
    static int& depth() noexcept
    {
        static thread_local int value = 0;
        return value;
    }
};

/// Call a function that starts operations, under a guard.
template <typename Function>
decltype(auto) initiate(Function&& function)
{
    const initiation_guard guard;
    return function();
}

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_INITIATION_GUARD_HPP
