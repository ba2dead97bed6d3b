// SPDX-License-Identifier: GPL-2.0-or-later
#include "echo/fake/fake_responder.hpp"

#include <algorithm>
#include <variant>

namespace vpnha::echo {

namespace {

constexpr std::size_t kClientsMax = 3;

}  // namespace

void FakeResponder::execute(const GatewayWork& work) {
    std::visit([&](const auto& each) { carry_out(work.gateway, each); }, work.work);
}

void FakeResponder::deliver() {
    const auto [gateway, event] = std::move(news_.front());
    news_.pop_front();
    ports_.notify(gateway, event);
}

void FakeResponder::notify_later(GatewayId gateway, Event event) {
    news_.emplace_back(gateway, std::move(event));
    ports_.wake();
}

void FakeResponder::carry_out(GatewayId gateway, const Install& work) {
    // What this node has served itself keeps its number.
    if (known_[gateway].insert(work.id).second) {
        ports_.set(gateway, work.id, 0);
    }
    notify_later(gateway, Installed{work.id, work.ticket, {}});
}

void FakeResponder::carry_out(GatewayId gateway, const Remove& work) {
    known_[gateway].erase(work.id);
    ports_.drop(gateway, work.id);
}

// Whether anything is answered is the gate's affair: whoever serves without it uses no number.
void FakeResponder::carry_out(GatewayId gateway, const Serve& work) {
    if (work.on && known_[gateway].size() < kClientsMax) {
        const SessionId id = next_id_++;
        known_[gateway].insert(id);
        ports_.set(gateway, id, 0);
        notify_later(gateway, Opened{id, encode_number(id)});
    }
}

void FakeResponder::carry_out(GatewayId gateway, const SetNumbers& work) {
    Numbers used = ports_.read(gateway);
    for (const auto& [id, next] : work.numbers) {
        if (known_[gateway].contains(id)) {
            ports_.set(gateway, id, std::max(used[id], next));
        }
    }
    notify_later(gateway, NumbersSet{work.ticket});
}

void FakeResponder::carry_out(GatewayId gateway, const ReadNumbers& work) {
    notify_later(gateway, NumbersRead{work.ticket, ports_.read(gateway)});
}

}  // namespace vpnha::echo
