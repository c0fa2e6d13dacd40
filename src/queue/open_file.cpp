//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "queue/open_file.hpp"

#include <fcntl.h>

namespace kaio {
namespace detail {

void open_file::set_descriptor(int descriptor, const file_traits& traits) noexcept
{
    descriptor_.store(descriptor, std::memory_order_relaxed);
    traits_ = traits;
    history_.set_takes_aio(!is_special());
    refresh();
}

void open_file::refresh() noexcept
{
    const int flags = ::fcntl(descriptor(), F_GETFL);
    if (flags == -1)
        return;
    const bool was_direct = is_direct();
    flags_ = {(flags & O_APPEND) != 0, (flags & O_DIRECT) != 0, (flags & (O_SYNC | O_DSYNC)) != 0};
    if (is_direct() != was_direct)
        history_.forget_transfers();
}

// If fcntl has given the descriptor O_DIRECT, tries wait for the disk, and too shortly to be noticed.
void open_file::tried() noexcept
{
    constexpr unsigned batches = 256;
    if (++batches_of_tries_ % batches == 0 && !is_detached())
        refresh();
}

} // namespace detail
} // namespace kaio
