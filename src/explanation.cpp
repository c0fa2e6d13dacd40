//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <kaio/detail/explanation.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstdint>
#include <initializer_list>
#include <sstream>
#include <utility>

#include <kaio/detail/descriptor.hpp>
#include <kaio/detail/kernel_options.hpp>

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

void multiple(sentence& s, const char* what, std::uint64_t value, const io_alignment& needed)
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
    multiple(found, "offset", transfer.offset, needed);
    for (std::size_t i = 0; i != transfer.buffer_count && found.text().size() < 400; ++i)
    {
        const std::string buffer =
            transfer.buffer_count == 1 ? "buffer" : "buffer " + std::to_string(i + 1);
        const auto address = reinterpret_cast<std::uintptr_t>(transfer.buffers[i].iov_base);
        if (needed.memory != 0 && address % needed.memory != 0)
            found.add("the address of the ", buffer, ", ", transfer.buffers[i].iov_base,
                      ", is not a multiple of ", needed.memory);
        multiple(found, ("the length of the " + buffer + ",").c_str(), transfer.buffers[i].iov_len,
                 needed);
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
        transfer.offset + length(transfer) > limit.rlim_cur)
        s.add("this process may make files of at most ", limit.rlim_cur, " bytes (RLIMIT_FSIZE)");
    else
        s.add("the file system has no files that large");
}

void no_space(sentence& s, const failed_transfer& transfer)
{
    struct statvfs status;
    if (::fstatvfs(transfer.descriptor, &status) == 0)
        s.add("the file system has ", status.f_bavail * status.f_frsize,
              " bytes left for this user, and ", length(transfer), " were to be written");
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
    s.add("the kernel, or the file system, lacks an option that was asked for",
          options.empty() ? "" : ": ", options);
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
        s.add("the quota of this user on the file system is used up");
        break;
    case EOPNOTSUPP:
        not_supported(s, transfer);
        break;
    case EAGAIN:
        s.add("the transfer would have had to wait");
        break;
    case EISDIR:
        s.add("a directory can't be read");
        break;
    case ESPIPE:
        s.add("pipes, sockets and terminals have no offsets");
        break;
    case EPERM:
        s.add("the file is immutable, sealed or append-only, or the priority needs a privilege");
        break;
    case EFAULT:
        s.add("a buffer lies outside the memory that the process may use in this way");
        break;
    case EIO:
        s.add("the device or the file system reported an error, see the kernel's log");
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
    int error = 0;
    const std::uint64_t size = descriptor::size(transfer.descriptor, error);
    sentence s;
    if (error == 0)
        s.add("the file ends at ", size, ", and the read began at ", transfer.offset);
    return s.text();
}

} // namespace detail
} // namespace kaio
