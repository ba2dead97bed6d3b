// SPDX-License-Identifier: GPL-2.0-or-later
// Port: what this node's kernel makes of the ports of L2TP within IPsec
// (protocols/ipsec/model/port_map.hpp).
#pragma once

#include <vector>

#include "protocols/ipsec/model/port_map.hpp"

namespace vpnha::ports {

class PortMap {
  public:
    virtual ~PortMap() = default;

    // Instead of those of before; soon. What is not mapped, and comes with a mark, is dropped.
    virtual void map(std::vector<ipsec::PortMapping> mappings) = 0;
};

}  // namespace vpnha::ports
