//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_KERNEL_PARKING_PLACE_HPP
#define KAIO_KERNEL_PARKING_PLACE_HPP

#include <atomic>

namespace kaio {
namespace detail {

/// Closes files whose descriptors' numbers must not be free for others yet.
/** All that this takes is there from the beginning: it can't run out of descriptors. */
class parking_place
{
public:
    /// Throws setup_failure if the kernel refuses the descriptors.
    parking_place();
    ~parking_place();

    parking_place(const parking_place&) = delete;
    parking_place& operator=(const parking_place&) = delete;

    /// Close a file and put something harmless in the place of its descriptor. May wait for a server.
    /** False if the file is as it was. The error is what close(2) has to say. */
    bool park(int descriptor, int& error) noexcept;

private:
    void reserve() noexcept;
    int duplicate_to_spare(int descriptor) noexcept;
    void keep(int spare) noexcept;

    const int placeholder_;

    // A number for the duplicate of a file where there is no other, or -1.
    std::atomic<int> spare_{-1};
};

} // namespace detail
} // namespace kaio

#endif // KAIO_KERNEL_PARKING_PLACE_HPP
