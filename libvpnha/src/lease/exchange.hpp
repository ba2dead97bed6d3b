// SPDX-License-Identifier: GPL-2.0-or-later
// A node's datagrams under one key: it numbers what is sent, and takes what is authentic, of a life
// that is proven, and new (replay_guard.hpp). Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "lease/datagram.hpp"
#include "lease/replay_guard.hpp"

namespace vpnha::lease {

class Exchange {
  public:
    enum class Kind : std::uint8_t {
        taken,
        forged,     // Of another key, or changed on its way.
        malformed,  // Of the right key: another version, or a bug.
        replayed,
        unproven,  // Of a life that has yet to repeat this node's challenge.
    };
    struct Arrival {
        Kind kind = Kind::forged;
        std::optional<Datagram> datagram;  // Neither forged nor malformed.
        std::optional<Hello> greeting;     // To be sent to its node.
    };

    Exchange(const Sender& self, const LeaseKey::Octets& key)
        : self_(self), key_(key), guard_(self.instance) {}

    [[nodiscard]] Bytes encode(GatewayId gateway, const Message& message) {
        return lease::encode({gateway, self_, ++sequence_, message}, key_);
    }
    [[nodiscard]] Arrival on_datagram(ByteView bytes);

    [[nodiscard]] ReplayGuard& guard() { return guard_; }

  private:
    Sender self_;
    LeaseKey key_;
    ReplayGuard guard_;
    std::uint64_t sequence_ = 0;
};

}  // namespace vpnha::lease
