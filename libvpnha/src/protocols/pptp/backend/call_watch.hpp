// SPDX-License-Identifier: GPL-2.0-or-later
// Watches the stock calls of the gateways that this node serves. Each gateway has a capture of its
// VIP's packets, which the loop reads in bounded turns, and an observer of its calls.
//
// Captured packets arrive at most 10 ms later (packet_ring.hpp). Changed numbers are reported each
// 100 ms, after 512 packets of a call, and when an end is requested. A successor that does not know
// of a hang-up would take its 16 octets for an Echo-Request.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/burst.hpp"
#include "host/os/qb_loop.hpp"
#include "protocols/pptp/backend/call_observer.hpp"
#include "protocols/pptp/backend/packet_ring.hpp"

namespace vpnha::adapters {

class CallWatch {
  public:
    // Called from the loop, never from within a call of this class.
    struct Listener {
        // Calls whose numbers have changed.
        std::function<void(GatewayId, std::span<const pptp::CallState>)> on_numbers;
        // `meant`: one end requests the end of the connection. False: a connection begins.
        std::function<void(GatewayId, const Ipv4Endpoint& peer, bool meant)> on_end;
    };
    // Names of timers on the loop.
    struct Timers {
        int notify;
        int settle;
        int reopen;
    };
    using OnSettled = std::function<void(std::span<const pptp::CallState>)>;

    CallWatch(QbLoop& loop, const Timers& timers, Listener listener);
    ~CallWatch();
    CallWatch(const CallWatch&) = delete;
    CallWatch& operator=(const CallWatch&) = delete;

    // From now until unwatch(). A missing device is searched for again each second.
    void watch(GatewayId gateway, const std::string& device, Ipv4Address vip);
    void unwatch(GatewayId gateway);

    // The options in its handshake; nullopt: the handshake was not seen.
    [[nodiscard]] std::optional<pptp::TcpOptions> options_of(GatewayId gateway,
                                                             const Ipv4Endpoint& peer) const;
    // The call belongs to the gateway from now on. Returns its numbers as far as they are known.
    pptp::CallNumbers follow(GatewayId gateway, const pptp::CallKey& key);
    void forget(GatewayId gateway, const pptp::CallKey& key);
    // Reports the numbers of all calls of the gateway once all packets captured before now have
    // been read: after 2 ms, or when the kernel hands over the block that it fills then.
    void settle(GatewayId gateway, OnSettled done);

    // Packets that were not captured: the kernel had no room for them.
    [[nodiscard]] std::uint64_t lost() const { return lost_; }
    // Control connections that were forgotten, or not followed, because there was no room: their
    // calls are unprotected.
    [[nodiscard]] std::uint64_t evicted() const { return evicted_; }

  private:
    struct Place {
        Place(std::string by, Ipv4Address vip) : device(std::move(by)), observer(vip) {}

        std::string device;
        CallObserver observer;
        std::optional<PacketRing> ring;
        bool has_failed = false;  // The failure was logged.
    };
    struct Waiting {
        TimePoint from;
        GatewayId gateway;
        OnSettled done;
        std::optional<std::uint64_t> blocks;  // Of the ring; the blocks that it waits for.
    };

    void open(GatewayId gateway, Place& place);
    void close(GatewayId gateway, Place& place);
    void reopen();
    void on_readable(GatewayId gateway);
    // Whether one of the packets requests the end of a connection.
    bool read(GatewayId gateway, Place& place, std::size_t blocks_max);
    void notify(GatewayId gateway, Place& place);
    void notify_later();
    [[nodiscard]] bool has_settled(Waiting& waiting, TimePoint now);
    void settle_due();
    void settle_next();
    void settle_at(TimePoint at);

    QbLoop& loop_;
    Timers timers_;
    Listener listener_;
    std::map<GatewayId, Place> places_;
    std::vector<Waiting> waiting_;  // In the order in which they began.
    bool notifying_ = false;        // The timer is set.
    std::uint64_t lost_ = 0;
    std::uint64_t evicted_ = 0;
    Burst evictions_logged_{1, std::chrono::minutes(1)};
};

}  // namespace vpnha::adapters
