//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// From the opening of a file until its descriptor's number is free for others.

#include <unistd.h>

#include <cerrno>

#include "engine/engine_implementation.hpp"

namespace kaio {
namespace detail {

open_file* engine::adopt(int descriptor)
{
    open_file* file = announce();
    opened(*file, descriptor, describe(descriptor));
    return file;
}

open_file* engine::announce()
{
    auto* file = new open_file;
    file->opening_ = true;
    const implementation::guard_type lock(implementation_->mutex_);
    ++implementation_->open_files_;
    file->account_ = &implementation_->accounts_.unopened();
    return file;
}

bool engine::opened(open_file& file, int descriptor, const file_description& description) noexcept
{
    if (is_foreign())
        return false;
    const implementation::guard_type lock(implementation_->mutex_);
    file.opening_ = false;
    if (file.detached_ || file.cancellations_ != 0)
        return false;
    file.set_descriptor(descriptor, description);
    file.account_ = &implementation_->accounts_.join(description.device);
    return true;
}

void engine::not_opened(open_file& file) noexcept
{
    if (is_foreign())
        return;
    const implementation::guard_type lock(implementation_->mutex_);
    file.opening_ = false;
}

file_state engine::state(const open_file& file) const noexcept
{
    if (is_foreign())
        return file_state::closed;
    const implementation::guard_type lock(implementation_->mutex_);
    if (file.opening_)
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
    ++file.references_;
}

void engine::dereference(open_file& file) noexcept
{
    if (is_foreign())
        return;
    const implementation::guard_type lock(implementation_->mutex_);
    implementation_->dereference(file);
}

int engine::close(open_file* file) noexcept
{
    if (is_foreign())
        return 0;
    implementation& self = *implementation_;
    implementation::lock_type lock(self.mutex_);
    self.detach(*file);
    const int descriptor = file->descriptor();
    bool parked = descriptor == -1;
    int error = 0;
    if (!parked && file->users_ != 0)
    {
        parked = self.park(*file, lock, error);
        if (!parked)
            self.wait_until_unused(*file, lock);
    }
    self.dereference(*file);
    lock.unlock();
    if (!parked && ::close(descriptor) != 0)
        error = errno;
    return error;
}

int engine::release(open_file* file) noexcept
{
    if (is_foreign())
        return file->descriptor();
    implementation& self = *implementation_;
    implementation::lock_type lock(self.mutex_);
    // The descriptor stands behind what has been transferred.
    self.move_positions(lock);
    self.notify_owner();
    self.detach(*file);
    const int descriptor = file->descriptor();
    if (descriptor != -1)
        self.wait_until_unused(*file, lock);
    self.dereference(*file);
    return descriptor;
}

std::size_t engine::open_files() const noexcept
{
    const implementation::guard_type lock(implementation_->mutex_);
    return implementation_->open_files_;
}

// Keeps the file, too, until it is dereferenced.
void engine::implementation::detach(open_file& file) noexcept
{
    --open_files_;
    file.detached_ = true;
    ++file.references_;
}

void engine::implementation::forget(open_file& file) noexcept
{
    accounts_.leave(*file.account_);
    delete &file;
}

void engine::implementation::add_user(open_file& file) noexcept
{
    ++file.users_;
    ++file.references_;
}

void engine::implementation::remove_user(open_file& file) noexcept
{
    if (--file.users_ == 0)
    {
        if (waiting_for_unused_ != 0)
            unused_.notify_all();
        if (file.parked_)
            ::close(file.descriptor());
    }
    dereference(file);
}

// The file is closed, which may wait for a server: not with the lock. Its number is not free.
bool engine::implementation::park(open_file& file, lock_type& lock, int& error) noexcept
{
    add_user(file);
    lock.unlock();
    const bool parked = parking_place_.park(file.descriptor(), error);
    lock.lock();
    file.parked_ = parked;
    remove_user(file);
    return parked;
}

void engine::implementation::wait_until_unused(const open_file& file, lock_type& lock) noexcept
{
    ++waiting_for_unused_;
    unused_.wait(lock, [&] { return file.users_ == 0; });
    --waiting_for_unused_;
}

} // namespace detail
} // namespace kaio
