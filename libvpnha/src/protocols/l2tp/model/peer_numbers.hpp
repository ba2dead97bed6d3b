// SPDX-License-Identifier: GPL-2.0-or-later
// The Ns of a tunnel's peer (RFC 2661 5.8), as
// learned by a node that has taken the tunnel over.
//
// The dead node may or may not have handled the peer's last messages, and the peer repeats them
// until they are acknowledged. So the next expected number is learned from a ZLB's Ns or from the
// first message. Messages up to limits::kL2tpPeerWindowMax below it are handled until the expected
// one has come, each acknowledged by itself. Handling must be idempotent. Then the number is
// proven: from there on only the expected message is handled, as by a stock daemon, and the peer's
// retransmissions fill every gap.
//
// A learned number may be stale, or forged by anyone. A ZLB that acknowledges a message for the
// first time is fresh: its Ns is the peer's current one. It overrides a learned number. It
// overrides a proven one if both cannot be true: the peer is never behind what it has sent, nor
// further ahead than a window.
//
// One case is lost: of two unacknowledged messages the later one arrives first. The earlier one is
// never seen, because one acknowledgement covers both. If it was a CDN, LCP finds that session
// dead; if it was a call, the client's own timer ends it. The same happens to a message whose exact
// number somebody has forged, as it does to a stock daemon.
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
        misfit,     // To be dropped: either number is far off.
    };

    // For a message with content.
    [[nodiscard]] Verdict receive(Seq16 ns);
    // For a ZLB. `fresh`: it acknowledges something for the first time.
    void learn(Seq16 ns, bool fresh);
    void forget() { *this = {}; }
    // The Nr to send. Until a message was handled, a number that acknowledges nothing.
    [[nodiscard]] Seq16 nr() const;

  private:
    void believe(Seq16 ns);

    std::optional<Seq16> expected_;  // The peer's next new message.
    Seq16 learned_{};                // expected_ as it was last learned, not received.
    bool proven_ = false;            // The expected message has come.
    std::optional<Seq16> acknowledged_;
};

}  // namespace vpnha::l2tp
