// SPDX-License-Identifier: GPL-2.0-or-later
// One gateway on one node: joins its replica, its takeover and the tunnels it resumed. Pure.
//
// A session is, on the promoted node, either stock (negotiated here, carried by xl2tpd and pppd,
// known by its plugin) or resumed (taken over, carried by this node's installer, its control
// channel a ResumedTunnel). On every other node it is hot: installed and silent.
//
// Every public event ends with the replica's due messages, unless the group is blocked: then
// changes pile up in the dirty set, where newer ones replace older ones, until it is writable
// again.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/time.hpp"
#include "l2tp/resumed_tunnel.hpp"
#include "node/effects.hpp"
#include "replica/replica.hpp"
#include "takeover/takeover.hpp"

namespace vpnha::node {

struct GatewaySettings {
    GatewayId id{};
    std::string name;
    Duration hello_interval = std::chrono::seconds(60);
};

// Promotion scores: few levels, so that they are seldom written.
inline constexpr int kScoreComplete = 100;
inline constexpr int kScorePartial = 10;
inline constexpr int kScoreEmpty = 1;

// As `vpnha sessions` shows it.
// NOLINTNEXTLINE(readability-identifier-naming): the glossary's word is a keyword of C++.
enum class SessionState { protected_, unprotected, hot, resumed, quarantined };

struct SessionView {
    l2tp::SessionRecord record;
    SessionState state{};
    Epoch epoch;
    std::string reason;  // Why it is unprotected or quarantined.
};

class GatewayNode {
  public:
    GatewayNode(GatewaySettings settings, NodeId self, Duration confirm_wait);

    // An agent's start and stop. While detached the gateway's messages are not listened to.
    void attach(const std::string& resource, const std::set<NodeId>& members, TimePoint now,
                Effects& effects);
    void detach(RequestToken request, TimePoint now, Effects& effects);
    void promote(RequestToken request, TimePoint now, Effects& effects);
    void demote(RequestToken request, TimePoint now, Effects& effects);
    void on_step_done(takeover::Step step, const Result<void>& result, TimePoint now,
                      Effects& effects);

    void on_members(const std::set<NodeId>& members, TimePoint now, Effects& effects);
    void on_message(NodeId sender, const wire::Message& message, TimePoint now, Effects& effects);
    void on_installed(const l2tp::SessionKey& key, const Result<void>& result, Effects& effects);

    // A stock session came up; `not_resumable` names what keeps it from being replicated.
    void on_plugin_up(PluginToken plugin, const l2tp::SessionRecord& record,
                      const std::string& not_resumable, TimePoint now, Effects& effects);
    void on_plugin_down(PluginToken plugin, Effects& effects);
    void on_datagram(const l2tp::TunnelKey& tunnel, ByteView bytes, TimePoint now,
                     Effects& effects);
    void on_frame(const l2tp::SessionKey& session, ByteView frame, TimePoint now, Effects& effects);
    void on_time(TimePoint now, Effects& effects);

    // Messages and scores that became due; to be called after every event when the group takes
    // them.
    void flush(TimePoint now, Effects& effects);
    [[nodiscard]] bool has_more() const { return attached_ && replica_.has_more(); }
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

    [[nodiscard]] bool attached() const { return attached_; }
    [[nodiscard]] const GatewaySettings& settings() const { return settings_; }
    [[nodiscard]] const replica::Replica& replica() const { return replica_; }
    [[nodiscard]] takeover::State state() const { return takeover_.state(); }
    [[nodiscard]] std::optional<int> score() const { return written_score_; }
    [[nodiscard]] std::vector<SessionView> sessions() const;
    // What this node tells the others about the gateway.
    [[nodiscard]] wire::GatewayState wire_state() const;
    // Of all tunnels resumed since the start.
    [[nodiscard]] l2tp::TunnelCounters tunnel_counters() const;

  private:
    struct StockSession {
        l2tp::SessionRecord record;
        std::string not_resumable;
    };
    struct Waiting {
        wire::RecordKey key;
        TimePoint until;
    };
    struct Resumed {
        l2tp::ResumedTunnel tunnel;
        // Ended sessions whose kernel state carries the tunnel's last words; removed with it.
        std::vector<l2tp::SessionKey> ended;
    };

    void follow(const takeover::Next& next, TimePoint now, Effects& effects);
    void finish(bool succeeded, Effects& effects);
    void run_inner_step(takeover::Step step, TimePoint now, Effects& effects);
    void claim(Effects& effects);
    void resume_sessions(TimePoint now, Effects& effects);
    void take(replica::Effects&& from, TimePoint now, Effects& effects);
    void take(const l2tp::TunnelKey& key, l2tp::TunnelEffects&& from, Effects& effects);
    void end_session(const l2tp::TunnelKey& tunnel, const l2tp::SessionKey& session,
                     const std::string& reason, Effects& effects);
    void end_tunnel(const l2tp::TunnelKey& key, const std::string& reason, Effects& effects);
    void install(const wire::RecordKey& key, const Bytes& payload, Effects& effects);
    void answer_protected(TimePoint now, Effects& effects);
    void write_score(Effects& effects);
    void remove_everything(Effects& effects);
    [[nodiscard]] std::string tag() const;  // "gateway=l2tp epoch=3.1"

    GatewaySettings settings_;
    NodeId self_;
    Duration confirm_wait_;
    bool attached_ = false;
    bool detaching_ = false;
    std::string resource_;
    replica::Replica replica_;
    takeover::Takeover takeover_;
    std::vector<RequestToken> waiting_requests_;
    std::string failure_;  // First failed step of the transition under way.
    std::optional<int> written_score_;
    std::vector<TimePoint> announcements_;

    std::map<PluginToken, StockSession> stock_;
    std::map<PluginToken, Waiting> waiting_plugins_;
    std::map<wire::RecordKey, std::string> refusals_;
    std::map<l2tp::TunnelKey, Resumed> resumed_;
    std::set<l2tp::SessionKey> resumed_sessions_;
    l2tp::TunnelCounters past_tunnels_;
};

}  // namespace vpnha::node
