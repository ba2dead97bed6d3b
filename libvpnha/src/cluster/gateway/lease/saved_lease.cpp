// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/lease/saved_lease.hpp"

#include <utility>

namespace vpnha::node {

SavedLease::SavedLease(GatewayId gateway, const lease::Setup& setup,
                       const std::optional<lease::Durable>& durable, TimePoint now,
                       EventQueue& events)
    : gateway_(gateway), engine_(setup, durable, now), saves_(durable, now), events_(events) {}

void SavedLease::take(lease::Effects&& from, Effects& effects) {
    LeaseSaves::Orders orders = saves_.take(std::move(from));
    for (LeaseSaves::Save& save : orders.saves) {
        effects.emplace_back(SaveLease{gateway_, std::move(save.durable), save.ticket});
    }
    events_.post(LeaseReady{std::move(orders.ready)});
}

void SavedLease::obey(LeaseOrder order, TimePoint now, Effects& effects) {
    switch (order) {
        case LeaseOrder::promote:
            take(engine_.promote(now), effects);
            return;
        case LeaseOrder::claim:
            take(engine_.claim(now), effects);
            return;
        case LeaseOrder::decline:
            take(engine_.decline(now), effects);
            return;
        case LeaseOrder::demote:
            take(engine_.demote(now), effects);
            return;
    }
}

void SavedLease::probe_disk(TimePoint now, Effects& effects) {
    if (std::optional<LeaseSaves::Save> save = saves_.probe(now)) {
        effects.emplace_back(SaveLease{gateway_, std::move(save->durable), save->ticket});
    }
}

bool SavedLease::on_saved(std::uint64_t ticket, bool succeeded, TimePoint now) {
    LeaseSaves::Outcome outcome = saves_.on_saved(ticket, succeeded);
    if (!succeeded) {
        engine_.on_not_saved(saves_.on_disk(), outcome.lost_grant, now);
    }
    const std::optional<lease::Durable>& on_disk = saves_.on_disk();
    engine_.set_saves(saves_.work(), on_disk ? on_disk->granted : Epoch{});
    events_.post(LeaseReady{std::move(outcome.ready)});
    return outcome.changed;
}

bool SavedLease::has_emitted_claim() const {
    const std::optional<lease::Durable>& on_disk = saves_.on_disk();
    return on_disk && on_disk->claimed >= engine_.holder().epoch();
}

}  // namespace vpnha::node
