// SPDX-License-Identifier: GPL-2.0-or-later
// VPNHA_ASSERT states a condition that must hold whatever the network, the disk or the kernel does.
// It stays on in release: a node that contradicts itself aborts, and Pacemaker moves its gateways.
// It is never used on bytes from outside.
#pragma once

namespace vpnha {

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace vpnha

#define VPNHA_ASSERT(condition) \
    ((condition) ? static_cast<void>(0) : ::vpnha::assertion_failed(#condition, __FILE__, __LINE__))
