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
    no_file_.set_mount(mounts_.unopened());
}

void file_table::add(open_file& file) noexcept
{
    file.lifetime().opening_ = true;
    file.set_mount(mounts_.unopened());
    ++size_;
}

bool file_table::opened(open_file& file, int descriptor, const file_traits& description) noexcept
{
    file.lifetime().opening_ = false;
    if (file.lifetime().detached_ || file.cancellations() != 0)
        return false;
    file.set_descriptor(descriptor, description);
    file.set_mount(mounts_.join(description.device));
    return true;
}

int file_table::close(open_file& file, lock_type& lock) noexcept
{
    detach(file);
    const int descriptor = file.descriptor();
    bool parked = descriptor == -1;
    int error = 0;
    if (!parked && file.lifetime().pins_ != 0)
    {
        parked = park(file, lock, error);
        if (!parked)
            wait_until_unpinned(file, lock);
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
        wait_until_unpinned(file, lock);
    dereference(file);
    return descriptor;
}

void file_table::unpin(open_file& file) noexcept
{
    if (--file.lifetime().pins_ == 0)
    {
        if (waiting_for_unpinned_ != 0)
            unpinned_.notify_all();
        if (file.lifetime().parked_)
            ::close(file.descriptor());
    }
    dereference(file);
}

// The reference keeps the file until the caller drops it.
void file_table::detach(open_file& file) noexcept
{
    --size_;
    file.lifetime().detached_ = true;
    ++file.lifetime().references_;
}

void file_table::forget(open_file& file) noexcept
{
    mounts_.leave(file.mount());
    delete &file;
}

// Closes the file, but keeps its number from being free. That may wait for a server, so not with the lock.
bool file_table::park(open_file& file, lock_type& lock, int& error) noexcept
{
    pin(file);
    lock.unlock();
    const bool parked = parking_place_.park(file.descriptor(), error);
    lock.lock();
    file.lifetime().parked_ = parked;
    unpin(file);
    return parked;
}

void file_table::wait_until_unpinned(open_file& file, lock_type& lock) noexcept
{
    ++waiting_for_unpinned_;
    unpinned_.wait(lock, [&] { return file.lifetime().pins_ == 0; });
    --waiting_for_unpinned_;
}

} // namespace detail
} // namespace kaio
