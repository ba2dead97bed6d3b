// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/traffic.hpp"

#include <algorithm>

namespace vpnha::sim {

namespace {

using conntrack::Expectation;
using conntrack::Flow;
using conntrack::TcpState;

// Of one gateway: each is compared with each kernel's after each run.
constexpr std::size_t kFlowsMax = 48;
// Few, so that ports come again: a flow ends and another one has its key.
constexpr std::uint64_t kPorts = 200;
constexpr std::uint64_t kAnnouncedPorts = 30;

// 10.64.0.0/16 and the next ones.
std::uint32_t net_of(GatewayId gateway) {
    return 0x0a400000U + (std::uint32_t{gateway.value} << 16);
}

// What the kernel gives a flow in that state at each packet.
std::uint32_t own_timeout(const Flow& flow) {
    const bool assured = (flow.status & conntrack::kAssured) != 0;
    if (!flow.tcp) {
        return assured ? 120 : 30;
    }
    switch (flow.tcp->state) {
        case TcpState::established:
            return 432'000;
        case TcpState::close:
            return 10;
        default:
            return 120;
    }
}

// After FTP's PORT: the server connects to the gateway, which hands it on to the client.
Expectation ftp_data(const Flow& control, std::uint16_t port) {
    Expectation expectation;
    expectation.key = {
        conntrack::kTcp, {}, {control.reply.source, control.reply.destination, 0, port}};
    expectation.timeout_s = 300;
    expectation.function = "nat-follow-master";
    expectation.nat = Expectation::Nat{true, IpAddress(Ipv4Address{0}), port};
    return expectation;
}

// After a telephone's registration: calls from its registrar, as soon as that has answered.
Expectation sip_calls(const Flow& registration) {
    Expectation expectation;
    expectation.key = {conntrack::kUdp,
                       {},
                       {registration.reply.source, registration.reply.destination, 0,
                        registration.key.original.source_part}};
    expectation.flags = conntrack::kExpectPermanent | conntrack::kExpectInactive;
    expectation.timeout_s = 3600;
    return expectation;
}

}  // namespace

conntrack::Policy Traffic::policy(GatewayId gateway) {
    conntrack::Policy policy;
    policy.nets = {{IpAddress(Ipv4Address{net_of(gateway)}), 16}};
    if (gateway.value % 2 == 0) {
        policy.delay = std::chrono::seconds(2);
    }
    return policy;
}

void Traffic::pass(GatewayId gateway, FlowTable& table) {
    for (std::uint64_t count = random_.below(4); count > 0; --count) {
        const Flow* flow = any(gateway, table);
        if (flow == nullptr || random_.chance(30)) {
            begin(gateway, table);
        } else if (!flow->helper.empty() && random_.chance(50)) {
            announce(*flow, table);
        } else if (random_.chance(25)) {
            table.refresh(flow->key, own_timeout(*flow));
        } else {
            proceed(*flow, table);
        }
    }
}

void Traffic::begin(GatewayId gateway, FlowTable& table) {
    const auto ours = std::count_if(
        table.flows().begin(), table.flows().end(),
        [&](const auto& each) { return conntrack::concerns(policy(gateway), each.second); });
    if (static_cast<std::size_t>(ours) >= kFlowsMax) {
        table.remove(conntrack::FlowKey(any(gateway, table)->key));
        return;
    }
    Flow flow;
    flow.key.protocol = random_.chance(70) ? conntrack::kTcp : conntrack::kUdp;
    const auto port = static_cast<std::uint16_t>(40'000 + random_.below(kPorts));
    flow.key.original = {IpAddress(Ipv4Address{net_of(gateway) + 5}),
                         IpAddress(Ipv4Address{0xcb007109}), port, 443};
    if (random_.chance(20)) {
        const bool tcp = flow.key.protocol == conntrack::kTcp;
        flow.key.original.destination_part = tcp ? 21 : 5060;
        flow.helper = tcp ? "ftp" : "sip";
    }
    if (table.flows().contains(flow.key)) {
        return;
    }
    flow.reply = conntrack::invert(flow.key.protocol, flow.key.original);
    flow.reply.destination = IpAddress(Ipv4Address{0xc0000264U + gateway.value});
    if (flow.key.protocol == conntrack::kTcp) {
        flow.tcp = conntrack::Tcp{TcpState::syn_sent, {7, 0}, {3, 0}};
    }
    flow.timeout_s = own_timeout(flow);
    if (table.put(flow) && random_.chance(70)) {
        proceed(flow, table);
    }
}

// One more packet of it.
void Traffic::proceed(const Flow& before, FlowTable& table) {
    Flow flow = before;
    if ((flow.status & conntrack::kAssured) == 0) {
        flow.status |= conntrack::kSeenReply | conntrack::kAssured;
        if (flow.tcp) {
            flow.tcp->state = TcpState::established;
            flow.tcp->scale[1] = 9;
            flow.tcp->flags[1] |= 3;
        }
    } else if (random_.chance(30)) {
        ++flow.mark;
        flow.timeout_s = own_timeout(flow);
        table.put(flow, random_.chance(50));
        return;
    } else if (!flow.tcp || flow.tcp->state == TcpState::time_wait ||
               flow.tcp->state == TcpState::close) {
        table.remove(flow.key);
        return;
    } else if (flow.tcp->state == TcpState::established) {
        flow.tcp->state = random_.chance(60) ? TcpState::fin_wait : TcpState::close;
    } else {
        flow.tcp->state = TcpState::time_wait;
    }
    flow.timeout_s = own_timeout(flow);
    table.put(flow);
}

void Traffic::announce(const Flow& flow, FlowTable& table) {
    const FlowTable::Expectations& all = table.expectations();
    const auto before = std::find_if(all.begin(), all.end(), [&flow](const auto& each) {
        return each.second.parent == flow.key;
    });
    if (before != all.end() && random_.chance(80)) {
        follow_up(Expectation(before->second), table);
        return;
    }
    const auto port = static_cast<std::uint16_t>(50'000 + random_.below(kAnnouncedPorts));
    Expectation expectation = flow.tcp ? ftp_data(flow, port) : sip_calls(flow);
    expectation.from_address = true;
    expectation.parent = flow.key;
    expectation.helper = flow.helper;
    const auto taken = all.find(expectation.key);
    if (taken == all.end() || taken->second.parent == flow.key) {
        table.expect(expectation);
    }
}

void Traffic::follow_up(const Expectation& expectation, FlowTable& table) {
    const bool permanent = (expectation.flags & conntrack::kExpectPermanent) != 0;
    if (random_.chance(20)) {
        table.forget(expectation.key);
    } else if (permanent && random_.chance(60)) {
        table.renew(expectation.key, 3600, conntrack::kExpectPermanent);
    } else {
        Flow flow;
        flow.key = expectation.key;
        flow.key.original.source_part = 20;
        flow.reply = conntrack::invert(flow.key.protocol, flow.key.original);
        flow.reply.source = expectation.parent.original.source;
        flow.parent = expectation.parent;
        flow.status = conntrack::kSeenReply | conntrack::kAssured;
        if (flow.key.protocol == conntrack::kTcp) {
            flow.tcp = conntrack::Tcp{TcpState::established, {7, 9}, {3, 3}};
        }
        flow.timeout_s = own_timeout(flow);
        if (!permanent) {
            table.forget(expectation.key);
        }
        table.put(flow);
    }
}

void Traffic::expire(GatewayId gateway, FlowTable& table) {
    for (const auto& [key, expectation] : table.expectations()) {
        if (!is_hot(expectation) && random_.chance(20)) {
            table.forget(conntrack::FlowKey(key));
            break;
        }
    }
    const Flow* flow = any(gateway, table);
    if (flow != nullptr && !is_hot(*flow)) {
        table.remove(conntrack::FlowKey(flow->key));
    }
}

const Flow* Traffic::any(GatewayId gateway, const FlowTable& table) {
    std::vector<const Flow*> ours;
    for (const auto& [key, flow] : table.flows()) {
        if (conntrack::concerns(policy(gateway), flow)) {
            ours.push_back(&flow);
        }
    }
    return ours.empty() ? nullptr : ours[random_.below(ours.size())];
}

}  // namespace vpnha::sim
