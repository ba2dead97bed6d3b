// SPDX-License-Identifier: GPL-2.0-or-later
// The flows of the benchmarks: established TCP connections of clients behind the gateway's NAT.
#pragma once

#include <cstdint>
#include <vector>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "services/flows/backend/flow_table.hpp"
#include "services/flows/model/flow.hpp"

namespace vpnha::bench {

// Distinct for each number below 2^24; no two share a mapping.
inline conntrack::Flow flow_number(std::uint32_t number) {
    conntrack::Flow flow;
    const auto port = static_cast<std::uint16_t>(1024 + number % 32'768);
    const auto server = IpAddress(Ipv4Address{0xcb007100 + number / 32'768});
    flow.key = {conntrack::kTcp,
                {},
                {IpAddress(Ipv4Address{0x0a400000 + number % 65'521}), server, port, 443}};
    flow.reply = {server, IpAddress(Ipv4Address{0xc0000264}), 443, port};
    flow.status = conntrack::kSeenReply | conntrack::kAssured;
    flow.timeout_s = 432'000;
    flow.tcp = conntrack::Tcp{conntrack::TcpState::established, {7, 9}, {3, 3}};
    return flow;
}

// Into the kernel of the calling thread's namespace.
inline void install_numbers(ports::FlowTable& table, std::uint32_t first, std::uint32_t count) {
    std::vector<conntrack::Flow> flows;
    for (std::uint32_t number = first; number < first + count; ++number) {
        flows.push_back(flow_number(number));
        if (flows.size() == limits::kFlowsPerTrain || number + 1 == first + count) {
            const auto taken = table.install(flows, conntrack::Live::changes);
            VPNHA_ASSERT(taken.has_value());
            flows.clear();
        }
    }
}

}  // namespace vpnha::bench
