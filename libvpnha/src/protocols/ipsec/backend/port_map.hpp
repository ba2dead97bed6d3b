// SPDX-License-Identifier: GPL-2.0-or-later
// Port: how this node's kernel maps the ports of L2TP within IPsec
// (protocols/ipsec/model/port_map.hpp).
#pragma once

#include <vector>

#include "protocols/ipsec/model/port_map.hpp"

namespace vpnha::ports {

class PortMap {
  public:
    virtual ~PortMap() = default;

    // Replaces the mappings soon. Packets that have a mark but no mapping are dropped.
    virtual void map(std::vector<ipsec::PortMapping> mappings) = 0;
};

}  // namespace vpnha::ports
