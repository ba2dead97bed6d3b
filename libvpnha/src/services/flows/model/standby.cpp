// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/model/standby.hpp"

namespace vpnha::conntrack {

namespace {

Flow liberal(Flow flow) {
    if (flow.tcp) {
        for (std::uint8_t& flags : flow.tcp->flags) {
            flags = static_cast<std::uint8_t>(flags | kTcpLiberal);
        }
    }
    return flow;
}

}  // namespace

Flow hot(Flow flow) {
    flow.timeout_s = kHotSeconds;
    return liberal(std::move(flow));
}

std::uint32_t usual_timeout_s(const Flow& flow) {
    constexpr std::chrono::seconds kOthers = std::chrono::minutes(5);
    const std::chrono::seconds usual =
        is_established(flow) ? limits::kKernelFlowTimeoutMax : kOthers;
    return static_cast<std::uint32_t>(usual.count());
}

Next after(Answer answer, const Flow& flow) {
    switch (answer) {
        case Answer::taken:
            return Next::done;
        case Answer::exists:
            return Next::compare;
        case Answer::no_parent:
            return flow.parent ? Next::without_parent : Next::give_up;
        case Answer::no_helper:
            return flow.helper.empty() ? Next::give_up : Next::without_helper;
        case Answer::once_more:
            return Next::again;
        case Answer::refused:
            break;
    }
    return Next::give_up;
}

Resident compare(const Flow& wanted, const std::optional<Flow>& resident, Live live) {
    if (!resident) {
        return Resident::none;
    }
    if (resident->key != wanted.key || resident->reply != wanted.reply) {
        return Resident::other;
    }
    return live == Live::stays && !is_hot(*resident) ? Resident::live : Resident::same;
}

}  // namespace vpnha::conntrack
