// SPDX-License-Identifier: GPL-2.0-or-later
// The times of the lease, and the conditions between them. All nodes of a cluster have the same,
// except for L and the times derived from it: each round states its own L. Clocks are
// CLOCK_BOOTTIME, and are compared with themselves only.
//
//   lease        L: a majority's answer lets the holder serve until (its own send time) + L
//   promise      L·(1+ρ)+δ on the voter's clock, with L of the holder's round: longer than L
//                on the holder's, however the two clocks run
//   abstention   L_max·(1+ρ)+δ after its start a vpnhad answers nobody: it may have promised
//                something before, with another L
#pragma once

#include "base/time.hpp"
#include "vpnha/result.hpp"

namespace vpnha::lease {

// L_max is part of the protocol: no configuration of any node, old or new, exceeds it. With 500 ms,
// an abstention and a fence mark last 515 ms at the default ρ and δ.
inline constexpr std::chrono::milliseconds kLeaseMax{500};
// Rounds that a holder has open at once; L / renew interval is less.
inline constexpr int kRenewalsPerLeaseMax = 8;

struct Timing {
    Duration lease = std::chrono::milliseconds(300);
    Duration renew = std::chrono::milliseconds(100);
    // ρ in millionths: one node's clock runs at most so much faster than another's.
    std::int64_t rate_ppm = 10'000;
    // δ: added to a promise for the reading of a clock, and the grain of its timers.
    Duration grain = std::chrono::milliseconds(10);
    // How long a draining holder still serves while it waits for its successor.
    Duration draining = std::chrono::seconds(2);
    // For so long a voter still answers a holder that is missing from its own quorate group.
    Duration absence = std::chrono::seconds(5);
    // After so long without a majority a claim is in vain: its answers may be lost, and promises to
    // it keep out nodes that could serve. If another node asks or claims, the voters ignore the
    // claim until all these promises end and that node has asked again; and so on.
    Duration unheld = std::chrono::seconds(1);
    // The same for the claim of a node whose own lease has just lapsed. The voters answered it a
    // moment ago, and no other node can have been granted anything. Three rounds in a row; an
    // answered claim is granted in one round trip. It is longer for other claims, which may have to
    // wait until the promises to a dead holder end.
    Duration unheld_lapsed = std::chrono::milliseconds(200);
    Duration unheld_rest = std::chrono::milliseconds(1200);
    Duration lease_max = kLeaseMax;  // Only tests have another; and of these:
    // From one question to the next, when the voters' promises end about now; up to ask_max when
    // they do not.
    Duration ask = std::chrono::milliseconds(25);
    Duration ask_max = std::chrono::milliseconds(400);
    // How long an opinion on a question counts, while others are asked: voters may be so far away.
    Duration ask_open = std::chrono::milliseconds(150);
    // A turn of the loop that is later than this: the whole host may have stood still, together
    // with the holder.
    Duration punctual = std::chrono::milliseconds(20);

    // The same with another L: a renewal each quarter of it, and questions to match.
    [[nodiscard]] Timing sized(Duration to) const;

    [[nodiscard]] Duration promise(Duration asked) const { return stretched(asked); }
    [[nodiscard]] Duration abstention() const { return stretched(lease_max); }

    // The file's values are safe, and useful: error invalid_config names the key.
    [[nodiscard]] Result<void> validate() const;
    friend bool operator==(const Timing&, const Timing&) = default;

  private:
    [[nodiscard]] Duration stretched(Duration time) const {
        return time + time * rate_ppm / 1'000'000 + grain;
    }
};

// The ρ that covers two clocks which a time daemon slews by up to `slew_ppm` each, in opposite
// directions. chrony's maxslewrate is 83 333 ppm unless it is configured: 181 819 ppm.
[[nodiscard]] std::int64_t rate_ppm_for(std::int64_t slew_ppm);
// The inverse: by how much a time daemon may slew each of two clocks within a ρ, rounded down.
[[nodiscard]] std::int64_t slew_ppm_for(std::int64_t rate_ppm);

}  // namespace vpnha::lease
