// SPDX-License-Identifier: GPL-2.0-or-later
#include "lease/witness_host.hpp"

#include <algorithm>
#include <utility>

namespace vpnha::lease {

WitnessHost::WitnessHost(const Sender& self, const Timing& timing, const LeaseKey& key,
                         const std::map<GatewayId, Witness::File>& files, TimePoint now)
    : self_(self), timing_(timing), key_(key), guard_(self.instance) {
    for (const auto& [gateway, file] : files) {
        votes_.emplace(gateway, Witness(self, timing, file, now));
    }
}

void WitnessHost::admit(NodeId node) {
    if (is_in(nodes_, node)) {
        return;
    }
    if (nodes_.size() == kVotersMax) {
        heard_.erase(nodes_.front());
        nodes_.erase(nodes_.begin());
    }
    nodes_.push_back(node);
    guard_.set_senders(nodes_);
}

WitnessHost::Orders WitnessHost::on_datagram(ByteView bytes, const Address& from, TimePoint now) {
    Orders orders;
    const Result<Datagram> datagram = parse_datagram(bytes, key_);
    if (!datagram || is_witness(datagram->sender.node)) {
        const bool forged = !datagram && datagram.error().code == Errc::permission;
        ++(forged ? counters_.forged : counters_.malformed);
        return orders;
    }
    const Sender& sender = datagram->sender;
    admit(sender.node);
    switch (guard_.on_datagram(sender, datagram->sequence, datagram->message)) {
        case ReplayGuard::Seen::replayed:
            ++counters_.replayed;
            return orders;
        case ReplayGuard::Seen::unproven:
            ++counters_.unproven;
            greet(*datagram, from, false, orders, now);
            return orders;
        case ReplayGuard::Seen::new_life:
        case ReplayGuard::Seen::fresh:
            break;
    }
    ++counters_.taken;
    heard_[sender.node] = {from, now};
    std::erase(nodes_, sender.node);
    nodes_.push_back(sender.node);
    if (std::holds_alternative<Hello>(datagram->message)) {
        greet(*datagram, from, true, orders, now);
        for (auto& [gateway, vote] : votes_) {
            take(gateway, vote.on_message(sender, datagram->message, now), orders);
        }
        return orders;
    }
    const GatewayId gateway = datagram->gateway;
    const auto vote = votes_.try_emplace(gateway, Witness(self_, timing_, std::nullopt, now)).first;
    take(gateway, vote->second.on_message(sender, datagram->message, now), orders);
    return orders;
}

void WitnessHost::greet(const Datagram& datagram, const Address& from, bool is_heard,
                        Orders& orders, TimePoint now) {
    const Sender& sender = datagram.sender;
    const auto* const hello = std::get_if<Hello>(&datagram.message);
    std::optional<Hello> answer = guard_.greeting(sender.node, sender, hello);
    if (is_heard) {
        answer = answer.value_or(Hello{});
        answer->sent_at = now;
    }
    if (answer) {
        say(datagram.gateway, from, *answer, orders);
    }
}

void WitnessHost::say(GatewayId gateway, const Address& to, const Message& message,
                      Orders& orders) {
    orders.packets.push_back({to, encode({gateway, self_, ++sequence_, message}, key_)});
}

void WitnessHost::take(GatewayId gateway, Witness::Orders&& from, Orders& orders) {
    for (Witness::Save& save : from.saves) {
        orders.saves.push_back({gateway, std::move(save.file), save.ticket});
    }
    for (const Send& send : from.sends) {
        const auto heard = heard_.find(send.to);
        if (heard != heard_.end()) {
            say(gateway, heard->second.from, send.message, orders);
        }
    }
}

WitnessHost::Orders WitnessHost::on_time(TimePoint now) {
    Orders orders;
    for (auto& [gateway, vote] : votes_) {
        if (const auto due = vote.next_deadline(); due && *due <= now) {
            take(gateway, vote.on_time(now), orders);
        }
    }
    return orders;
}

std::optional<TimePoint> WitnessHost::next_deadline() const {
    std::optional<TimePoint> next;
    for (const auto& [gateway, vote] : votes_) {
        next = earliest(next, vote.next_deadline());
    }
    return next;
}

WitnessHost::Orders WitnessHost::on_saved(GatewayId gateway, std::uint64_t ticket, bool succeeded,
                                          TimePoint now) {
    Orders orders;
    const auto vote = votes_.find(gateway);
    if (vote != votes_.end()) {
        take(gateway, vote->second.on_saved(ticket, succeeded, now), orders);
    }
    return orders;
}

std::map<GatewayId, Witness::File> WitnessHost::last_files() const {
    std::map<GatewayId, Witness::File> files;
    for (const auto& [gateway, vote] : votes_) {
        if (const auto file = vote.last_file()) {
            files.emplace(gateway, *file);
        }
    }
    return files;
}

}  // namespace vpnha::lease
