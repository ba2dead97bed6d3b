// SPDX-License-Identifier: GPL-2.0-or-later
// A node's PPTP calls, as protocols/pptp/backend/pptp.hpp has them carried: stock ones by a pppd,
// with an observer of their numbers, and prepared ones by a data path, whose engine is the real one
// (protocols/pptp/model/resumed_call.hpp). It dies with vpnhad.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "protocols/ppp/plugin_event.hpp"
#include "protocols/pptp/model/resumed_call.hpp"
#include "protocols/pptp/work.hpp"
#include "sim/agenda.hpp"
#include "sim/callers.hpp"
#include "support/random.hpp"

namespace vpnha::node {
class Node;
}

namespace vpnha::sim {

// What a node sends of a call, if its gate lets it.
struct CallPacket {
    Bytes gre;
    std::optional<std::uint64_t> index;  // Of MPPE.
    bool is_data = false;
    bool is_lost = false;  // On its way.
};
// The call is over here: a message ends it, or a RST of the control connection.
struct CallOver {
    std::string reason;
    bool is_meant = false;  // This node was to end it.
};
struct CallSent {
    GatewayId gateway;
    const pptp::CallKey& key;
    std::variant<CallPacket, pptp::ProbeSegment, Bytes, CallOver> what;  // Bytes: of TCP.
};
// The client knows no such connection.
struct CallReset {};
using CallReceived = std::variant<FromCaller, pptp::PeerSegment, Bytes, CallReset>;

class CallPath {
  public:
    using Call = std::function<effects::Effects(node::Node&, TimePoint)>;
    struct Ports {
        std::function<TimePoint()> now;              // By the node's clock.
        std::function<Duration(Duration)> in_world;  // Of a time by the node's clock.
        // Into the node's queue of events; it is gone with vpnhad.
        std::function<void(Call)> post;
        std::function<void(const CallSent&)> send;
        // The call is over, and nothing is left of it here.
        std::function<void(GatewayId, const pptp::CallKey&)> gone;
    };

    CallPath(std::uint64_t seed, Agenda& agenda, Ports ports);
    CallPath(const CallPath&) = delete;
    CallPath& operator=(const CallPath&) = delete;
    ~CallPath();

    // A pppd has brought it up, or negotiated it anew; its numbers are those of the call.
    void stock_up(PluginToken plugin, GatewayId gateway, node::StockCall& call);
    void stock_down(PluginToken plugin);

    // The data path has taken what the kernel has taken.
    void prepare(const node::PrepareCall& prepare);
    void execute(const node::SetCallNumbers& set);
    void execute(const node::RemoveCall& remove);
    void execute(const node::EndCall& end);
    void execute(const node::DismissCall& dismiss);
    void execute(const node::ResumeCalls& resume);
    void execute(const node::ReleaseCalls& release);
    void execute(const node::PauseCalls& pause);
    void execute(const node::WatchCalls& watch) { watched_.insert(watch.gateway); }
    void execute(const node::UnwatchCalls& unwatch) { watched_.erase(unwatch.gateway); }
    void execute(const node::ReadCalls& read);

    void handle(const pptp::CallKey& key, const CallReceived& received);
    // Packets come for the clients of that gateway, or of all.
    void pass(std::optional<GatewayId> gateway);
    // vpnhad is gone, and a moment later its children. `alive`: the machine runs.
    void die(bool alive);
    // The machine stands still, or continues.
    void pause(bool paused);

  private:
    struct Stock {
        GatewayId gateway;
        pptp::CallRecord record;
        std::optional<mppe::Sender> sender;
        pptp::CallNumbers numbers;
    };
    class Resumed;

    void send_stock(Stock& call, bool lost);
    [[nodiscard]] effects::Effects report_read(const node::ReadCalls& read, node::Node& node,
                                               TimePoint now);
    // After anything that an engine did.
    void settle(const pptp::CallKey& key);
    void arm();
    void on_timer();

    test::Random random_;
    Agenda& agenda_;
    Ports ports_;
    pptp::CallCounters counters_;
    std::uint64_t life_ = 0;  // Number of the vpnhad.
    std::map<PluginToken, Stock> stock_;
    std::map<pptp::CallKey, std::unique_ptr<Resumed>> resumed_;
    std::set<GatewayId> watched_;
    Alarm timer_{agenda_, [this] { on_timer(); }};
    bool paused_ = false;
    std::uint32_t data_ = 0;  // Packets so far.
};

}  // namespace vpnha::sim
