// SPDX-License-Identifier: GPL-2.0-or-later
// Sequence numbers of the children's ESP SAs: what the records say of them, and what this node's
// kernel has. Pure.
//
// A standby's outbound SA is ahead of the record: whoever takes over sends nothing under a number
// that was used, however much was sent since the record was written. It is set again when half of
// the lead is used up. The inbound SA has what the record says, no more: a lead would drop what the
// peer sends next. No number ever goes back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "ipsec/sa_counters.hpp"
#include "ipsec/sa_set.hpp"

namespace vpnha::keepers {

class EspNumbers {
  public:
    using Listed = std::span<const ipsec::SaCounters>;

    // From a record.
    void know(const ipsec::EspCounters& counters);
    void forget(std::uint32_t spi);
    // At the node that serves: what is worth a record now.
    [[nodiscard]] std::vector<ipsec::EspCounters> news(Listed listed, const ipsec::SaSet& sas);

    // What this kernel has. Of a child both SAs must be there.
    void on_listed(Listed listed, const ipsec::SaSet& sas);
    // charon makes its SAs anew, or they are gone: with what numbers is not known.
    void lose(std::uint32_t spi) { there_.erase(spi); }
    void lose_all() { there_.clear(); }
    [[nodiscard]] bool is_there(std::uint32_t spi) const { return there_.contains(spi); }
    // They have the numbers that a standby's have.
    [[nodiscard]] bool is_right(std::uint32_t spi) const;
    // What has to be set for that; it counts as set.
    void set(std::uint32_t spi, std::vector<ipsec::SaCounters>& wanted);

  private:
    struct Pair {
        ipsec::SaCounters in;
        ipsec::SaCounters out;
    };
    using Pairs = std::map<std::uint32_t, Pair>;

    [[nodiscard]] static Pairs pair_up(Listed listed, const ipsec::SaSet& sas);
    [[nodiscard]] ipsec::EspCounters known(std::uint32_t spi) const;

    std::map<std::uint32_t, ipsec::EspCounters> known_;
    Pairs there_;
};

}  // namespace vpnha::keepers
