// SPDX-License-Identifier: GPL-2.0-or-later
// The L2TP sessions of one gateway on one node. Pure.
//
// On the promoted node a session is stock or resumed. Stock: negotiated here, carried by xl2tpd and
// pppd, reported by its plugin. Resumed: taken over, carried by this node's installer, with a
// ResumedTunnel as its control channel. On every other node it is hot: installed and silent. A new
// call in a resumed tunnel is a stock session that uses the tunnel's control channel: this node has
// its pppd started (new_calls.hpp).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/accounting.hpp"
#include "base/burst.hpp"
#include "protocols/l2tp/keeper/new_calls.hpp"
#include "protocols/l2tp/model/resumed_tunnel.hpp"
#include "protocols/l2tp/work.hpp"
#include "protocols/ppp/keeper/adaptive_echoes.hpp"
#include "protocols/ppp/keeper/ppp_keeper.hpp"

namespace vpnha::keepers {

using node::record_key_of;

class L2tpSessions final : public PppKeeper {
  public:
    // `gateway` must outlive it. `hello_interval`: of a resumed tunnel. `chooses_addresses`:
    // whether new calls choose addresses, because vpnhad assigns none.
    L2tpSessions(Gateway& gateway, Duration hello_interval, bool chooses_addresses,
                 const Settings& settings)
        : PppKeeper(gateway, wire::RecordType::l2tp_session, settings),
          hello_interval_(hello_interval),
          chooses_addresses_(chooses_addresses) {}

    [[nodiscard]] std::span<const wire::RecordType> types() const override { return kTypes; }

    void install(const replica::Install& wanted, TimePoint now, Effects& effects) override;
    void remove(const wire::RecordKey& key, Effects& effects) override;
    void on_in_sync(TimePoint) override {}
    void follow(TimePoint, Effects&) override {}

    void promote(TimePoint now, Effects& effects) override;
    // None of them sends anything more, or waits for an answer.
    void pause(Effects& effects) override;
    void unpause(TimePoint now, Effects& effects) override;
    void mute(Effects& effects) override;
    void detach(Effects& effects) override;

    [[nodiscard]] std::optional<ppp::SessionFacts> facts_of(ByteView payload) const override;
    [[nodiscard]] std::uint32_t tunnel_type() const override { return 3; }
    void on_event(const effects::KeeperEvent& event, TimePoint now, Effects& effects) override;
    void on_time(TimePoint now, Effects& effects) override;
    [[nodiscard]] std::optional<TimePoint> next_deadline() const override;

    [[nodiscard]] Counts counts() const override;

  private:
    static constexpr std::array kTypes{wire::RecordType::l2tp_session};

    struct Resumed {
        l2tp::ResumedTunnel tunnel;
        // Ended sessions whose kernel state carries the tunnel's last messages; removed with it.
        std::vector<l2tp::SessionKey> ended;
        std::optional<TimePoint> scheduled;           // In deadlines_.
        std::optional<l2tp::SessionKey> last_call{};  // Dropped together with the tunnel.
    };

    void handle(const node::SessionInstalled& installed, TimePoint now, Effects& effects);
    void handle(const node::SessionsAudited& audited, TimePoint now, Effects& effects);
    void handle(const node::SessionGone& gone, TimePoint now, Effects& effects);
    void handle(const node::SessionNewsLost& lost, TimePoint now, Effects& effects);
    void handle(const node::TunnelDatagram& datagram, TimePoint now, Effects& effects);
    void handle(const node::SessionFrame& frame, TimePoint now, Effects& effects);
    void handle(const node::CallOver& over, TimePoint now, Effects& effects);

    [[nodiscard]] std::string name_of(const wire::RecordKey& key) const override;
    void describe(const wire::RecordKey& key, SessionView& view) const override;
    [[nodiscard]] std::string_view not_ready() const override {
        return "not yet in this node's kernel";
    }
    [[nodiscard]] bool is_resumed(const wire::RecordKey& key) const override;
    [[nodiscard]] bool begin_stock(const node::PluginSession& session,
                                   const ppp::SessionFacts& facts, TimePoint now,
                                   Effects& effects) override;
    void end_stock(const wire::RecordKey& key, TimePoint now, Effects& effects) override;
    void amend(const wire::RecordKey& key, const ppp::SessionFacts& facts) override;
    void end_resumed(const wire::RecordKey& key, std::string reason, EndCause cause, TimePoint now,
                     Effects& effects) override;
    // Neither this kernel nor a stock daemon has it: notifies its client of the end.
    void give_up(const wire::RecordKey& key, TimePoint now, Effects& effects) override;
    void on_traffic(const node::TrafficRead& read, TimePoint now, Effects& effects) override;

    void mute_resumed(Effects& effects);
    [[nodiscard]] bool is_stock(const l2tp::SessionKey& key) const;
    // A stock daemon that outlived a demotion has it as well, and negotiates it anew.
    void yield_to_stock(const l2tp::SessionKey& key, TimePoint now, Effects& effects);
    // The kernel carries it already. Its tunnel is silent until its turn comes.
    void take_over(const l2tp::SessionKey& key);
    // It speaks in a later turn, unless it speaks already.
    void await_turn(const l2tp::TunnelKey& key);
    // Starts some of the silent tunnels. They start in turns: the work for thousands of them at
    // once, and their peers' answers, would keep this node from renewing its lease. The same would
    // happen with each new lease.
    void let_some_speak(TimePoint now, Effects& effects);
    // At once, if it has been silent.
    void let_speak(const l2tp::TunnelKey& key, TimePoint now, Effects& effects);
    // As the store has it now.
    [[nodiscard]] Result<l2tp::SessionRecord> record_of(const l2tp::SessionKey& key) const;
    [[nodiscard]] std::vector<l2tp::SessionKey> resumed_sessions_of(
        const l2tp::TunnelKey& tunnel) const;
    void speak_due(TimePoint now, Effects& effects);
    Resumed& begin_tunnel(const l2tp::TunnelKey& key);
    // Creates one if there is none.
    Resumed& tunnel_of(const l2tp::TunnelKey& key);
    void resume(const l2tp::SessionRecord& record, TimePoint now, Effects& effects);
    void watch_echoes(const l2tp::SessionRecord& record, TimePoint now);
    // Ended by this side; its client is notified.
    void close(const l2tp::SessionKey& key, std::string reason, EndCause cause, TimePoint now,
               Effects& effects);
    void forget(const wire::RecordKey& key, TimePoint now);
    void take(const l2tp::TunnelKey& key, l2tp::TunnelEffects&& from, TimePoint now,
              Effects& effects);
    [[nodiscard]] std::map<l2tp::TunnelKey, Resumed>::iterator addressee_of(
        const node::TunnelDatagram& datagram);
    struct Refusal {
        l2tp::CdnResult result{};
        std::string why;
    };
    [[nodiscard]] std::optional<Refusal> refusal_of_call() const;
    void answer(const l2tp::SessionKey& call, TimePoint now, Effects& effects);
    void start_calls(TimePoint now, Effects& effects);
    void end_call(const l2tp::CallEnded& ended, Effects& effects);
    void drop_waiting_calls(Effects& effects);
    // Updates deadlines_ after each event of a tunnel.
    void schedule(const l2tp::TunnelKey& key);
    void end_session(const l2tp::TunnelKey& tunnel, const l2tp::SessionEnded& ended, TimePoint now,
                     Effects& effects);
    // Their kernel state is removed with the tunnel.
    void remove_ended(const Resumed& resumed, Effects& effects);
    void end_tunnel(const l2tp::TunnelKey& key, const std::string& reason, Effects& effects);

    Duration hello_interval_;
    bool chooses_addresses_;
    std::map<l2tp::TunnelKey, Resumed> resumed_;
    std::set<std::pair<TimePoint, l2tp::TunnelKey>> deadlines_;  // Of resumed_.
    std::set<l2tp::SessionKey> resumed_sessions_;                // Those of silent_ among them.
    // Not in resumed_ yet: these tunnels neither send nor receive.
    std::set<l2tp::TunnelKey> silent_;
    std::optional<TimePoint> turn_at_;  // When the next of them start.
    std::set<l2tp::SessionKey> paused_sessions_;
    AdaptiveEchoes echoes_;                // Of the sessions of resumed_.
    l2tp::TunnelCounters past_tunnels_;    // Of those that have ended since the start.
    std::uint64_t removed_by_others_ = 0;  // Sessions, from this kernel.
    NewCalls calls_;
    std::uint64_t calls_accepted_ = 0;
    std::uint64_t calls_refused_ = 0;
    Burst refusal_log_{1, std::chrono::minutes(1)};
};

}  // namespace vpnha::keepers
