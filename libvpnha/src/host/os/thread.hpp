// SPDX-License-Identifier: GPL-2.0-or-later
// Threads beside the loop.
#pragma once

#include <functional>
#include <thread>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

// `work` runs in a thread in which all signals are blocked: the loop handles them. The thread of a
// caller in real time runs at nice -10, any other thread as its caller. Error system: no thread is
// available.
[[nodiscard]] Result<std::thread> start_thread(std::function<void()> work);
// A thread of start_thread() calls it first, unless its work cannot wait: it gives up the
// preference of its caller.
void become_background();

}  // namespace vpnha::adapters
