// SPDX-License-Identifier: GPL-2.0-or-later
// The clients of PPTP: their ends of TCP, GRE, PPP and MPPE. Who lives, and at which gateway,
// stands in Clients. They know nothing of a takeover.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "protocols/pptp/model/control_probe.hpp"
#include "sim/clients.hpp"
#include "support/model_client.hpp"

namespace vpnha::sim {

// What comes to a node for one of its calls.
struct FromCaller {
    Bytes gre;
    std::uint64_t mppe_in = 0;  // Indexes that the caller has used up to this packet.
};

struct Caller {
    explicit Caller(pptp::test::ModelClient its) : client(std::move(its)) {}

    pptp::test::ModelClient client;
    // TCP: what it has had of the gateway, and what it has sent.
    std::uint32_t received = 0;
    std::uint32_t sent = 0;
    bool is_encrypted = false;
    std::uint32_t data = 0;  // Packets that it has sent so far.
    // Of MPPE, sent to it by any node, whether they came or not.
    std::set<std::uint64_t> indexes;
};

class Callers {
  public:
    Callers(std::uint64_t seed, Clients& clients)
        : random_(seed * 0x9e3779b97f4a7c15 + 12), clients_(clients) {}

    // A call that a client has just brought up.
    wire::RecordKey dial(GatewayId gateway, bool poison, bool refused, bool resumable);
    [[nodiscard]] Caller& at(const pptp::CallKey& key) { return callers_.at(key); }
    [[nodiscard]] bool lives(const pptp::CallKey& key) const;

    // What it sends by itself: a packet of data.
    [[nodiscard]] std::vector<FromCaller> talk(const pptp::CallKey& key, TimePoint now);
    // What it answers.
    [[nodiscard]] std::vector<FromCaller> on_gre(const pptp::CallKey& key, ByteView gre,
                                                 TimePoint now);
    [[nodiscard]] pptp::PeerSegment on_probe(const pptp::CallKey& key,
                                             const pptp::ProbeSegment& probe) const;
    // On its control connection; empty: nothing.
    [[nodiscard]] Bytes on_control(const pptp::CallKey& key, ByteView bytes);
    // The client ends its call by a message on its control connection.
    [[nodiscard]] Bytes emit_goodbye(const pptp::CallKey& key);

  private:
    [[nodiscard]] static std::vector<FromCaller> take_sent(Caller& caller);

    test::Random random_;
    Clients& clients_;
    std::map<pptp::CallKey, Caller> callers_;
    std::uint16_t next_ = 1;
};

}  // namespace vpnha::sim
