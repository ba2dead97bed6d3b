// SPDX-License-Identifier: GPL-2.0-or-later
// The datagrams of a node, or of a witness, under one key. It numbers the sent ones, and accepts
// those that are authentic, from a proven life, and new (replay_guard.hpp). Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "cluster/lease/datagram.hpp"
#include "cluster/lease/replay_guard.hpp"

namespace vpnha::lease {

class Exchange {
  public:
    enum class Kind : std::uint8_t {
        taken,
        forged,     // Of another key, or changed on the path.
        malformed,  // Of the right key: another version, or a bug.
        replayed,
        unproven,  // From a life that has yet to repeat this one's challenge.
    };
    struct Counters {
        std::uint64_t taken = 0;
        std::uint64_t forged = 0;
        std::uint64_t malformed = 0;
        std::uint64_t replayed = 0;
        std::uint64_t unproven = 0;

        void count(Kind kind);
    };
    struct Arrival {
        Kind kind = Kind::forged;
        std::optional<Datagram> datagram;  // Neither forged nor malformed.
        std::optional<Hello> greeting;     // To be sent to its sender.
    };

    Exchange(const Sender& self, const LeaseKey::Octets& key)
        : self_(self), key_(key), guard_(self.instance) {}

    [[nodiscard]] Bytes encode(GatewayId gateway, const Message& message) {
        return lease::encode({gateway, self_, ++sequence_, message}, key_);
    }
    [[nodiscard]] Arrival on_datagram(ByteView bytes);
    // The same in two steps, for callers that check the sender in between.
    [[nodiscard]] Arrival parse(ByteView bytes) const;
    // For an arrival with a datagram.
    void judge(Arrival& arrival);

    [[nodiscard]] ReplayGuard& guard() { return guard_; }

  private:
    Sender self_;
    LeaseKey key_;
    ReplayGuard guard_;
    std::uint64_t sequence_ = 0;
};

}  // namespace vpnha::lease
