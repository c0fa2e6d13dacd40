//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_CONTEXT_ESCAPED_EXCEPTIONS_HPP
#define KAIO_DETAIL_CONTEXT_ESCAPED_EXCEPTIONS_HPP

#include <kaio/detail/config.hpp>

namespace kaio {
namespace detail {

/// How many exceptions have left handlers on this thread.
/**
 * The executors of an io_context keep an exception that leaves a dispatched function until the
 * function that dispatched it has returned. This tells that one it is time to return.
 */
KAIO_DECL unsigned escaped_exceptions() noexcept;

/// Counts itself as an escaped exception, unless dismissed.
class exception_counter
{
public:
    exception_counter() = default;
    exception_counter(const exception_counter&) = delete;
    exception_counter& operator=(const exception_counter&) = delete;

    ~exception_counter()
    {
        if (!dismissed_)
            count();
    }

    void dismiss() noexcept
    {
        dismissed_ = true;
    }

private:
    KAIO_DECL static void count() noexcept;

    bool dismissed_ = false;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_CONTEXT_ESCAPED_EXCEPTIONS_HPP
