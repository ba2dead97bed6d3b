// SPDX-License-Identifier: GPL-2.0-or-later
// The L2TP sessions of one gateway on one node. Pure.
//
// A session is, on the promoted node, either stock (negotiated here, carried by xl2tpd and pppd,
// known by its plugin) or resumed (taken over, carried by this node's installer, its control
// channel a ResumedTunnel). On every other node it is hot: installed and silent.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/accounting.hpp"
#include "effects/accounting_work.hpp"
#include "effects/l2tp_work.hpp"
#include "effects/plugin_event.hpp"
#include "keepers/adaptive_echoes.hpp"
#include "keepers/client_proxies.hpp"
#include "keepers/keeper.hpp"
#include "keepers/paced_ends.hpp"
#include "keepers/resume_scripts.hpp"
#include "keepers/stock_sessions.hpp"
#include "keepers/timeouts.hpp"
#include "l2tp/resumed_tunnel.hpp"

namespace vpnha::keepers {

struct L2tpSettings {
    Duration hello_interval{};  // Of a resumed tunnel.
    Duration confirm_wait{};    // A pppd goes on after that.
    // After a takeover so many clients are told within a second that they have to dial again.
    std::uint32_t redials_per_second = 100;
    bool resume_scripts = false;
};

[[nodiscard]] wire::RecordKey record_key_of(const l2tp::SessionKey& key);

class L2tpSessions final : public Keeper {
  public:
    // `gateway` must outlive it.
    L2tpSessions(Gateway& gateway, L2tpSettings settings)
        : gateway_(gateway),
          settings_(settings),
          ending_(settings.redials_per_second),
          scripts_(gateway, settings.resume_scripts),
          proxies_(gateway) {}

    [[nodiscard]] std::span<const wire::RecordType> types() const override { return kTypes; }

    void install(const replica::Install& wanted, TimePoint now, Effects& effects) override;
    void remove(const wire::RecordKey& key, Effects& effects) override;
    void on_in_sync(TimePoint) override {}
    void on_replica(TimePoint now, Effects& effects) override;
    void follow(TimePoint, Effects&) override {}

    void promote(TimePoint now, Effects& effects) override;
    // None of them says anything more, or waits for an answer.
    void pause(Effects& effects) override;
    void unpause(TimePoint now, Effects& effects) override;
    void mute(Effects& effects) override;
    void detach(Effects& effects) override;

    [[nodiscard]] Result<void> end(const wire::RecordKey& key, TimePoint now,
                                   Effects& effects) override;
    [[nodiscard]] Result<ppp::Timeouts> change(const wire::RecordKey& key,
                                               const ppp::TimeoutChange& change, TimePoint now,
                                               Effects& effects) override;
    void on_event(const node::KeeperEvent& event, TimePoint now, Effects& effects) override;
    void on_time(TimePoint now, Effects& effects) override;
    [[nodiscard]] std::optional<TimePoint> next_deadline() const override;

    [[nodiscard]] std::vector<SessionView> sessions(const ListPart& part) const override;
    [[nodiscard]] SessionTotals session_totals() const override;
    [[nodiscard]] Counts counts() const override;

  private:
    static constexpr std::array kTypes{wire::RecordType::l2tp_session};

    struct Waiting {
        wire::RecordKey key;
        TimePoint until;
    };
    struct Resumed {
        l2tp::ResumedTunnel tunnel;
        // Ended sessions whose kernel state carries the tunnel's last words; removed with it.
        std::vector<l2tp::SessionKey> ended;
        std::optional<TimePoint> scheduled;  // In deadlines_.
    };
    struct Counters {
        std::uint64_t confirm_timeouts = 0;  // pppds that went on before a standby had confirmed.
        std::uint64_t sessions_lost = 0;     // Not resumed at a promotion.
        std::uint64_t sessions_gone = 0;     // Removed from this kernel by somebody else.
    };

    void hear(const node::SessionInstalled& installed, TimePoint now, Effects& effects);
    void hear(const node::SessionsAudited& audited, TimePoint now, Effects& effects);
    void hear(const node::SessionGone& gone, TimePoint now, Effects& effects);
    void hear(const node::SessionNewsLost& lost, TimePoint now, Effects& effects);
    void hear(const node::TunnelDatagram& datagram, TimePoint now, Effects& effects);
    void hear(const node::SessionFrame& frame, TimePoint now, Effects& effects);
    void hear(const node::AccountingAnswered&, TimePoint, Effects&) {}
    void hear(const node::TrafficRead& read, TimePoint now, Effects& effects);
    void hear(const node::PluginAsks&, TimePoint, Effects&) {}
    void hear(const node::PluginUp& up, TimePoint now, Effects& effects);
    void hear(const node::PluginDown& down, TimePoint now, Effects& effects);

    void mute_resumed(Effects& effects);
    [[nodiscard]] bool is_stock(const l2tp::SessionKey& key) const;
    // A stock daemon that a demotion could not end has it as well, and negotiates it anew.
    void yield_to_stock(const l2tp::SessionKey& key, TimePoint now, Effects& effects);
    // The kernel carries it already. Its tunnel is silent until its turn comes.
    void take_over(const l2tp::SessionKey& key);
    // Some of the silent tunnels. They speak in turns: what is done for thousands of them at once,
    // and what their peers answer, would keep this node from renewing its lease; and each new lease
    // would begin with the same.
    void let_some_speak(TimePoint now, Effects& effects);
    // Now, if it has been silent.
    void let_speak(const l2tp::TunnelKey& key, TimePoint now, Effects& effects);
    // As the store has it now.
    [[nodiscard]] Result<l2tp::SessionRecord> record_of(const l2tp::SessionKey& key) const;
    [[nodiscard]] std::vector<l2tp::SessionKey> resumed_sessions_of(
        const l2tp::TunnelKey& tunnel) const;
    // Of ending_, those whose time has come.
    void end_unresumable(TimePoint now, Effects& effects);
    void speak_due(TimePoint now, Effects& effects);
    void end_due(TimePoint now, Effects& effects);
    Resumed& begin_tunnel(const l2tp::TunnelKey& key);
    void resume(const l2tp::SessionRecord& record, TimePoint now, Effects& effects);
    void watch_timeouts(const l2tp::SessionRecord& record, TimePoint now);
    void watch_echoes(const l2tp::SessionRecord& record, TimePoint now);
    // By this side; its client is told.
    void close(const l2tp::SessionKey& key, std::string reason, EndCause cause, TimePoint now,
               Effects& effects);
    // This kernel does not have it, and no stock daemon either: its client is told.
    void give_up(const l2tp::SessionKey& key, TimePoint now, Effects& effects);
    void log_lost(const std::string& what, std::string_view why, Effects& effects);
    void forget(const wire::RecordKey& key, TimePoint now);
    void take(const l2tp::TunnelKey& key, l2tp::TunnelEffects&& from, TimePoint now,
              Effects& effects);
    [[nodiscard]] std::map<l2tp::TunnelKey, Resumed>::iterator addressee_of(
        const node::TunnelDatagram& datagram);
    // Keeps deadlines_ true after anything that a tunnel was told.
    void schedule(const l2tp::TunnelKey& key);
    void end_session(const l2tp::TunnelKey& tunnel, const l2tp::SessionEnded& ended, TimePoint now,
                     Effects& effects);
    // Their kernel state goes with the tunnel.
    void remove_ended(const Resumed& resumed, Effects& effects);
    void end_tunnel(const l2tp::TunnelKey& key, const std::string& reason, Effects& effects);

    [[nodiscard]] const replica::Replica& replica() const { return gateway_.replica(); }
    [[nodiscard]] SessionView view_of(const l2tp::SessionRecord& record) const;
    // nullopt: this release cannot read the record.
    [[nodiscard]] std::optional<SessionView> view_of(const wire::RecordKey& key,
                                                     const replica::StoredRecord& stored) const;

    Gateway& gateway_;
    L2tpSettings settings_;
    StockSessions<l2tp::SessionRecord> stock_;
    std::map<node::PluginToken, Waiting> waiting_plugins_;
    Refusals refusals_;
    std::map<l2tp::TunnelKey, Resumed> resumed_;
    std::set<std::pair<TimePoint, l2tp::TunnelKey>> deadlines_;  // Of resumed_.
    std::set<l2tp::SessionKey> resumed_sessions_;                // Those of silent_ among them.
    // Not in resumed_ yet: nothing has been said, and nothing is heard.
    std::set<l2tp::TunnelKey> silent_;
    std::optional<TimePoint> turn_at_;    // Of the next of them.
    PacedEnds<l2tp::SessionKey> ending_;  // Resumed ones, and those that this kernel lacks.
    std::set<l2tp::SessionKey> paused_sessions_;
    Timeouts timeouts_;  // Of the sessions of resumed_.
    ResumeScripts scripts_;
    ClientProxies proxies_;
    AdaptiveEchoes echoes_;              // Of the sessions of resumed_.
    l2tp::TunnelCounters past_tunnels_;  // Of those that have ended since the start.
    Counters counters_;
};

}  // namespace vpnha::keepers
