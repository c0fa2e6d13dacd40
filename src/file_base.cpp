//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <kaio/file_base.hpp>

#include <ostream>

namespace kaio {

std::ostream& operator<<(std::ostream& os, file_base::flags x)
{
    static constexpr struct
    {
        file_base::flags flag;
        const char* name;
    } names[] = {
        {file_base::append, "append"},
        {file_base::create, "create"},
        {file_base::exclusive, "exclusive"},
        {file_base::truncate, "truncate"},
        // One is a part of the other.
        {file_base::sync_all_on_write, "sync_all_on_write"},
        {file_base::sync_data_on_write, "sync_data_on_write"},
        {file_base::direct, "direct"},
    };

    int left = x;
    switch (left & O_ACCMODE)
    {
    case file_base::read_only:
        os << "read_only";
        break;
    case file_base::write_only:
        os << "write_only";
        break;
    case file_base::read_write:
        os << "read_write";
        break;
    default:
        os << "no access mode";
        break;
    }
    left &= ~O_ACCMODE;
    for (const auto& [flag, name] : names)
    {
        if ((left & flag) == flag)
        {
            os << '|' << name;
            left &= ~flag;
        }
    }
    if (left != 0)
        os << '|' << left;
    return os;
}

} // namespace kaio
