// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/model/peer_numbers.hpp"

#include "protocols/l2tp/model/limits.hpp"

namespace vpnha::l2tp {

namespace {

constexpr int kWindow = static_cast<int>(limits::kL2tpPeerWindowMax);

// A number that acknowledges nothing for a peer whose next message is `ns`. It is not simply far
// back: some peers compare without wrapping.
Seq16 acknowledging_nothing(Seq16 ns) {
    return ns.value < kWindow ? Seq16{0} : advance(ns, -kWindow);
}

}  // namespace

PeerNumbers::Verdict PeerNumbers::receive(Seq16 ns) {
    const bool first = !expected_;
    if (first) {
        believe(ns);
    }
    const int ahead = distance(ns, *expected_);
    if (ahead > 0) {
        return proven_ && ahead <= kWindow ? Verdict::gap : Verdict::misfit;
    }
    const int below_learned = distance(learned_, ns);
    const bool unknown = !proven_ && below_learned > 0 && below_learned <= kWindow;
    if (ahead != 0 && !unknown) {
        return -ahead <= kWindow ? Verdict::duplicate : Verdict::misfit;
    }
    const Seq16 next = advance(ns, 1);
    if (ahead == 0) {
        proven_ = !first;
        expected_ = next;
    }
    if (!acknowledged_ || distance(next, *acknowledged_) > 0) {
        acknowledged_ = next;
    }
    return Verdict::handle;
}

void PeerNumbers::learn(Seq16 ns, bool fresh) {
    if (!expected_) {
        believe(ns);
        return;
    }
    const int ahead = distance(ns, *expected_);
    const bool is_possible = proven_ && ahead >= 0 && ahead <= kWindow;
    if (fresh && ahead != 0 && !is_possible) {
        believe(ns);
    }
}

void PeerNumbers::believe(Seq16 ns) {
    expected_ = learned_ = ns;
    proven_ = false;
    if (acknowledged_) {
        const int behind = distance(ns, *acknowledged_);
        if (behind < 0 || behind > kWindow) {
            acknowledged_.reset();
        }
    }
}

Seq16 PeerNumbers::nr() const {
    if (acknowledged_) {
        return *acknowledged_;
    }
    return expected_ ? acknowledging_nothing(*expected_) : Seq16{0};
}

}  // namespace vpnha::l2tp
