// SPDX-License-Identifier: GPL-2.0-or-later
// The Ns that a tunnel's peer writes (RFC 2661 5.8), as a node learns it that has taken the tunnel
// over.
//
// What the peer sent last to the dead node may or may not have been handled there, and is sent
// again until it is acknowledged. So: the next number expected is learned (from a ZLB's Ns, or from
// the first message); messages up to limits::kL2tpPeerWindowMax below the learned number are
// handled until the expected one has come, each acknowledged by itself. Handling must be
// idempotent. Then the number is proven: from there on the expected message alone is handled, as by
// a stock daemon, and the peer's retransmissions fill every gap.
//
// What was learned may be stale, or forged by anyone. A ZLB that acknowledges a message for the
// first time is fresh: its Ns is where the peer stands. It is believed against what was learned,
// and against a proof where both cannot be true: the peer is never behind what it has sent, nor
// further ahead than a window.
//
// One case is lost: of two messages left to the dead node the later one arrives first, and the
// earlier one is never seen, because acknowledging one acknowledges both. If it was a CDN, LCP
// finds that session dead; if it was a call, the client's own timer ends it. The same happens to a
// message whose exact number somebody has forged, as it does to a stock daemon.
#pragma once

#include <optional>

#include "protocols/l2tp/model/limits.hpp"
#include "protocols/l2tp/model/seq16.hpp"

namespace vpnha::l2tp {

class PeerNumbers {
  public:
    enum class Verdict {
        handle,
        duplicate,  // To be acknowledged again.
        gap,        // The peer's retransmissions will fill it.
        misfit,     // To be dropped: it is far off, or what is expected is.
    };

    // Of a message with content.
    [[nodiscard]] Verdict receive(Seq16 ns);
    // Of a ZLB. `fresh`: it acknowledges something for the first time.
    void learn(Seq16 ns, bool fresh);
    void forget() { *this = {}; }
    // To be written as Nr. Until a message was handled, a number that acknowledges nothing.
    [[nodiscard]] Seq16 nr() const;

  private:
    void believe(Seq16 ns);

    std::optional<Seq16> expected_;  // The peer's next new message.
    Seq16 learned_{};                // expected_ as it was last learned, not received.
    bool proven_ = false;            // The expected message has come.
    std::optional<Seq16> acknowledged_;
};

}  // namespace vpnha::l2tp
