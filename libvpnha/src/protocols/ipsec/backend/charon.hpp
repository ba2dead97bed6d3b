// SPDX-License-Identifier: GPL-2.0-or-later
// Port: this node's charon, as its ha plugin takes it. It is there, or it is gone; what it is asked
// while it is gone has no effect.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/bytes.hpp"
#include "protocols/ipsec/model/ha_message.hpp"
#include "vpnha/result.hpp"

namespace vpnha::ports {

class Charon {
  public:
    // Called from the event loop, never from within a call of this port; bytes are valid during the
    // call only.
    struct Listener {
        // A message for another node: of the types 1 to 7 and 12, its secrets sealed.
        std::function<void(ByteView message)> on_said;
        // It is empty, its connections are loaded, and it can be fed what another node has. What it
        // was fed before is forgotten. `version`: of its messages
        // (protocols/ipsec/model/ha_message.hpp).
        std::function<void(std::uint8_t version)> on_fresh;
        // It speaks for its IKE SAs, or it does not; answer to turn(), or of its own accord.
        std::function<void(bool active)> on_turned;
        // It has read all messages of the ticket, or some of them may be lost to it.
        std::function<void(std::uint64_t ticket, const Result<void>& result)> on_fed;
        // There is none, or none of which it is known what it has.
        std::function<void()> on_gone;
    };

    virtual ~Charon() = default;

    // Messages as on_said() had them, in this order, after those of earlier calls.
    virtual void feed(std::vector<Bytes> messages, std::uint64_t ticket) = 0;
    // Of several calls the last one counts.
    virtual void turn(bool active) = 0;
    // New CHILD SAs in the place of these, by their inbound SPIs, and of those that are overdue.
    // Those of the IKE SAs `refusing` are deleted instead, and their clients make new ones.
    virtual void rekey(std::vector<std::uint32_t> children,
                       std::vector<ipsec::IkeKey> refusing) = 0;
    // With a DELETE to each client, of which the answer is not waited for. Of one that charon does
    // not have, on_said() reports the end.
    virtual void end(std::vector<ipsec::IkeKey> sas) = 0;
};

}  // namespace vpnha::ports
