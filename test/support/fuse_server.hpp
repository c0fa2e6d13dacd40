//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_FUSE_SERVER_HPP
#define KAIO_TEST_SUPPORT_FUSE_SERVER_HPP

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "file_systems.hpp"

namespace kaio {
namespace test {

/// A file system whose server can be told not to answer. Needs root.
/**
 * The server is a process of its own: it goes with the test, and with it all that waits for it.
 * Whatever file one looks for is there, with the pattern in it, but for "missing". To close "lost"
 * fails with EIO.
 */
class fuse_file_system
{
public:
    /// The size of each file.
    static constexpr std::size_t file_size = 1024 * 1024;

    /// Mount it, with direct I/O that is asynchronous, or that io_submit waits for.
    explicit fuse_file_system(bool asynchronous_direct_io);
    ~fuse_file_system();

    fuse_file_system(const fuse_file_system&) = delete;
    fuse_file_system& operator=(const fuse_file_system&) = delete;

    /// Why there can be none; empty if there can.
    static std::string why_not();

    std::string path(const std::string& name) const
    {
        return mount_->path() + "/" + name;
    }

    /// From now on, don't answer reads, writes and opens of files whose names begin with "hung".
    void hold();

    /// Answer them.
    void release();

    /// How many requests are not being answered.
    std::size_t held() const;

    /// End the server. The kernel then ends whatever waits for it.
    void die();

private:
    struct shared_state;
    class server;

    shared_state* state_;
    int control_ = -1;
    ::pid_t process_ = -1;
    std::unique_ptr<mounted> mount_;
};

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_FUSE_SERVER_HPP
