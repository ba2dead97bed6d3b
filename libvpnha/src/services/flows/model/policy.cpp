// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/model/policy.hpp"

#include <algorithm>

namespace vpnha::conntrack {

namespace {

bool is_established(std::uint8_t protocol, std::uint32_t status) {
    switch (protocol) {
        case kTcp:
        case kUdp:
        case kUdpLite:
        case kGre:
            return (status & kAssured) != 0;
        case kIcmp:
        case kIcmpv6:
            return false;
        default:
            return (status & kSeenReply) != 0;
    }
}

}  // namespace

bool concerns(const Policy& policy, const Flow& flow) {
    if ((flow.mark & policy.mark_mask) != (policy.mark & policy.mark_mask)) {
        return false;
    }
    if (!policy.zones.empty() && std::find(policy.zones.begin(), policy.zones.end(),
                                           flow.key.zone.id) == policy.zones.end()) {
        return false;
    }
    const Tuple& original = flow.key.original;
    return policy.nets.empty() ||
           std::any_of(policy.nets.begin(), policy.nets.end(), [&](const IpPrefix& net) {
               return contains(net, original.source) || contains(net, original.destination) ||
                      contains(net, flow.reply.source) || contains(net, flow.reply.destination);
           });
}

Worth worth(const Policy& policy, const Flow& flow) {
    const std::uint8_t protocol = flow.key.protocol;
    if (protocol == kSctp || protocol == kDccp ||
        (!policy.unassured && !is_established(protocol, flow.status))) {
        return Worth::none;
    }
    if (!flow.tcp) {
        return Worth::live;
    }
    switch (flow.tcp->state) {
        case TcpState::fin_wait:
        case TcpState::close_wait:
        case TcpState::last_ack:
            return Worth::ending;
        case TcpState::time_wait:
        case TcpState::close:
            return Worth::over;
        default:
            return Worth::live;
    }
}

}  // namespace vpnha::conntrack
