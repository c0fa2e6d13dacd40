//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_ENVIRONMENT_VARIABLE_HPP
#define KAIO_TEST_SUPPORT_ENVIRONMENT_VARIABLE_HPP

#include <cstdlib>

namespace kaio {
namespace test {

/// A variable that this process has not had, as long as this lives.
class environment_variable
{
public:
    environment_variable(const char* name, const char* value) : name_(name)
    {
        ::setenv(name_, value, 1);
    }

    environment_variable(const environment_variable&) = delete;
    environment_variable& operator=(const environment_variable&) = delete;

    ~environment_variable()
    {
        ::unsetenv(name_);
    }

private:
    const char* name_;
};

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_ENVIRONMENT_VARIABLE_HPP
