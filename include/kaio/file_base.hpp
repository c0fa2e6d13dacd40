//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_FILE_BASE_HPP
#define KAIO_FILE_BASE_HPP

#include <fcntl.h>
#include <stdio.h>

#include <iosfwd>

#include <kaio/detail/config.hpp>

namespace kaio {

/// The flags and the seek bases of kaio's files: those of boost::asio::file_base, and two more.
/**
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe (there is no state).
 */
class file_base
{
public:
    /// How to open a file: one of the three access modes, with any of the others.
    /**
     * Each value is that of the corresponding flag of open(2), and bits that have no name here
     * reach open(2) unchanged: <tt>static_cast<file_base::flags>(O_NOATIME)</tt>.
     */
    enum flags : int
    {
        /// Open for reading.
        read_only = O_RDONLY,

        /// Open for writing.
        write_only = O_WRONLY,

        /// Open for reading and writing.
        read_write = O_RDWR,

        /// Every write goes to the end of the file, whatever its offset, see io_options::append.
        append = O_APPEND,

        /// Create the file if it does not exist.
        create = O_CREAT,

        /// Together with @c create: fail if the file exists.
        exclusive = O_EXCL,

        /// Cut an existing file to length 0.
        truncate = O_TRUNC,

        /// A write completes when data and all metadata are on stable storage.
        sync_all_on_write = O_SYNC,

        /// A write completes when data, and the metadata needed to read it, are on stable storage.
        sync_data_on_write = O_DSYNC,

        /// Transfer directly between the device and the caller's buffers, past the page cache.
        /** Memory, offset and length must be aligned as the file system requires it. */
        direct = O_DIRECT
    };

    friend flags operator&(flags x, flags y)
    {
        return static_cast<flags>(static_cast<int>(x) & static_cast<int>(y));
    }

    friend flags operator|(flags x, flags y)
    {
        return static_cast<flags>(static_cast<int>(x) | static_cast<int>(y));
    }

    friend flags operator^(flags x, flags y)
    {
        return static_cast<flags>(static_cast<int>(x) ^ static_cast<int>(y));
    }

    friend flags operator~(flags x)
    {
        return static_cast<flags>(~static_cast<int>(x));
    }

    friend flags& operator&=(flags& x, flags y)
    {
        return x = x & y;
    }

    friend flags& operator|=(flags& x, flags y)
    {
        return x = x | y;
    }

    friend flags& operator^=(flags& x, flags y)
    {
        return x = x ^ y;
    }

    /// Print flags by their names, as <tt>read_write|create</tt>; what has none as a number.
    KAIO_DECL friend std::ostream& operator<<(std::ostream& os, flags x);

    /// What an offset given to a seek counts from.
    enum seek_basis
    {
        /// The beginning of the file.
        seek_set = SEEK_SET,

        /// The current position.
        seek_cur = SEEK_CUR,

        /// The end of the file.
        seek_end = SEEK_END
    };

protected:
    /// Protected destructor to prevent deletion through this type.
    ~file_base() = default;
};

} // namespace kaio

#endif // KAIO_FILE_BASE_HPP
