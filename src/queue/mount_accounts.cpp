//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "queue/mount_accounts.hpp"

#include <algorithm>
#include <new>

namespace kaio {
namespace detail {

mount_account& mount_accounts::join(std::uint64_t device) noexcept
{
    const auto known = std::find_if(accounts_.begin(), accounts_.end(),
                                    [&](const auto& account) { return account->device == device; });
    if (known != accounts_.end())
    {
        ++(*known)->files;
        return **known;
    }
    try
    {
        accounts_.push_back(std::make_unique<mount_account>(mount_account{device, 1}));
        return *accounts_.back();
    }
    catch (const std::bad_alloc&)
    {
        return unopened_; // It says less, and does no harm.
    }
}

void mount_accounts::leave(mount_account& account) noexcept
{
    if (&account == &unopened_ || --account.files != 0)
        return;
    accounts_.erase(std::find_if(accounts_.begin(), accounts_.end(),
                                 [&](const auto& other) { return other.get() == &account; }));
}

} // namespace detail
} // namespace kaio
