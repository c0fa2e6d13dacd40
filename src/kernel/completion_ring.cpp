//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "kernel/completion_ring.hpp"

#include <cstdlib>
#include <cstring>

namespace kaio {
namespace detail {
namespace {

// Valgrind doesn't see the kernel write to the ring. It is recognised by the libraries that it
// preloads. KAIO_RING=on or off in the environment decides otherwise: counting instructions under
// callgrind wants the ring, and comparing both ways of harvesting wants either.
bool ring_allowed() noexcept
{
    if (const char* choice = ::secure_getenv("KAIO_RING"))
        return std::strcmp(choice, "off") != 0;
    const char* preloaded = ::secure_getenv("LD_PRELOAD");
    return !preloaded || !std::strstr(preloaded, "vgpreload");
}

} // namespace

completion_ring::completion_ring(void* context) noexcept
{
    constexpr std::uint32_t known_magic = 0xa10a10a1;
    static_assert(sizeof(completion_event) == 32 && sizeof(header) == 32, "layout of the kernel");

    // In gVisor the page is there but zero, and a store to it would fault.
    auto* candidate = static_cast<header*>(context);
    if (ring_allowed() && candidate->magic == known_magic && candidate->incompat_features == 0 &&
        candidate->header_length == sizeof(header))
    {
        header_ = candidate;
        size_ = candidate->nr;
    }
}

} // namespace detail
} // namespace kaio
