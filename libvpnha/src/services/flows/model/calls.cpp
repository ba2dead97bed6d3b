// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/model/calls.hpp"

namespace vpnha::conntrack {

namespace {

constexpr std::uint16_t kControlPort = 1723;

News half(const News& call, const Tuple& seen, const Tuple& answered) {
    News news = call;
    news.expected = false;
    Flow& flow = news.flow;
    flow.parent.reset();
    flow.helper.clear();
    flow.key.original = seen;
    flow.key.original.source_part = 0;
    flow.reply = answered;
    flow.reply.destination_part = 0;
    return news;
}

}  // namespace

bool is_call(const News& news) {
    return news.flow.key.protocol == kGre && (news.expected || news.flow.parent);
}

std::array<News, 2> halves(const News& call) {
    const Tuple& original = call.flow.key.original;
    return {half(call, original, call.flow.reply), half(call, call.flow.reply, original)};
}

bool is_call_control(const FlowKey& key) {
    return key.protocol == kTcp && key.original.destination_part == kControlPort;
}

bool is_half_call(const FlowKey& key) {
    return key.protocol == kGre && key.original.source_part == 0 &&
           key.original.destination_part != 0;
}

std::array<FlowKey, 2> hosts_of_calls(const Flow& one, std::uint8_t protocol) {
    const auto hosts = [&](const Tuple& tuple) {
        return FlowKey{protocol, one.key.zone, {tuple.source, tuple.destination, 0, 0}};
    };
    return {hosts(one.key.original), hosts(one.reply)};
}

std::vector<FlowKey> calls_of(const Flow& one, std::span<const Flow> gre) {
    const auto hosts = hosts_of_calls(one, kGre);
    const std::array back{hosts[1], hosts[0]};
    // Calls that are named more often from the first host on than from the other one.
    int surplus = 0;
    for (const Flow& flow : gre) {
        if (is_half_call(flow.key)) {
            const auto its = hosts_of_calls(flow, kGre);
            surplus += (its == hosts ? 1 : 0) - (its == back ? 1 : 0);
        }
    }
    std::vector<FlowKey> calls;
    for (const Flow& flow : gre) {
        const auto its = hosts_of_calls(flow, kGre);
        if (its != hosts && its != back) {
            continue;
        }
        const Tuple& keys = flow.key.original;
        const bool keyless = keys.source_part == 0 && keys.destination_part == 0;
        const bool missing = its == hosts ? surplus < 0 : surplus > 0;
        if (is_half_call(flow.key) || (keyless && missing)) {
            calls.push_back(flow.key);
        }
    }
    return calls;
}

}  // namespace vpnha::conntrack
