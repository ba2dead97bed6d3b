// SPDX-License-Identifier: GPL-2.0-or-later
// New calls in tunnels that were taken over. Their sessions are stock sessions from the moment when
// the plugin of their pppd reports them.
#include <fmt/format.h>

#include <utility>

#include "protocols/l2tp/keeper/sessions.hpp"
#include "protocols/l2tp/work.hpp"

namespace vpnha::keepers {

// nullopt: the call is accepted.
std::optional<L2tpSessions::Refusal> L2tpSessions::refusal_of_call() const {
    using l2tp::CdnResult;
    if (replica().store().size_of(wire::RecordType::drain) != 0) {
        return Refusal{CdnResult::administrative, "the gateway accepts no new clients"};
    }
    if (!replica().promoted()) {
        return Refusal{CdnResult::no_facilities_now, "another node serves now"};
    }
    if (!calls_.has_room()) {
        return Refusal{CdnResult::no_facilities_now, "too many calls wait for their pppd"};
    }
    return std::nullopt;
}

void L2tpSessions::answer(const l2tp::SessionKey& call, TimePoint now, Effects& effects) {
    l2tp::ResumedTunnel& tunnel = resumed_.at(call.tunnel).tunnel;
    if (const std::optional<Refusal> refusal = refusal_of_call()) {
        ++calls_refused_;
        if (refusal_log_.take(now)) {
            log(LogLevel::warning, "a new call is refused event=call-refused", record_key_of(call),
                refusal->why, effects);
        }
        take(call.tunnel, tunnel.end_call(call, refusal->result, refusal->why, now), now, effects);
        return;
    }
    ++calls_accepted_;
    calls_.accept(call);
    effects.emplace_back(node::AcceptCall{gateway_.id(), call});
    take(call.tunnel, tunnel.accept_call(call, now), now, effects);
}

void L2tpSessions::start_calls(TimePoint now, Effects& effects) {
    while (const std::optional<l2tp::SessionKey> call = calls_.take(now)) {
        node::StartCall start{gateway_.id(), *call, {}};
        if (chooses_addresses_) {
            gateway_.visit_ppp_sessions(
                [&start](const wire::RecordKey&, const ppp::SessionFacts& facts) {
                    start.taken.push_back(facts.peer_address);
                });
        }
        effects.emplace_back(std::move(start));
    }
}

void L2tpSessions::end_call(const l2tp::CallEnded& ended, Effects& effects) {
    const auto& [call, reason] = ended;
    if (!calls_.erase(call)) {
        return;  // It was refused.
    }
    log(LogLevel::info, "a new call is over event=call-down", record_key_of(call), reason, effects);
    effects.emplace_back(node::DropCall{gateway_.id(), call});
    Resumed& resumed = resumed_.at(call.tunnel);
    if (!resumed.tunnel.has_sessions()) {
        resumed.last_call = call;
    }
}

void L2tpSessions::handle(const node::CallOver& over, TimePoint now, Effects& effects) {
    const auto& [call, was_started, why] = over;
    if (!was_started && refusal_log_.take(now)) {
        log(LogLevel::error, "a new call fails event=call-failed", record_key_of(call), why,
            effects);
    }
    const auto tunnel = resumed_.find(call.tunnel);
    if (tunnel == resumed_.end()) {
        calls_.erase(call);
        return;
    }
    const auto result =
        was_started ? l2tp::CdnResult::carrier_lost : l2tp::CdnResult::no_facilities_now;
    take(call.tunnel, tunnel->second.tunnel.end_call(call, result, why, now), now, effects);
}

void L2tpSessions::drop_waiting_calls(Effects& effects) {
    for (const l2tp::SessionKey& call : calls_.drop_waiting()) {
        effects.emplace_back(node::DropCall{gateway_.id(), call});
    }
}

}  // namespace vpnha::keepers
