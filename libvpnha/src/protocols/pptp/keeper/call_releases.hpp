// SPDX-License-Identifier: GPL-2.0-or-later
// When resumed calls may send data. Pure. The index of MPPE has jumped then, over all that the last
// node may have used. A successor that does not know of the jump would use the same indexes again.
// So data of each call waits until the group has the new numbers: one round of the ring.
//
//   a call …            | waits for
//   --------------------+----------------------------------------------------------------
//   is being resumed    | resumed(): its numbers have jumped
//   is resumed          | emitted(): its numbers are published
//   is published        | the return of the message with its numbers: by agreed order any
//                       | successor has received it
//
// Final numbers of a planned move have not jumped: nothing waits.
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <utility>
#include <vector>

#include "cluster/replica/replica.hpp"
#include "protocols/pptp/model/call_record.hpp"

namespace vpnha::keepers {

class CallReleases {
  public:
    // A grant. `exact`: the numbers are final. Changes are renumbered: waiting calls wait again.
    void begin(bool exact);
    // This node serves no more.
    void end();
    [[nodiscard]] bool is_exact() const { return exact_; }

    // The data path was asked to resume it; ended(): it has, or the call has ended.
    void asked(const pptp::CallKey& key) { asked_.insert(key); }
    void ended(const pptp::CallKey& key) { asked_.erase(key); }
    [[nodiscard]] bool all_are_resumed() const { return asked_.empty(); }
    void resumed(const pptp::CallKey& key);
    void emitted(const pptp::CallKey& key);
    // Those that may send from now on.
    [[nodiscard]] std::vector<pptp::CallKey> take(const replica::Replica& replica);

  private:
    bool exact_ = false;
    std::set<pptp::CallKey> asked_;
    std::set<pptp::CallKey> resumed_;
    std::vector<pptp::CallKey> emitted_;
    // With the number of the change that has to come back.
    std::deque<std::pair<std::uint64_t, std::vector<pptp::CallKey>>> sent_;
};

}  // namespace vpnha::keepers
