// SPDX-License-Identifier: GPL-2.0-or-later
// The numbers of a family of generic netlink in this kernel.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "host/netlink/netlink.hpp"

namespace vpnha::adapters {

struct GenericFamily {
    std::uint16_t id = 0;
    std::map<std::string, std::uint32_t> groups;  // The ids of its multicast groups.
};

// Error not_found: the kernel has no such family. The kernel may load its module meanwhile.
[[nodiscard]] Result<GenericFamily> find_generic_family(NetlinkSocket& socket,
                                                        std::string_view name);

}  // namespace vpnha::adapters
