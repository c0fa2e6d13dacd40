//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "queue/open_file.hpp"

#include <fcntl.h>

namespace kaio {
namespace detail {

void open_file::set_descriptor(int descriptor, const file_traits& description) noexcept
{
    descriptor_.store(descriptor, std::memory_order_relaxed);
    type_ = description.type;
    takes_aio_ = type_ != file_type::other;
    ignores_nowait_ = description.ignores_nowait;
    prefetches_ = description.prefetches;
    refresh();
}

void open_file::refresh() noexcept
{
    const int flags = ::fcntl(descriptor(), F_GETFL);
    if (flags == -1)
        return;
    appends_ = (flags & O_APPEND) != 0;
    sync_writes_ = (flags & (O_SYNC | O_DSYNC)) != 0;
    const bool direct = (flags & O_DIRECT) != 0;
    if (direct != direct_)
    {
        direct_ = direct;
        reads_ = writes_ = would_block();
    }
}

} // namespace detail
} // namespace kaio
