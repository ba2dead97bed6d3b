// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/keeper.hpp"

#include <fmt/format.h>

namespace vpnha::keepers {

Result<void> Keeper::end(const wire::RecordKey&, TimePoint, Effects&) {
    return fail(Errc::unsupported, "sessions of this protocol are ended by their clients only");
}

Result<ppp::Terms> Keeper::change(const wire::RecordKey&, const ppp::TermsChange&, TimePoint,
                                  Effects&) {
    return fail(Errc::unsupported, "sessions of this protocol have no time-outs and no rate");
}

std::string session_id(const wire::RecordKey& key) {
    // FNV-1a, 64 bits. Among 100 000 sessions two with the same 48 bits are unlikely (2 in 10^5).
    std::uint64_t hash = 0xcbf29ce484222325;
    const auto add = [&](std::uint8_t octet) { hash = (hash ^ octet) * 0x100000001b3; };
    add(static_cast<std::uint8_t>(key.type));
    for (const std::uint8_t octet : key.id.view()) {
        add(octet);
    }
    return fmt::format("{:012x}", hash >> 16);
}

void set_aside(Gateway& gateway, const replica::Install& wanted, const std::string& why,
               TimePoint now, Effects& effects) {
    // Identical bytes must never bring down all nodes at once: this one record is set aside.
    gateway.replica().on_installed(wanted.key, wanted.ticket, replica::Outcome::unreadable, now);
    effects.emplace_back(effects::Log{
        LogLevel::error, fmt::format("record set aside event=quarantined {} record={}: {}",
                                     gateway.tag(), to_hex(wanted.key.id.view()), why)});
}

void show_state(SessionView& view, const replica::Replica& replica, const wire::RecordKey& key,
                const replica::StoredRecord& stored, const Refusals& refusals, const Known& known) {
    if (const auto refusal = refusals.find(key); refusal != refusals.end()) {
        view.state = SessionState::quarantined;
        view.reason = refusal->second;
    } else if (replica.promoted()) {
        view.state = known.is_resumed ? SessionState::resumed : SessionState::protected_;
        if (!replica.is_protected(key)) {
            view.state = SessionState::unprotected;
            view.reason = replica.quorate() ? "no standby has confirmed it"
                                            : "this side of the cluster has no quorum";
        }
    } else if (stored.hold != replica::Hold::installed) {
        view.state = SessionState::unprotected;
        view.reason = known.not_ready;
    } else if (!known.obstacle.empty()) {
        view.state = SessionState::unprotected;
        view.reason = ends_with_node(known.obstacle);
    } else {
        view.state = SessionState::hot;
    }
}

std::string ends_with_node(std::string_view obstacle) {
    return fmt::format("no other node can resume it ({}); its client is notified", obstacle);
}

}  // namespace vpnha::keepers
