//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_ENGINE_HELPER_TABLE_HPP
#define KAIO_ENGINE_HELPER_TABLE_HPP

#include <cstddef>
#include <utility>

#include "engine/file_table.hpp"
#include "offload/helper_pool.hpp"
#include "policy/budgets.hpp"

namespace kaio {
namespace detail {

/// The helper threads, and which files they work for.
/** All functions are called with the engine's lock held. */
class helper_table
{
public:
    using lock_type = helper_pool::lock_type;

    /// At most so many helpers, each of which calls work() when it is woken.
    helper_table(mutex& m, std::size_t most, file_table& files, helper_pool::work_function work)
      : files_(files), pool_(m, most, std::move(work))
    {
    }

    /// Whether there may be helpers at all.
    bool allowed() const noexcept
    {
        return pool_.most() != 0;
    }

    /// Wake one more helper, if one is idle or can be made. Returns an errno if there is none at all.
    int wake_one() noexcept
    {
        return allowed() ? pool_.wake_one() : 0;
    }

    /// Whether one that was woken is about to look for work. If there is more, it wakes another.
    bool one_is_coming() const noexcept
    {
        return pool_.woken() != 0;
    }

    /// Whether a file may have one more helper.
    bool may_have_one(const open_file& file) const noexcept
    {
        const open_file& holder = files_.holder_of_helpers(file);
        return may_have_helper(usage(), holder.usage().helpers_, holder.mount().helpers);
    }

    /// Whether any file that waits for one may have it, without a look at each.
    bool any_may_have_one() const noexcept
    {
        return any_may_have_helper(usage()) || files_.mounts().any_of([](const mount_usage& mount) {
            return mount.waiting != 0 && mount.helpers == 0;
        });
    }

    /// How many operations helpers are carrying out, and the loop moves the positions of.
    std::size_t operations() const noexcept
    {
        return operations_;
    }

    void operation_begins() noexcept
    {
        ++operations_;
    }

    void operation_ends() noexcept
    {
        --operations_;
    }

    /// Have all helpers end when they have done what they are doing.
    void stop(lock_type& lock) noexcept
    {
        pool_.stop(lock);
    }

    bool stopping() const noexcept
    {
        return pool_.stopping();
    }

    /// Make helpers again.
    void resume() noexcept
    {
        pool_.resume();
    }

    /// While it exists, a helper works for a file and its mount, and the file is kept.
    class assignment
    {
    public:
        assignment(helper_table& helpers, open_file& file) noexcept
          : helpers_(helpers), file_(file), holder_(helpers.files_.holder_of_helpers(file))
        {
            ++helpers_.working_;
            ++holder_.usage().helpers_;
            ++holder_.mount().helpers;
            helpers_.files_.reference(file_);
        }

        assignment(const assignment&) = delete;
        assignment& operator=(const assignment&) = delete;

        ~assignment()
        {
            --helpers_.working_;
            --holder_.usage().helpers_;
            --holder_.mount().helpers;
            helpers_.files_.dereference(file_);
        }

    private:
        helper_table& helpers_;
        open_file& file_;
        open_file& holder_;
    };

private:
    helper_usage usage() const noexcept
    {
        return {pool_.most(), working_};
    }

    file_table& files_;
    std::size_t operations_ = 0;
    std::size_t working_ = 0;
    helper_pool pool_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_ENGINE_HELPER_TABLE_HPP
