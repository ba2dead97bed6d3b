// SPDX-License-Identifier: GPL-2.0-or-later
// Whether one gateway accepts new clients (`vpnha drain`). Pure.
//
// A record means that it does not. Every node that holds it has its gate refuse new sessions. So a
// standby's gate already does at its promotion, and no new client slips in between. Existing
// sessions continue, on whatever node.
#pragma once

#include <array>
#include <optional>

#include "protocols/keeper.hpp"
#include "services/drain/model/drain_record.hpp"

namespace vpnha::keepers {

class Drain final : public Keeper {
  public:
    // `gateway` must outlive it.
    explicit Drain(Gateway& gateway) : gateway_(gateway) {}

    [[nodiscard]] std::span<const wire::RecordType> types() const override { return kTypes; }

    void install(const replica::Install& wanted, TimePoint now, Effects& effects) override;
    void remove(const wire::RecordKey&, Effects&) override {}
    void on_in_sync(TimePoint) override {}
    void on_replica(TimePoint, Effects&) override {}
    void follow(TimePoint now, Effects& effects) override;

    void promote(TimePoint, Effects&) override {}
    void pause(Effects&) override {}
    void unpause(TimePoint, Effects&) override {}
    void mute(Effects&) override {}
    void detach(Effects& effects) override;

    // Handles effects::DrainOrder, where this node is promoted.
    void on_event(const effects::KeeperEvent& event, TimePoint now, Effects& effects) override;
    void on_time(TimePoint, Effects&) override {}
    [[nodiscard]] std::optional<TimePoint> next_deadline() const override { return std::nullopt; }

    [[nodiscard]] Counts counts() const override { return {}; }
    [[nodiscard]] Status status(TimePoint) const override;
    // nullopt: it accepts new clients.
    [[nodiscard]] std::optional<DrainRecord> state() const;

  private:
    static constexpr std::array kTypes{wire::RecordType::drain};

    void notify_gate(bool drained, Effects& effects);

    Gateway& gateway_;
    bool notified_ = false;  // The gate refuses new clients.
};

}  // namespace vpnha::keepers
