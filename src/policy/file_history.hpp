//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_POLICY_FILE_HISTORY_HPP
#define KAIO_POLICY_FILE_HISTORY_HPP

#include "policy/would_block.hpp"

namespace kaio {
namespace detail {

/// What has been learned of a file: what it refuses, and where it waits.
class file_history
{
public:
    const would_block& reads() const noexcept
    {
        return reads_;
    }

    would_block& reads() noexcept
    {
        return reads_;
    }

    const would_block& writes() const noexcept
    {
        return writes_;
    }

    would_block& writes() noexcept
    {
        return writes_;
    }

    /// Whether seeks have waited: for somebody else who holds the position.
    would_block& seeks() noexcept
    {
        return seeks_;
    }

    /// What is known of transfers is worth nothing any more.
    void forget_transfers() noexcept
    {
        reads_ = writes_ = would_block();
    }

    /// Whether the kernel takes this file from io_submit, as far as is known.
    bool takes_aio() const noexcept
    {
        return takes_aio_;
    }

    void set_takes_aio(bool takes_aio) noexcept
    {
        takes_aio_ = takes_aio;
    }

    /// Whether it made the last submission by a helper wait.
    bool submission_blocks() const noexcept
    {
        return submission_blocks_;
    }

    void set_submission_blocks(bool blocks) noexcept
    {
        submission_blocks_ = blocks;
    }

private:
    would_block reads_;
    would_block writes_;
    would_block seeks_;
    bool takes_aio_ = false;
    bool submission_blocks_ = false;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_POLICY_FILE_HISTORY_HPP
