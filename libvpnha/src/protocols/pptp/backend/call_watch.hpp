// SPDX-License-Identifier: GPL-2.0-or-later
// Watches the stock calls of the gateways that this node serves: of each a capture of its VIP's
// packets, which the loop reads in bounded turns, and the observer of its calls.
//
// What the kernel has captured comes at most 10 ms later (packet_ring.hpp). Numbers that have
// changed are told each 100 ms, after 512 packets of a call, and when an end is meant: a successor
// that does not know of a hang-up takes its 16 octets for an Echo-Request.
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
        // Those that have changed.
        std::function<void(GatewayId, std::span<const pptp::CallState>)> on_numbers;
        // A connection begins: its end is not meant. Or one of its ends means to end it.
        std::function<void(GatewayId, const Ipv4Endpoint& peer, bool meant)> on_end;
    };
    // Names of timers on the loop.
    struct Timers {
        int tell;
        int settle;
        int reopen;
    };
    using OnSettled = std::function<void(std::span<const pptp::CallState>)>;

    CallWatch(QbLoop& loop, const Timers& timers, Listener listener);
    ~CallWatch();
    CallWatch(const CallWatch&) = delete;
    CallWatch& operator=(const CallWatch&) = delete;

    // From now until unwatch(). A device that is not there is looked for again each second.
    void watch(GatewayId gateway, const std::string& device, Ipv4Address vip);
    void unwatch(GatewayId gateway);

    // What the begin of its control connection said; nullopt: nobody saw it.
    [[nodiscard]] std::optional<pptp::TcpOptions> options_of(GatewayId gateway,
                                                             const Ipv4Endpoint& peer) const;
    // From now on the call is one of the gateway's; its numbers as far as they are known.
    pptp::CallNumbers follow(GatewayId gateway, const pptp::CallKey& key);
    void forget(GatewayId gateway, const pptp::CallKey& key);
    // The numbers of all calls of the gateway, once all that was captured before now has been read:
    // after 2 ms, or when the kernel has handed over the block that it fills then.
    void settle(GatewayId gateway, OnSettled done);

    // Packets that were not captured: the kernel had no room for them.
    [[nodiscard]] std::uint64_t lost() const { return lost_; }
    // Control connections that were forgotten, or not followed, for want of room: a call of theirs
    // is unprotected.
    [[nodiscard]] std::uint64_t evicted() const { return evicted_; }

  private:
    struct Place {
        Place(std::string by, Ipv4Address vip) : device(std::move(by)), observer(vip) {}

        std::string device;
        CallObserver observer;
        std::optional<PacketRing> ring;
        bool has_failed = false;  // And it was said.
    };
    struct Waiting {
        TimePoint from;
        GatewayId gateway;
        OnSettled done;
        std::optional<std::uint64_t> blocks;  // Of the ring; those that it waits for.
    };

    void open(GatewayId gateway, Place& place);
    void close(GatewayId gateway, Place& place);
    void reopen();
    void on_readable(GatewayId gateway);
    // Whether one of the packets means to end a connection.
    bool read(GatewayId gateway, Place& place, std::size_t blocks_max);
    void tell(GatewayId gateway, Place& place);
    void tell_later();
    [[nodiscard]] bool has_settled(Waiting& waiting, TimePoint now);
    void settle_due();
    void settle_next();
    void settle_at(TimePoint at);

    QbLoop& loop_;
    Timers timers_;
    Listener listener_;
    std::map<GatewayId, Place> places_;
    std::vector<Waiting> waiting_;  // In the order in which they began.
    bool telling_ = false;          // The timer is set.
    std::uint64_t lost_ = 0;
    std::uint64_t evicted_ = 0;
    Burst evictions_logged_{1, std::chrono::minutes(1)};
};

}  // namespace vpnha::adapters
