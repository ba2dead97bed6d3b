// SPDX-License-Identifier: GPL-2.0-or-later
// The sessions of echo of one gateway. A standby's responder knows their secrets; whoever is
// granted the lease sets their numbers beyond what was used. Pure.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "echo/table.hpp"
#include "echo/work.hpp"
#include "protocols/keeper.hpp"

namespace vpnha::echo {

inline constexpr keepers::NumberUse kUse{kAnswersPerSecondMax, 10'000'000};

class EchoSessions : public keepers::Keeper, public keepers::Counted {
  public:
    // `gateway` must outlive it.
    explicit EchoSessions(keepers::Gateway& gateway) : gateway_(gateway) {}

    [[nodiscard]] std::span<const wire::RecordType> types() const override { return kTypes; }
    [[nodiscard]] keepers::Counted* counted() override { return this; }

    void warm(const keepers::Margin& margin, TimePoint now, effects::Effects& effects) override;
    [[nodiscard]] bool is_warm() const override { return !warming_; }
    void read(TimePoint now, effects::Effects& effects) override;
    [[nodiscard]] TimePoint read_at() const override { return read_at_; }

    void install(const replica::Install& wanted, TimePoint now, effects::Effects& effects) override;
    void remove(const wire::RecordKey& key, effects::Effects& effects) override;
    void on_in_sync(TimePoint) override {}
    void on_replica(TimePoint, effects::Effects&) override {}
    void follow(TimePoint, effects::Effects&) override {}
    void on_open(TimePoint now, effects::Effects& effects) override;
    void promote(TimePoint now, effects::Effects& effects) override;
    void pause(effects::Effects& effects) override;
    void unpause(TimePoint now, effects::Effects& effects) override;
    void mute(effects::Effects& effects) override;
    void detach(effects::Effects& effects) override;
    void on_event(const effects::KeeperEvent& event, TimePoint now,
                  effects::Effects& effects) override;
    void on_time(TimePoint now, effects::Effects& effects) override;
    [[nodiscard]] std::optional<TimePoint> next_deadline() const override { return read_next_; }
    [[nodiscard]] std::vector<keepers::SessionView> sessions(
        const keepers::ListPart& part) const override;
    [[nodiscard]] keepers::SessionTotals session_totals() const override;
    [[nodiscard]] keepers::Counts counts() const override;
    [[nodiscard]] Status status(TimePoint now) const override;

  private:
    static constexpr std::array kTypes{wire::RecordType::echo_session,
                                       wire::RecordType::echo_number};

    struct Reading {
        std::uint64_t ticket = 0;
        TimePoint asked_at{};
    };

    void handle(const Installed& installed, TimePoint now, effects::Effects& effects);
    void handle(const NumbersSet& set, TimePoint now, effects::Effects& effects);
    void handle(const NumbersRead& read, TimePoint now, effects::Effects& effects);
    void handle(const Opened& opened, TimePoint now, effects::Effects& effects);
    void handle(const Closed& closed, TimePoint now, effects::Effects& effects);
    void want(Work work, effects::Effects& effects) const;

    [[nodiscard]] replica::Replica& replica() { return gateway_.replica(); }
    [[nodiscard]] const replica::Replica& replica() const { return gateway_.replica(); }

    keepers::Gateway& gateway_;
    std::uint64_t last_ticket_ = 0;
    std::optional<std::uint64_t> warming_;  // The ticket that is waited for.
    std::optional<Reading> reading_;        // The one that is waited for: the newest.
    TimePoint read_at_{};
    std::optional<TimePoint> read_next_;
    std::uint64_t lost_ = 0;  // Opened, and not published.
};

}  // namespace vpnha::echo
