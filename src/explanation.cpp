//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <kaio/detail/file/explanation.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstdint>
#include <initializer_list>
#include <sstream>
#include <utility>

#include <kaio/detail/file/descriptor.hpp>
#include <kaio/detail/operation/kernel_options.hpp>

namespace kaio {
namespace detail {
namespace {

// Facts, in one sentence.
class sentence
{
public:
    template <typename... Parts>
    void add(const Parts&... parts)
    {
        if (!text_.str().empty())
            text_ << "; ";
        (text_ << ... << parts);
    }

    std::string text() const
    {
        return text_.str();
    }

private:
    std::ostringstream text_;
};

std::uint64_t length(const failed_transfer& transfer)
{
    std::uint64_t result = 0;
    for (std::size_t i = 0; i != transfer.buffer_count; ++i)
        result += transfer.buffers[i].iov_len;
    return result;
}

bool appends(const failed_transfer& transfer)
{
    const int flags = ::fcntl(transfer.descriptor, F_GETFL);
    return (transfer.rw_flags & rwf_append) != 0 || (flags != -1 && (flags & O_APPEND) != 0);
}

// The format of a file: S_IFREG and the others; 0 if it can't be found out.
::mode_t format(const failed_transfer& transfer)
{
    struct stat status;
    return ::fstat(transfer.descriptor, &status) == 0 ? status.st_mode & S_IFMT : 0;
}

// Where a write began.
std::uint64_t begin_of_write(const failed_transfer& transfer)
{
    int error = 0;
    const std::uint64_t size = appends(transfer) ? descriptor::size(transfer.descriptor, error) : 0;
    return appends(transfer) && error == 0 ? size : transfer.offset;
}

void access_mode(sentence& s, const failed_transfer& transfer)
{
    const int flags = ::fcntl(transfer.descriptor, F_GETFL);
    if (flags == -1)
        s.add("the file is not open");
    else if ((flags & O_PATH) != 0)
        s.add("the descriptor was opened with O_PATH, and allows no transfers");
    else if ((flags & O_ACCMODE) == O_RDONLY)
        s.add("the file is open for reading only");
    else if ((flags & O_ACCMODE) == O_WRONLY)
        s.add("the file is open for writing only");
}

void multiple(sentence& s, const std::string& what, std::uint64_t value, const io_alignment& needed)
{
    if (needed.read_offset != 0 && value % needed.read_offset != 0)
        s.add(what, ' ', value, " is not a multiple of ", needed.read_offset);
    else if (needed.offset != 0 && value % needed.offset != 0)
        s.add(what, ' ', value, " is not a multiple of ", needed.offset, ", which writes need");
}

void misalignment(sentence& s, const failed_transfer& transfer)
{
    const int flags = ::fcntl(transfer.descriptor, F_GETFL);
    if (flags == -1 || (flags & O_DIRECT) == 0)
        return;
    int error = 0;
    const io_alignment needed = descriptor::alignment(transfer.descriptor, error);
    if (error != 0)
        return;
    if (needed.offset == 0)
    {
        s.add("the file has no direct I/O");
        return;
    }

    sentence found;
    if (!appends(transfer))
        multiple(found, "offset", transfer.offset, needed);
    else
    {
        const bool may_be_read = (flags & O_ACCMODE) != O_WRONLY;
        if (may_be_read && (transfer.rw_flags & rwf_append) == 0)
            multiple(found, "the offset of a read,", transfer.offset, needed);
        multiple(found, "the end of the file, where it is written,", begin_of_write(transfer),
                 needed);
    }
    for (std::size_t i = 0; i != transfer.buffer_count && found.text().size() < 400; ++i)
    {
        const std::string buffer =
            transfer.buffer_count == 1 ? "buffer" : "buffer " + std::to_string(i + 1);
        const auto address = reinterpret_cast<std::uintptr_t>(transfer.buffers[i].iov_base);
        if (needed.memory != 0 && address % needed.memory != 0)
            found.add("the address of the ", buffer, ", ", transfer.buffers[i].iov_base,
                      ", is not a multiple of ", needed.memory);
        multiple(found, "the length of the " + buffer + ",", transfer.buffers[i].iov_len, needed);
    }
    if (!found.text().empty())
        s.add("a direct transfer has to be aligned: ", found.text());
}

void invalid(sentence& s, const failed_transfer& transfer)
{
    constexpr auto largest = static_cast<std::uint64_t>(INT64_MAX);
    if (transfer.offset > largest)
        s.add("the offset ", transfer.offset, " is above the largest that there is, ", largest);
    else if (length(transfer) > largest - transfer.offset)
        s.add("the transfer would end above the largest offset that there is, ", largest);
    else
        misalignment(s, transfer);

    const std::uint64_t size = length(transfer);
    if ((transfer.rw_flags & rwf_atomic) != 0 &&
        ((size & (size - 1)) != 0 || (size != 0 && transfer.offset % size != 0)))
        s.add("an atomic write has to be a power of two bytes long, at a multiple of that");
}

void too_large(sentence& s, const failed_transfer& transfer)
{
    ::rlimit limit;
    if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        begin_of_write(transfer) >= limit.rlim_cur)
        s.add("this process may make files of at most ", limit.rlim_cur, " bytes (RLIMIT_FSIZE)");
    else
        s.add("the file system has no files that large");
}

// What is left isn't always to be had: file systems keep some of it back, and a limit of a directory
// may hold.
void no_space(sentence& s, const failed_transfer& transfer)
{
    int error = 0;
    struct statvfs status;
    if (format(transfer) == S_IFBLK)
    {
        const std::uint64_t size = descriptor::size(transfer.descriptor, error);
        if (error == 0 && transfer.offset >= size)
            s.add("the device ends at ", size, ", and the write began at ", transfer.offset);
    }
    else if (format(transfer) == S_IFREG && ::fstatvfs(transfer.descriptor, &status) == 0)
    {
        const std::uint64_t left = std::uint64_t(status.f_bavail) * status.f_frsize;
        const std::uint64_t wanted = length(transfer);
        s.add("the file system has no room for the ", wanted, " bytes to be written",
              left < wanted ? ": it has " : ", though it has ", left,
              " left for users without privileges");
    }
}

void not_supported(sentence& s, const failed_transfer& transfer)
{
    std::string options;
    for (const auto& [flag, name] :
         {std::pair(rwf_dsync, "data_sync"), std::pair(rwf_sync, "sync"),
          std::pair(rwf_append, "append"), std::pair(rwf_nowait, "no_wait"),
          std::pair(rwf_atomic, "atomic"), std::pair(rwf_dontcache, "uncached")})
    {
        if ((transfer.rw_flags & flag) != 0)
            options += std::string(options.empty() ? "" : ", ") + name;
    }
    if (!options.empty())
        s.add("the kernel, or the file system, may lack an option that was asked for: ", options);
}

void would_wait(sentence& s, const failed_transfer& transfer)
{
    const int flags = ::fcntl(transfer.descriptor, F_GETFL);
    if ((transfer.rw_flags & rwf_nowait) != 0 || (flags != -1 && (flags & O_NONBLOCK) != 0))
        s.add("the transfer would have had to wait");
}

void forbidden(sentence& s, const failed_transfer& transfer)
{
    struct ::statx status = {};
    if (::statx(transfer.descriptor, "", AT_EMPTY_PATH, 0, &status) == 0)
    {
        if ((status.stx_attributes & STATX_ATTR_IMMUTABLE) != 0)
            s.add("the file is immutable");
        if ((status.stx_attributes & STATX_ATTR_APPEND) != 0)
            s.add("the file is append-only");
    }
    const int seals = ::fcntl(transfer.descriptor, F_GET_SEALS);
    if (seals != -1 && (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) != 0)
        s.add("the file is sealed against writing");
    if (seals != -1 && (seals & F_SEAL_GROW) != 0)
        s.add("the file is sealed against growing");
    if (s.text().empty())
        s.add("it may take a privilege, as some priorities do");
}

} // namespace

std::string explanation(const failed_transfer& transfer, int error)
{
    sentence s;
    switch (error)
    {
    case EBADF:
        access_mode(s, transfer);
        break;
    case EINVAL:
        invalid(s, transfer);
        break;
    case EFBIG:
        too_large(s, transfer);
        break;
    case ENOSPC:
        no_space(s, transfer);
        break;
    case EDQUOT:
        s.add(
            "a quota is used up that the file counts towards: of its user, its group, its project, "
            "or the part of the file system that it is in");
        break;
    case EOPNOTSUPP:
        not_supported(s, transfer);
        break;
    case EAGAIN:
        would_wait(s, transfer);
        break;
    case EISDIR:
        s.add("a directory can't be read");
        break;
    case ESPIPE:
        s.add("the file has no offsets, as pipes, sockets and terminals have none");
        break;
    case EPERM:
        forbidden(s, transfer);
        break;
    case EFAULT:
        s.add("a buffer lies outside the memory that the process may use in this way");
        break;
    case EIO:
        s.add("the device or the file system reported an error; the kernel's log may say more");
        break;
    case ECANCELED:
        s.add("the operation was cancelled before it had begun");
        break;
    default:
        break;
    }
    return s.text();
}

std::string explanation_of_end(const failed_transfer& transfer)
{
    const ::mode_t kind = format(transfer);
    int error = kind == S_IFREG || kind == S_IFBLK ? 0 : ESPIPE;
    const std::uint64_t size = error == 0 ? descriptor::size(transfer.descriptor, error) : 0;
    sentence s;
    // Of some files, as those in /proc, the size is 0 whatever they hold.
    if (error == 0 && size == 0)
        s.add("the file gives its size as 0, and the read began at ", transfer.offset);
    else if (error == 0 && transfer.offset >= size)
        s.add("the file ends at ", size, ", and the read began at ", transfer.offset);
    return s.text();
}

} // namespace detail
} // namespace kaio
