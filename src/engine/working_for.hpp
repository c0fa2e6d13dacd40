//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_ENGINE_WORKING_FOR_HPP
#define KAIO_ENGINE_WORKING_FOR_HPP

#include "engine/engine_implementation.hpp"

namespace kaio {
namespace detail {

/// Counts a thread of the pool as one that works for a file and its mount, and keeps the file.
/** With the lock held at both ends. */
class engine::implementation::working_for
{
public:
    working_for(implementation& self, open_file& file) noexcept
      : self_(self), file_(file), holder_(self.files_.holder_of_helpers(file))
    {
        ++self_.working_;
        ++holder_.workers_;
        ++holder_.account_->workers;
        self_.files_.reference(file_);
    }

    working_for(const working_for&) = delete;
    working_for& operator=(const working_for&) = delete;

    ~working_for()
    {
        --self_.working_;
        --holder_.workers_;
        --holder_.account_->workers;
        self_.files_.dereference(file_);
    }

private:
    implementation& self_;
    open_file& file_;
    open_file& holder_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_ENGINE_WORKING_FOR_HPP
