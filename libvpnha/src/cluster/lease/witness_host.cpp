// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/lease/witness_host.hpp"

#include <algorithm>
#include <utility>

namespace vpnha::lease {

WitnessHost::WitnessHost(const Sender& self, const Timing& timing, const LeaseKey& key,
                         const std::map<GatewayId, Witness::File>& files, TimePoint now)
    : self_(self), timing_(timing), exchange_(self, key.octets()) {
    for (const auto& [gateway, file] : files) {
        votes_.emplace(gateway, Witness(self, timing, file, now));
    }
}

void WitnessHost::admit(NodeId node) {
    if (is_in(nodes_, node)) {
        return;
    }
    if (nodes_.size() == kVotersMax) {
        received_.erase(nodes_.front());
        nodes_.erase(nodes_.begin());
    }
    nodes_.push_back(node);
    exchange_.guard().set_senders(nodes_);
}

WitnessHost::Orders WitnessHost::on_datagram(ByteView bytes, const Address& from, TimePoint now) {
    Orders orders;
    Exchange::Arrival arrival = exchange_.parse(bytes);
    if (!arrival.datagram || is_witness(arrival.datagram->sender.node)) {
        counters_.count(arrival.datagram ? Exchange::Kind::malformed : arrival.kind);
        return orders;
    }
    admit(arrival.datagram->sender.node);
    exchange_.judge(arrival);
    counters_.count(arrival.kind);
    const auto& [gateway, sender, sequence, message] = *arrival.datagram;
    const bool is_taken = arrival.kind == Exchange::Kind::taken;
    const bool is_hello = is_taken && std::holds_alternative<Hello>(message);
    if (is_hello) {
        // Each one is answered: so the node knows that its messages arrive.
        arrival.greeting = arrival.greeting.value_or(Hello{});
        arrival.greeting->sent_at = now;
    }
    if (arrival.greeting) {
        emit(gateway, from, *arrival.greeting, orders);
    }
    if (!is_taken) {
        return orders;
    }
    received_[sender.node] = {from, now};
    std::erase(nodes_, sender.node);
    nodes_.push_back(sender.node);
    if (is_hello) {
        for (auto& [each, vote] : votes_) {
            take(each, vote.on_message(sender, message, now), orders);
        }
        return orders;
    }
    const auto vote = votes_.try_emplace(gateway, Witness(self_, timing_, std::nullopt, now)).first;
    take(gateway, vote->second.on_message(sender, message, now), orders);
    return orders;
}

void WitnessHost::emit(GatewayId gateway, const Address& to, const Message& message,
                       Orders& orders) {
    orders.packets.push_back({to, exchange_.encode(gateway, message)});
}

void WitnessHost::take(GatewayId gateway, Witness::Orders&& from, Orders& orders) {
    for (Witness::Save& save : from.saves) {
        orders.saves.push_back({gateway, std::move(save.file), save.ticket});
    }
    for (const Send& send : from.sends) {
        const auto received = received_.find(send.to);
        if (received != received_.end()) {
            emit(gateway, received->second.from, send.message, orders);
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
