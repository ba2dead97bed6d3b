// SPDX-License-Identifier: GPL-2.0-or-later
// The gateway's lease engine behind the disk that it rests on. Pure. What the engine wants done is
// posted as LeaseReady when all that it rests on is on the disk (lease_saves.hpp).
#pragma once

#include <optional>

#include "cluster/effects/effects.hpp"
#include "cluster/gateway/event_queue.hpp"
#include "cluster/gateway/lease/lease_saves.hpp"
#include "cluster/lease/engine.hpp"

namespace vpnha::node {

class SavedLease {
  public:
    // `durable`: what was saved last; nullopt: nothing ever was. `events` must outlive it.
    SavedLease(GatewayId gateway, const lease::Setup& setup,
               const std::optional<lease::Durable>& durable, TimePoint now, EventQueue& events);

    // What its functions return goes to take().
    [[nodiscard]] lease::Engine& engine() { return engine_; }
    [[nodiscard]] const lease::Engine& engine() const { return engine_; }

    void take(lease::Effects&& from, Effects& effects);
    void obey(LeaseOrder order, TimePoint now, Effects& effects);
    // Saves now and then what is on the disk already.
    void probe_disk(TimePoint now, Effects& effects);
    // True: the disk takes saves again, or no more.
    [[nodiscard]] bool on_saved(std::uint64_t ticket, bool succeeded, TimePoint now);

    [[nodiscard]] const LeaseSaves& saves() const { return saves_; }
    // The disk has the newest claim, so the voters have been asked.
    [[nodiscard]] bool has_emitted_claim() const;
    // The voters measure this node's own clock as too fast or too slow: they grant it no lease.
    [[nodiscard]] bool own_clock_astray() const { return engine_.voter().state().own_astray; }

  private:
    GatewayId gateway_;
    lease::Engine engine_;
    LeaseSaves saves_;
    EventQueue& events_;
};

}  // namespace vpnha::node
