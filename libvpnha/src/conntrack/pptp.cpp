// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/pptp.hpp"

namespace vpnha::conntrack {

namespace {

constexpr std::uint16_t kPptpPort = 1723;

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

bool is_pptp_call(const News& news) {
    return news.flow.key.protocol == kGre && (news.expected || news.flow.parent);
}

std::array<News, 2> halves(const News& call) {
    const Tuple& original = call.flow.key.original;
    return {half(call, original, call.flow.reply), half(call, call.flow.reply, original)};
}

bool is_pptp_control(const FlowKey& key) {
    return key.protocol == kTcp && key.original.destination_part == kPptpPort;
}

bool is_half_of_call(const FlowKey& half, const FlowKey& control, const IpAddress& vip) {
    const Tuple& seen = half.original;
    const Tuple& asked = control.original;
    return half.protocol == kGre && half.zone == control.zone &&
           ((seen.source == asked.source && seen.destination == asked.destination) ||
            (seen.source == asked.destination && seen.destination == vip));
}

}  // namespace vpnha::conntrack
