// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/proxies/backend/proxies.hpp"

#include <algorithm>
#include <chrono>

#include "base/limits.hpp"
#include "host/addresses/packet.hpp"
#include "host/os/log.hpp"
#include "host/os/timers.hpp"

namespace vpnha::runtime {

namespace {

constexpr Duration kAgain = std::chrono::seconds(1);

}  // namespace

Proxies::~Proxies() {
    loop_.cancel_timer(kProxyTimer);
    for (const Entry& entry : gone_) {
        remove(entry);
    }
}

const std::string& Proxies::interface_of(const Entry& entry) const {
    return config_.find(entry.first)->side(entry.second.side).interface;
}

bool Proxies::execute(effects::ProtocolWork& work) {
    return execute_own<node::ProxyWork>(work, [this](auto& each) { carry_out(each); });
}

void Proxies::carry_out(const node::AnswerForClient& work) {
    for (const ppp::ProxiedAddress& address : work.addresses) {
        wanted_.emplace(work.gateway, address);
        first_.push_back({loop_.now(), {work.gateway, address}, true});
    }
    proceed();
}

void Proxies::carry_out(const node::StopAnswering& work) {
    for (const ppp::ProxiedAddress& address : work.addresses) {
        wanted_.erase({work.gateway, address});
        gone_.emplace_back(work.gateway, address);
    }
    proceed();
}

void Proxies::announce(GatewayId gateway) {
    for (const Entry& entry : wanted_) {
        if (entry.first == gateway) {
            first_.push_back({loop_.now(), entry, true});
        }
    }
    proceed();
}

void Proxies::proceed() {
    TimePoint next = loop_.now() + kTurnPause;
    if (gone_.empty() && first_.empty()) {
        if (second_.empty()) {
            return;
        }
        next = std::max(next, second_.front().at);
    }
    loop_.set_timer(kProxyTimer, next, [this] { work_slice(); });
}

void Proxies::work_slice() {
    const TimePoint until = loop_.now() + limits::kLoopSlice;
    while (!gone_.empty() && loop_.now() < until) {
        remove(gone_.front());
        gone_.pop_front();
    }
    while (loop_.now() < until) {
        std::deque<Turn>& due = first_.empty() ? second_ : first_;
        if (due.empty() || due.front().at > loop_.now()) {
            break;
        }
        const Turn turn = due.front();
        due.pop_front();
        if (wanted_.contains(turn.entry)) {
            do_turn(turn);
        }
    }
    proceed();
}

void Proxies::remove(const Entry& entry) {
    if (!wanted_.contains(entry)) {
        adapters::log_failure("proxy ARP",
                              table_.remove(interface_of(entry), entry.second.address));
    }
}

void Proxies::do_turn(const Turn& turn) {
    const std::string& interface = interface_of(turn.entry);
    const IpAddress& address = turn.entry.second.address;
    if (turn.is_first) {
        adapters::log_failure("proxy ARP", table_.add(interface, address));
        second_.push_back({loop_.now() + kAgain, turn.entry, false});
    }
    adapters::log_failure("gratuitous ARP",
                          adapters::announce_addresses(interface, {host_prefix(address)}));
}

}  // namespace vpnha::runtime
