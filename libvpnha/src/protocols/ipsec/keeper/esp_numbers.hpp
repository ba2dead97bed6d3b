// SPDX-License-Identifier: GPL-2.0-or-later
// Sequence numbers of the children's ESP SAs: those in the records, and those in this node's
// kernel. Pure.
//
// A standby's outbound SA is ahead of the record. So most takeovers set no number, however much was
// sent since the record was written. It is set again when half of the lead is used up. A node that
// is granted the lease sends nothing under a number below the SA's floor. The floor is beyond the
// record by the grant's margin, and also by the lead if no node has published an epoch since: that
// node may have begun there. If charon makes the SA anew later, the floor is what this node may
// have used since: the next node's margin covers that time. The inbound SA has the record's number:
// a lead would drop the peer's next packets.
//
// No number goes back, except two leads that nobody has used: that of a node that receives exact
// numbers, and one that an earlier grant made too large.
//
// A node may send for seconds before the standbys have a reading from it: it stands in, or a step
// of its promotion takes long. Its successor covers all of that time. Let r be the margin of this
// node's grant and t the time since. The successor's margin is 2 r + t
// (KeeperSteps::emit_margin()): r because its record may be older by r, and r + t for the numbers
// that this node skips and uses. The successor adds the lead. So this node begins at its floor or
// within the lead of its record, never beyond both.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "base/time.hpp"
#include "protocols/ipsec/model/sa_counters.hpp"
#include "protocols/ipsec/model/sa_set.hpp"
#include "protocols/margin.hpp"

namespace vpnha::keepers {

class EspNumbers {
  public:
    using Listed = std::span<const ipsec::SaCounters>;
    // The ESP SAs of a child, where both are in a kernel.
    struct Pair {
        ipsec::SaCounters in;
        ipsec::SaCounters out;
    };
    using Pairs = std::map<std::uint32_t, Pair>;
    [[nodiscard]] static Pairs pair_up(Listed listed, const ipsec::SaSet& sas);

    // From a record of the epoch `emitted`. Where this node serves, a known margin covers each
    // record of an earlier epoch that comes after its grant. Without a known margin the floor may
    // have been computed before the numbers came, and rises with them.
    void know(const ipsec::EspCounters& counters, Epoch emitted);
    void forget(std::uint32_t spi);

    // This node is granted the lease; the margin is how far its numbers are beyond the records.
    // `emitted_in` is the epoch of the child's own record if no record has its counters.
    using EmittedIn = std::function<Epoch(std::uint32_t spi)>;
    void rise(const ipsec::SaSet& sas, const Margin& margin, const EmittedIn& emitted_in,
              TimePoint now);
    // Sets a floor for another node's child whose record came after the grant; `emitted` as above.
    void rise_late(std::uint32_t spi, Epoch emitted, TimePoint now);
    [[nodiscard]] bool serves() const { return serves_; }
    // This node no longer serves.
    void sink();
    // At the node that serves: what is worth a record now. Listed no earlier than `at`.
    [[nodiscard]] std::vector<ipsec::EspCounters> news(const Pairs& pairs, const ipsec::SaSet& sas,
                                                       TimePoint at);

    // This kernel's SAs, as requested at `at`. SAs that were made anew since have other numbers.
    void on_listed(Pairs pairs, TimePoint at);
    // charon makes its SAs anew, until on_remade().
    void remake(std::uint32_t spi, TimePoint now);
    void on_remade(std::uint32_t spi, TimePoint now);
    // The SAs are gone, or may be; their last numbers are not known.
    void lose(std::uint32_t spi, TimePoint now);
    void lose_all(const ipsec::SaSet& sas, TimePoint now);
    // The SAs of a child that charon reported at `emitted_at`, and that no listing has shown.
    void lose_unread(std::uint32_t spi, TimePoint emitted_at, TimePoint now);
    [[nodiscard]] bool is_there(std::uint32_t spi) const { return there_.contains(spi); }
    // The numbers in its record; zeros: it has no record.
    [[nodiscard]] ipsec::EspCounters known(std::uint32_t spi) const;
    // Its SAs have the numbers that a standby's SAs have.
    [[nodiscard]] bool is_right(std::uint32_t spi) const;
    // Where this node is granted the lease: its outbound SA is beyond the numbers that a successor
    // allows for.
    [[nodiscard]] bool leads_too_far(std::uint32_t spi) const;
    // The numbers to set for that; they count as set. `exact`: the floor itself, not more.
    void set(std::uint32_t spi, bool exact, std::vector<ipsec::SaCounters>& wanted);

    // Packets between two listings of SAs that were in both, while this node served.
    struct Packets {
        std::uint64_t in = 0;
        std::uint64_t out = 0;
    };
    [[nodiscard]] const Packets& passed() const { return passed_; }

    // Its peer has sent packets on it, which have proven that it has the keys.
    [[nodiscard]] bool has_received(std::uint32_t spi) const { return known(spi).seq != 0; }
    // The fewest numbers that any SA has left; nullopt: each has more than 2^32.
    [[nodiscard]] std::optional<std::uint64_t> left() const;
    // SAs that have fewer numbers left than two epochs of unknown length take.
    [[nodiscard]] std::vector<std::uint32_t> low() const;

  private:
    [[nodiscard]] bool is_out_right(const ipsec::SaCounters& out, std::uint32_t spi) const;
    void raise_floor(std::uint32_t spi, TimePoint now);
    void count(std::uint32_t spi, const Pair& pair);
    void begin(std::uint32_t spi, Epoch emitted, TimePoint now);
    [[nodiscard]] std::uint64_t floor_beyond(const ipsec::EspCounters& counters,
                                             Epoch emitted) const;

    std::map<std::uint32_t, ipsec::EspCounters> known_;
    Pairs there_;
    std::map<std::uint32_t, TimePoint> since_;  // Earlier listings do not count for it.
    bool serves_ = false;
    // Valid while this node serves.
    Margin margin_;
    std::map<std::uint32_t, std::uint64_t> born_;
    std::map<std::uint32_t, std::uint64_t> floors_;
    struct Used {
        std::uint64_t last = 0;
        TimePoint at{};
    };
    std::map<std::uint32_t, Used> used_;     // An upper bound; it may have changed since.
    std::set<std::uint32_t> listed_;         // In the last news(), or present at rise().
    std::map<std::uint32_t, Packets> seen_;  // Their numbers in the last news().
    Packets passed_;
    TimePoint read_at_{};
};

}  // namespace vpnha::keepers
