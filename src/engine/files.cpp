//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// What the owner of an engine does with files.

#include "engine/engine_implementation.hpp"

namespace kaio {
namespace detail {

open_file* engine::adopt(int descriptor)
{
    open_file* file = begin_open();
    opened(*file, descriptor, traits_of(descriptor));
    return file;
}

open_file* engine::begin_open()
{
    auto* file = new open_file;
    const implementation::guard_type lock(implementation_->mutex_);
    implementation_->files_.add(*file);
    return file;
}

bool engine::opened(open_file& file, int descriptor, const file_traits& description) noexcept
{
    if (is_foreign())
        return false;
    const implementation::guard_type lock(implementation_->mutex_);
    return implementation_->files_.opened(file, descriptor, description);
}

void engine::not_opened(open_file& file) noexcept
{
    if (is_foreign())
        return;
    const implementation::guard_type lock(implementation_->mutex_);
    implementation_->files_.not_opened(file);
}

file_state engine::state(const open_file& file) const noexcept
{
    if (is_foreign())
        return file_state::closed;
    const implementation::guard_type lock(implementation_->mutex_);
    if (file.is_opening())
        return file_state::opening;
    return file.descriptor() == -1 ? file_state::closed : file_state::open;
}

int engine::descriptor(const open_file& file) const noexcept
{
    return file.descriptor();
}

void engine::reference(open_file& file) noexcept
{
    if (is_foreign())
        return;
    const implementation::guard_type lock(implementation_->mutex_);
    implementation_->files_.reference(file);
}

void engine::dereference(open_file& file) noexcept
{
    if (is_foreign())
        return;
    const implementation::guard_type lock(implementation_->mutex_);
    implementation_->files_.dereference(file);
}

int engine::close(open_file* file) noexcept
{
    if (is_foreign())
        return 0;
    implementation& self = *implementation_;
    implementation::lock_type lock(self.mutex_);
    return self.files_.close(*file, lock);
}

int engine::release(open_file* file) noexcept
{
    if (is_foreign())
        return file->descriptor();
    implementation& self = *implementation_;
    implementation::lock_type lock(self.mutex_);
    // The descriptor stands behind what has been transferred.
    self.operations_.move_positions(lock);
    self.notify_owner();
    return self.files_.release(*file, lock);
}

std::size_t engine::open_files() const noexcept
{
    const implementation::guard_type lock(implementation_->mutex_);
    return implementation_->files_.size();
}

} // namespace detail
} // namespace kaio
