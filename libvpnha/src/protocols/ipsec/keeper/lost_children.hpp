// SPDX-License-Identifier: GPL-2.0-or-later
// IKE SAs that a node has taken over without their CHILD SAs. Pure.
//
// charon answers the client's dead peer detection in such an SA, but the client's ESP is dropped.
// The client would notice that at its rekey of the CHILD SA, up to an hour later. So the IKE SA is
// ended, and the client dials again. Each SA that was there before is judged once per takeover:
//
//   it is dead, or has an heir                            | left alone
//   its last CHILD SA was deleted before the takeover     | left alone: Windows does so after five
//                                                         | idle minutes, and makes another later
//   it has a CHILD SA that has come since                 | left alone: its client is in contact
//   an ESP SA of its CHILD SAs is in this node's kernel   | left alone
//   an ESP SA of its peer has no known record              | left alone: it may be its own
//   a request of its client is open                       | judged when that is settled
//   anything else                                         | ended
//
// In IKEv1 the CHILD SAs of all IKE SAs with the same peer count: each may continue with them.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "base/time.hpp"
#include "protocols/ipsec/keeper/open_exchanges.hpp"
#include "protocols/ipsec/model/sa_counters.hpp"
#include "protocols/ipsec/model/sa_set.hpp"

namespace vpnha::keepers {

class LostChildren {
  public:
    using Listed = std::span<const ipsec::SaCounters>;

    // From the turn of charon to active. A client that was about to make a CHILD SA has repeated
    // its request by then: strongSwan does so after 4 s, others sooner. Earlier feeds are in the
    // kernel by then, or are lost (limits::kChildSaWait).
    static constexpr Duration kPause = std::chrono::seconds(5);
    // A request without an answer is seen, and charon expects it: strongSwan's client repeats it
    // again within 7.2 s.
    static constexpr Duration kRepeatPause = std::chrono::seconds(10);

    struct Ended {
        ipsec::IkeKey key;
        std::size_t children = 0;  // Among the records.
    };

    // This node takes over, with these.
    void begin(const ipsec::SaSet& sas);
    // charon becomes active or passive.
    void on_active(TimePoint now) { judge_at_ = now + kPause; }
    void on_passive() { judge_at_.reset(); }
    void on_repeated(const ipsec::IkeKey& key, TimePoint now);
    void clear();

    // Returns the SAs to end. `listed`: the kernel's SAs, requested at `at` or later.
    [[nodiscard]] std::vector<Ended> judge(Listed listed, const ipsec::SaSet& sas,
                                           const OpenExchanges& open, TimePoint at);

  private:
    [[nodiscard]] bool has_come(std::uint32_t spi) const { return !known_.contains(spi); }

    std::map<ipsec::IkeKey, TimePoint> unjudged_;  // Not before.
    std::set<std::uint32_t> known_;                // CHILD SAs that were there before.
    std::optional<TimePoint> judge_at_;
};

}  // namespace vpnha::keepers
