//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_ENGINE_FILE_TABLE_HPP
#define KAIO_ENGINE_FILE_TABLE_HPP

#include <condition_variable>
#include <cstddef>
#include <mutex>

#include <kaio/detail/file/file_traits.hpp>

#include "kernel/mutex.hpp"
#include "kernel/parking_place.hpp"
#include "queue/mount_table.hpp"
#include "queue/open_file.hpp"

namespace kaio {
namespace detail {

/// The files of an engine, each from its opening until its descriptor's number is free for others.
/** All functions are called with the engine's lock held. */
class file_table
{
public:
    using lock_type = std::unique_lock<mutex>;

    /// Throws setup_failure if the kernel refuses descriptors.
    file_table();

    file_table(const file_table&) = delete;
    file_table& operator=(const file_table&) = delete;

    /// The file of operations that belong to no file object: the closing of a file is one.
    open_file& no_file() noexcept
    {
        return no_file_;
    }

    /// How many files there are that a file object refers to.
    std::size_t size() const noexcept
    {
        return size_;
    }

    /// The mounts of these files.
    const mount_table& mounts() const noexcept
    {
        return mounts_;
    }

    /// Add a file that is going to be opened.
    void add(open_file& file) noexcept;

    /// Give a file its descriptor. False if it was closed or cancelled meanwhile.
    bool opened(open_file& file, int descriptor, const file_traits& description) noexcept;

    /// The opening of a file has failed.
    static void not_opened(open_file& file) noexcept
    {
        file.lifetime().opening_ = false;
    }

    /// Close a file that its object lets go of, and unlock. Returns an errno, or 0.
    /** The number of the descriptor is not free while a call may be using it. */
    int close(open_file& file, lock_type& lock) noexcept;

    /// Wait until no call uses a file, which its object lets go of. Returns its descriptor.
    int release(open_file& file, lock_type& lock) noexcept;

    /// Keep a file known for as long as an operation refers to it.
    void reference(open_file& file) noexcept
    {
        ++file.lifetime().references_;
    }

    void dereference(open_file& file) noexcept
    {
        if (--file.lifetime().references_ == 0 && file.lifetime().detached_)
            forget(file);
    }

    /// Keep the number of a descriptor for as long as a call may be using it.
    void pin(open_file& file) noexcept
    {
        ++file.lifetime().pins_;
        ++file.lifetime().references_;
    }

    void unpin(open_file& file) noexcept;

    /// The file that counts as having the helpers of a file.
    /** Files that aren't open yet share what one file may have: they may all be on one mount. */
    open_file& holder_of_helpers(open_file& file) noexcept
    {
        return file.descriptor() == -1 ? no_file_ : file;
    }

    const open_file& holder_of_helpers(const open_file& file) const noexcept
    {
        return file.descriptor() == -1 ? no_file_ : file;
    }

private:
    void detach(open_file& file) noexcept;
    void forget(open_file& file) noexcept;
    bool park(open_file& file, lock_type& lock, int& error) noexcept;
    void wait_until_unpinned(open_file& file, lock_type& lock) noexcept;

    mount_table mounts_;
    open_file no_file_;
    std::size_t size_ = 0;
    parking_place parking_place_;

    // Signalled when a file has no more users.
    std::condition_variable_any unpinned_;
    int waiting_for_unpinned_ = 0;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_ENGINE_FILE_TABLE_HPP
