//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_BAR_HPP
#define KAIO_BENCH_BAR_HPP

#include <langinfo.h>
#include <locale.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

namespace bench {

/// Whether the user's locale can show more than ASCII.
inline bool utf8_locale()
{
    static const bool result = [] {
        const locale_t user = ::newlocale(LC_CTYPE_MASK, "", static_cast<locale_t>(nullptr));
        if (user == static_cast<locale_t>(nullptr))
            return false;
        const bool utf8 = ::nl_langinfo_l(CODESET, user) == std::string("UTF-8");
        ::freelocale(user);
        return utf8;
    }();
    return result;
}

/// A horizontal bar that fills this share (0 to 1) of its columns.
inline std::string bar(double share, std::size_t columns)
{
    static constexpr const char* eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const double length = std::clamp(share, 0.0, 1.0) * static_cast<double>(columns);
    std::string result;
    std::size_t used = 0;
    if (utf8_locale())
    {
        const auto drawn = static_cast<std::size_t>(std::lround(length * 8));
        for (; used != drawn / 8; ++used)
            result += "█";
        if (drawn % 8 != 0)
        {
            result += eighths[drawn % 8];
            ++used;
        }
    }
    else
    {
        used = static_cast<std::size_t>(std::lround(length));
        result.assign(used, '#');
    }
    return result.append(columns - used, ' ');
}

} // namespace bench

#endif // KAIO_BENCH_BAR_HPP
