//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "engine/file_table.hpp"

#include <unistd.h>

#include <cerrno>

namespace kaio {
namespace detail {

file_table::file_table()
{
    no_file_.account_ = &mounts_.unopened();
}

void file_table::add(open_file& file) noexcept
{
    file.opening_ = true;
    file.account_ = &mounts_.unopened();
    ++size_;
}

bool file_table::opened(open_file& file, int descriptor,
                        const file_description& description) noexcept
{
    file.opening_ = false;
    if (file.detached_ || file.cancellations_ != 0)
        return false;
    file.set_descriptor(descriptor, description);
    file.account_ = &mounts_.join(description.device);
    return true;
}

int file_table::close(open_file& file, lock_type& lock) noexcept
{
    detach(file);
    const int descriptor = file.descriptor();
    bool parked = descriptor == -1;
    int error = 0;
    if (!parked && file.users_ != 0)
    {
        parked = park(file, lock, error);
        if (!parked)
            wait_until_unused(file, lock);
    }
    dereference(file);
    lock.unlock();
    if (!parked && ::close(descriptor) != 0)
        error = errno;
    return error;
}

int file_table::release(open_file& file, lock_type& lock) noexcept
{
    detach(file);
    const int descriptor = file.descriptor();
    if (descriptor != -1)
        wait_until_unused(file, lock);
    dereference(file);
    return descriptor;
}

void file_table::remove_user(open_file& file) noexcept
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

// Keeps the file, too, until it is dereferenced.
void file_table::detach(open_file& file) noexcept
{
    --size_;
    file.detached_ = true;
    ++file.references_;
}

void file_table::forget(open_file& file) noexcept
{
    mounts_.leave(*file.account_);
    delete &file;
}

// The file is closed, which may wait for a server: not with the lock. Its number is not free.
bool file_table::park(open_file& file, lock_type& lock, int& error) noexcept
{
    add_user(file);
    lock.unlock();
    const bool parked = parking_place_.park(file.descriptor(), error);
    lock.lock();
    file.parked_ = parked;
    remove_user(file);
    return parked;
}

void file_table::wait_until_unused(const open_file& file, lock_type& lock) noexcept
{
    ++waiting_for_unused_;
    unused_.wait(lock, [&] { return file.users_ == 0; });
    --waiting_for_unused_;
}

} // namespace detail
} // namespace kaio
