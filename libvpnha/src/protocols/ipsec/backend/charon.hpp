// SPDX-License-Identifier: GPL-2.0-or-later
// Port: this node's charon, as seen through its ha plugin. charon is present or gone. A request to
// a charon that is gone has no effect.
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
    // Called from the event loop, never from within a call of this port. The bytes are valid during
    // the call only.
    struct Listener {
        // A message for another node, of the types 1 to 7 and 12. Its secrets are sealed.
        std::function<void(ByteView message)> on_emitted;
        // charon is empty, its connections are loaded, and it can be fed other nodes' SAs. charon
        // has lost what it was fed before. `version`: of charon's messages
        // (protocols/ipsec/model/ha_message.hpp).
        std::function<void(std::uint8_t version)> on_fresh;
        // charon has become active or passive: in answer to turn(), or unasked.
        std::function<void(bool active)> on_turned;
        // charon has read all messages of the ticket; on an error it may have lost some of them.
        std::function<void(std::uint64_t ticket, const Result<void>& result)> on_fed;
        // There is no charon, or none whose SAs are known.
        std::function<void()> on_gone;
    };

    virtual ~Charon() = default;

    // Messages as on_emitted() reported them, in this order, after those of earlier calls.
    virtual void feed(std::vector<Bytes> messages, std::uint64_t ticket) = 0;
    // Only the last of several calls counts.
    virtual void turn(bool active) = 0;
    // Replaces these CHILD SAs, named by their inbound SPIs, and those that are overdue. CHILD SAs
    // of the IKE SAs in `refusing` are deleted instead, and their clients make new ones.
    virtual void rekey(std::vector<std::uint32_t> children,
                       std::vector<ipsec::IkeKey> refusing) = 0;
    // Sends a DELETE to each client and does not wait for the answer. For an SA that charon does
    // not have, on_emitted() reports the end.
    virtual void end(std::vector<ipsec::IkeKey> sas) = 0;
};

}  // namespace vpnha::ports
