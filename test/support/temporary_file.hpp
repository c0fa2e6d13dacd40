//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_TEMPORARY_FILE_HPP
#define KAIO_TEST_SUPPORT_TEMPORARY_FILE_HPP

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace kaio {
namespace test {

/// The byte that a patterned file has at an offset. Recognises blocks in the wrong place.
inline unsigned char pattern_byte(std::uint64_t offset)
{
    std::uint64_t x = offset / 8 * 0x9e3779b97f4a7c15u + 0x632be59bd9b4e019u;
    x ^= x >> 29;
    x *= 0xbf58476d1ce4e5b9u;
    return static_cast<unsigned char>(x >> (offset % 8 * 8));
}

/// The content of a patterned file from an offset on.
inline std::string pattern(std::uint64_t offset, std::size_t size)
{
    std::string result(size, '\0');
    for (std::size_t i = 0; i != size; ++i)
        result[i] = static_cast<char>(pattern_byte(offset + i));
    return result;
}

namespace detail {

inline std::pair<int, std::string> make_unique_file(const std::string& directory)
{
    std::string path = directory + "/kaio-test-XXXXXX";
    const int descriptor = ::mkostemp(&path[0], O_CLOEXEC);
    return {descriptor, path};
}

inline bool takes_direct_io(const std::string& directory)
{
    const auto [descriptor, path] = make_unique_file(directory);
    if (descriptor == -1)
        return false;
    ::unlink(path.c_str());
    // File systems without direct I/O either refuse the flag or the transfer.
    void* const memory = ::aligned_alloc(4096, 4096);
    const bool result = memory && ::fcntl(descriptor, F_SETFL, O_DIRECT) == 0 &&
                        ::pwrite(descriptor, std::memset(memory, 0, 4096), 4096, 0) == 4096;
    std::free(memory);
    ::close(descriptor);
    return result;
}

} // namespace detail

/// Where the tests make their files: KAIO_TEST_DIR, or a place on a disk that takes direct I/O.
inline const std::string& directory()
{
    static const std::string result = [] {
        if (const char* chosen = std::getenv("KAIO_TEST_DIR"))
            return std::string(chosen);
        for (const char* candidate : {".", "/var/tmp", "/tmp"})
        {
            if (detail::takes_direct_io(candidate))
                return std::string(candidate);
        }
        return std::string(".");
    }();
    return result;
}

/// Whether the test files can be opened with O_DIRECT.
inline bool direct_io_available()
{
    static const bool result = detail::takes_direct_io(directory());
    return result;
}

/// A file of its own for a test, removed at the end.
class temporary_file
{
public:
    /// An empty file.
    temporary_file()
    {
        const auto [descriptor, path] = detail::make_unique_file(directory());
        if (descriptor == -1)
            fail(path);
        path_ = path;
        ::close(descriptor);
    }

    /// A file with contents.
    explicit temporary_file(const std::string& contents) : temporary_file()
    {
        write(contents);
    }

    /// A file of a size, filled with the pattern.
    explicit temporary_file(std::size_t size) : temporary_file(pattern(0, size))
    {
    }

    temporary_file(const temporary_file&) = delete;
    temporary_file& operator=(const temporary_file&) = delete;

    ~temporary_file()
    {
        ::unlink(path_.c_str());
    }

    const std::string& path() const noexcept
    {
        return path_;
    }

    const char* c_str() const noexcept
    {
        return path_.c_str();
    }

    /// Replace the contents, by plain system calls, and bring them to the disk.
    void write(const std::string& contents)
    {
        const int descriptor = ::open(path_.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
        if (descriptor == -1)
            fail(path_);
        for (std::size_t done = 0; done != contents.size();)
        {
            const ::ssize_t result =
                ::write(descriptor, contents.data() + done, contents.size() - done);
            if (result <= 0)
                fail(path_);
            done += static_cast<std::size_t>(result);
        }
        ::fsync(descriptor);
        ::close(descriptor);
    }

    /// The contents, by plain system calls.
    std::string contents() const
    {
        const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
        if (descriptor == -1)
            fail(path_);
        std::string result;
        char block[65536];
        ::ssize_t count;
        while ((count = ::read(descriptor, block, sizeof(block))) > 0)
            result.append(block, static_cast<std::size_t>(count));
        ::close(descriptor);
        return result;
    }

private:
    [[noreturn]] static void fail(const std::string& path)
    {
        throw std::system_error(errno, std::generic_category(), path);
    }

    std::string path_;
};

/// Memory for direct I/O.
class aligned_memory
{
public:
    explicit aligned_memory(std::size_t size)
      : memory_(static_cast<char*>(::aligned_alloc(4096, (size + 4095) / 4096 * 4096))), size_(size)
    {
        std::memset(memory_.get(), 0, size_);
    }

    char* data() noexcept
    {
        return memory_.get();
    }

    std::size_t size() const noexcept
    {
        return size_;
    }

    std::string text() const
    {
        return std::string(memory_.get(), size_);
    }

private:
    struct release
    {
        void operator()(char* memory) const
        {
            std::free(memory);
        }
    };

    std::unique_ptr<char, release> memory_;
    std::size_t size_;
};

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_TEMPORARY_FILE_HPP
