// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/drain/keeper/drain.hpp"

#include <fmt/format.h>

namespace vpnha::keepers {

void Drain::install(const replica::Install& wanted, TimePoint now, Effects& effects) {
    if (const auto record = parse_drain(wanted.payload); !record) {
        set_aside(gateway_, wanted, record.error().detail, now, effects);
        return;
    }
    gateway_.replica().on_installed(wanted.key, wanted.ticket, replica::Outcome::installed, now);
}

void Drain::follow(TimePoint, Effects& effects) {
    if (gateway_.is_attached()) {
        notify_gate(state().has_value(), effects);
    }
}

void Drain::detach(Effects& effects) {
    notify_gate(false, effects);
}

void Drain::notify_gate(bool drained, Effects& effects) {
    if (notified_ == drained) {
        return;
    }
    notified_ = drained;
    effects.emplace_back(effects::DrainGate{gateway_.id(), drained});
    const std::string what = drained ? "new clients are refused event=drained"
                                     : "new clients are accepted again event=undrained";
    effects.emplace_back(effects::Log{LogLevel::info, fmt::format("{} {}", what, gateway_.tag())});
}

void Drain::on_event(const effects::KeeperEvent& event, TimePoint now, Effects&) {
    const auto* const order = event.get<effects::DrainOrder>();
    replica::Replica& replica = gateway_.replica();
    if (order == nullptr || !replica.promoted() || (order->since_unix_ms && state())) {
        return;
    }
    if (order->since_unix_ms) {
        replica.publish(drain_record_key(), encode_drain({*order->since_unix_ms}));
    } else {
        replica.erase(drain_record_key(), now);
    }
}

Status Drain::status(TimePoint) const {
    const std::optional<DrainRecord> drained = state();
    return {
        {"drained", drained.has_value()},
        {"drained_since_unix_ms", drained ? StatusValue(drained->since_unix_ms) : StatusValue()}};
}

std::optional<DrainRecord> Drain::state() const {
    const replica::StoredRecord* const held = gateway_.replica().store().find(drain_record_key());
    if (held == nullptr) {
        return std::nullopt;
    }
    // A record of a later release drains as well; its start is not known here.
    return parse_drain(held->payload).value_or(DrainRecord{});
}

}  // namespace vpnha::keepers
