//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_POLICY_WOULD_BLOCK_HPP
#define KAIO_POLICY_WOULD_BLOCK_HPP

#include <algorithm>

namespace kaio {
namespace detail {

/// What one direction of a file has refused to do without waiting.
class would_block
{
public:
    /// Whether nothing was refused lately.
    bool trusted() const noexcept
    {
        return skip_ == 0;
    }

    /// Whether the next operation is worth an attempt on the loop.
    bool attempt() noexcept
    {
        if (skip_ == 0)
            return true;
        --skip_;
        return false;
    }

    /// Whether something was refused lately, or the file doesn't take RWF_NOWAIT.
    bool refuses() const noexcept
    {
        return penalty_ != 0 || !knows_nowait_;
    }

    /// Whether the file takes RWF_NOWAIT in this direction, as far as is known.
    bool knows_nowait() const noexcept
    {
        return knows_nowait_;
    }

    /// An attempt succeeded. That says nothing if it was made before the last refusal.
    void succeeded() noexcept
    {
        if (penalty_ != 0 && skip_ == 0)
            penalty_ /= 2;
    }

    /// An attempt was refused, or has waited. The more often that happens, the rarer are attempts.
    void refused() noexcept
    {
        constexpr unsigned largest_penalty = 64;
        penalty_ = std::clamp(2 * penalty_, 1U, largest_penalty);
        skip_ = penalty_;
    }

    void unknown_flag() noexcept
    {
        knows_nowait_ = false;
    }

private:
    unsigned penalty_ = 0;
    unsigned skip_ = 0;
    bool knows_nowait_ = true;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_POLICY_WOULD_BLOCK_HPP
