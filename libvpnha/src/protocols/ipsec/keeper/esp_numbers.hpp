// SPDX-License-Identifier: GPL-2.0-or-later
// Sequence numbers of the children's ESP SAs: what the records say of them, and what this node's
// kernel has. Pure.
//
// A standby's outbound SA is ahead of the record: in most takeovers nothing has to be set, however
// much was sent since the record was written. It is set again when half of the lead is used up.
// A node that is granted the lease sends nothing under a number below the SA's floor: beyond the
// record by what the grant's margin says, and by the lead where nobody has told of an epoch since:
// its node may have begun there. Should charon make the SA anew later, it is what the node
// may have used since, and no more: the next node reckons with what can be sent in that time.
// The inbound SA has what the record says, no more: a lead would drop what the peer sends next.
//
// No number goes back, except two leads that nobody has used: that of a node that is handed exact
// numbers, and one that an earlier grant made too large.
//
// A node may send for seconds before the standbys have a reading of its own: it stands in, or a
// step of its promotion lasts. Its successor covers all of that, however long it was. With r as the
// margin of this node's grant and t as the time since, the successor's margin is 2 r + t
// (KeeperSteps::say_margin()): r because its record may be older by r, and r + t for the numbers
// that this node leaves out and uses. It adds the lead. So this node begins at its floor or within
// the lead of its record, never beyond both.
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

    // From a record of the epoch `said`. Where this node serves, a known margin covers each record
    // of an earlier epoch that comes after its grant. Without one the floor may have been reckoned
    // before the numbers came, and rises with them.
    void know(const ipsec::EspCounters& counters, Epoch said);
    void forget(std::uint32_t spi);

    // This node is granted the lease: how far its numbers are beyond the records. Of a child whose
    // counters no record has, `said_in` is the epoch of its own.
    using SaidIn = std::function<Epoch(std::uint32_t spi)>;
    void rise(const ipsec::SaSet& sas, const Margin& margin, const SaidIn& said_in, TimePoint now);
    // Another node's child of which no record was here then; `said` as above. It gets a floor, too.
    void rise_late(std::uint32_t spi, Epoch said, TimePoint now);
    [[nodiscard]] bool serves() const { return serves_; }
    // It serves no more.
    void sink();
    // At the node that serves: what is worth a record now. Listed no earlier than `at`.
    [[nodiscard]] std::vector<ipsec::EspCounters> news(const Pairs& pairs, const ipsec::SaSet& sas,
                                                       TimePoint at);

    // What this kernel has, as asked for at `at`. What was made anew since then has other numbers.
    void on_listed(Pairs pairs, TimePoint at);
    // charon makes its SAs anew, until on_remade().
    void remake(std::uint32_t spi, TimePoint now);
    void on_remade(std::uint32_t spi, TimePoint now);
    // They are gone, or may be: with what numbers is not known.
    void lose(std::uint32_t spi, TimePoint now);
    void lose_all(const ipsec::SaSet& sas, TimePoint now);
    // Those of a child that charon has reported at `said_at`, and that no reading has seen.
    void lose_unread(std::uint32_t spi, TimePoint said_at, TimePoint now);
    [[nodiscard]] bool is_there(std::uint32_t spi) const { return there_.contains(spi); }
    // As its record has them; zeros: it has none.
    [[nodiscard]] ipsec::EspCounters known(std::uint32_t spi) const;
    // They have the numbers that a standby's have.
    [[nodiscard]] bool is_right(std::uint32_t spi) const;
    // Where this node is granted the lease: its outbound SA is beyond what a successor reckons
    // with.
    [[nodiscard]] bool leads_too_far(std::uint32_t spi) const;
    // What has to be set for that; it counts as set. `exact`: the floor itself, not more.
    void set(std::uint32_t spi, bool exact, std::vector<ipsec::SaCounters>& wanted);

    // Packets between two listings of SAs that stood in both, while this node served.
    struct Packets {
        std::uint64_t in = 0;
        std::uint64_t out = 0;
    };
    [[nodiscard]] const Packets& passed() const { return passed_; }

    // Its peer has sent packets on it, which have proven that it has the keys.
    [[nodiscard]] bool has_received(std::uint32_t spi) const { return known(spi).seq != 0; }
    // Of all SAs the fewest that are left; nullopt: each has more than 2^32.
    [[nodiscard]] std::optional<std::uint64_t> left() const;
    // Of which fewer are left than two epochs of unknown length take.
    [[nodiscard]] std::vector<std::uint32_t> low() const;

  private:
    [[nodiscard]] bool is_out_right(const ipsec::SaCounters& out, std::uint32_t spi) const;
    void raise_floor(std::uint32_t spi, TimePoint now);
    void count(std::uint32_t spi, const Pair& pair);
    void begin(std::uint32_t spi, Epoch said, TimePoint now);
    [[nodiscard]] std::uint64_t floor_beyond(const ipsec::EspCounters& counters, Epoch said) const;

    std::map<std::uint32_t, ipsec::EspCounters> known_;
    Pairs there_;
    std::map<std::uint32_t, TimePoint> since_;  // What was listed before says nothing of it.
    bool serves_ = false;
    // While it does.
    Margin margin_;
    std::map<std::uint32_t, std::uint64_t> born_;
    std::map<std::uint32_t, std::uint64_t> floors_;
    struct Used {
        std::uint64_t last = 0;
        TimePoint at{};
    };
    std::map<std::uint32_t, Used> used_;     // At most; since then others may have been.
    std::set<std::uint32_t> listed_;         // By the last news(), or there when it rose.
    std::map<std::uint32_t, Packets> seen_;  // Their numbers, by the last news().
    Packets passed_;
    TimePoint read_at_{};
};

}  // namespace vpnha::keepers
