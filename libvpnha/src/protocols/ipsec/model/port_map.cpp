// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/model/port_map.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace vpnha::ipsec {

std::vector<PortMapping> map_ports(std::span<const SaCounters> listed, const SaSet& sas) {
    std::vector<PortMapping> mappings;
    std::map<std::pair<IpAddress, std::uint16_t>, std::uint64_t> latest;
    const auto each_marked = [&](const auto& visit) {
        for (const SaCounters& sa : listed) {
            const ChildSa* const child = sas.find_child(sa.id.spi);
            if (sa.output_mark != 0 && child != nullptr && child->port != 0) {
                visit(sa, *child);
            }
        }
    };
    each_marked([&](const SaCounters& sa, const ChildSa& child) {
        std::uint64_t& order = latest[{sa.id.source, child.port}];
        order = std::max(order, child.order);
    });
    each_marked([&](const SaCounters& sa, const ChildSa& child) {
        mappings.push_back({sa.id.source, child.port, peer_port_of(child), sa.output_mark,
                            latest.at({sa.id.source, child.port}) == child.order});
    });
    std::ranges::sort(mappings);
    return mappings;
}

bool misses_ports(std::span<const SaCounters> listed, const SaSet& sas) {
    std::set<std::uint32_t> there;
    for (const SaCounters& sa : listed) {
        there.insert(sa.id.spi);
    }
    return std::ranges::any_of(sas.children(), [&there](const auto& each) {
        return each.second.port != 0 && !there.contains(each.first);
    });
}

}  // namespace vpnha::ipsec
