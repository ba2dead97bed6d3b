// SPDX-License-Identifier: GPL-2.0-or-later
// The links of one gateway on this node, and whether the gateway is better off elsewhere. Pure.
//
// A side is lost when its device has no carrier, or when none of its configured neighbours answers
// any more. How that counts depends on who asks:
//
//   for staying    a side that is lost now. A promoted node whose link is back gives nothing away.
//   for coming     a side that is lost, not known yet, or back for less than the hold-off. This is
//                  what the others are told, and what a standby's promotion score says.
//
// So a link that comes and goes moves a gateway once, away from it: until it has been good for the
// hold-off no gateway moves to it. And a node that has just been given a gateway may still give it
// on when its own link is lost, to one whose links were good all the time.
//
// A side that everybody has lost moves nobody: who is no better gets nothing, and before a gateway
// is given away there is time to hear that the others have lost the same.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/ip.hpp"
#include "base/link_side.hpp"
#include "base/mac_address.hpp"
#include "base/time.hpp"

namespace vpnha::node {

struct LinkSettings {
    // One of them has to answer; with none the carrier counts alone.
    std::array<std::set<IpAddress>, kLinkSideCount> neighbours;
    Duration probe_interval = std::chrono::milliseconds(200);
    unsigned lost_after = 3;  // Questions that a neighbour leaves unanswered.
    // From the loss of a carrier to the decision; after a loss that only questions show, a probe
    // interval more, because the others may have asked last so much earlier.
    Duration give_away_after = std::chrono::milliseconds(200);
    Duration hold_off = std::chrono::seconds(60);
};

// `settling`: good again, for less than the hold-off; `unknown`: nobody has answered yet.
enum class LinkState { good, no_carrier, no_answer, settling, unknown };
[[nodiscard]] std::string_view to_string(LinkState state);

class Links {
  public:
    explicit Links(LinkSettings settings);

    // There is a carrier until this says otherwise.
    void on_carrier(LinkSide side, bool carrier, TimePoint now);
    // Somebody has that address there. Addresses that are no neighbour's are ignored.
    void on_answer(LinkSide side, const IpAddress& address, TimePoint now);
    // What time makes of it. Returns the sides whose neighbours are to be asked now.
    [[nodiscard]] std::vector<LinkSide> on_time(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

    // `lost_elsewhere`: sides lost at the best of the standbys in sync; nullopt: there is none.
    // Returns true when this node decides to give the gateway away.
    [[nodiscard]] bool weigh(bool promoted, std::optional<unsigned> lost_elsewhere, TimePoint now);
    // Decided, and still promoted with worse links than another node.
    [[nodiscard]] bool giving_away() const { return giving_away_; }

    // Of this node's devices, if it can hold what comes for the gateway before its gate opens.
    void set_macs(const SideMacs& macs) { macs_ = macs; }
    [[nodiscard]] const SideMacs& macs() const { return macs_; }

    [[nodiscard]] LinkState state(LinkSide side) const;
    // As it counts for coming.
    [[nodiscard]] bool counts_as_lost(LinkSide side) const;
    [[nodiscard]] unsigned lost_for_coming() const;
    [[nodiscard]] unsigned lost_for_staying() const;
    // Sides whose state has changed since the last call, once each for every loss and return.
    [[nodiscard]] std::vector<std::pair<LinkSide, LinkState>> take_news() {
        return std::exchange(news_, {});
    }

    // How often a side was lost; how often weigh() gave the gateway away.
    [[nodiscard]] std::uint64_t losses() const { return losses_; }
    [[nodiscard]] std::uint64_t given_away() const { return given_away_; }

  private:
    struct Neighbour {
        IpAddress address;
        unsigned asked = 0;  // Since its last answer.
        bool answered = false;
    };
    struct Side {
        bool carrier = true;
        std::vector<Neighbour> neighbours;
        bool known = false;
        std::optional<LinkState> lost;        // Why.
        std::optional<TimePoint> settled_at;  // Good since the hold-off before.
    };

    [[nodiscard]] Side& of(LinkSide side) { return sides_[static_cast<std::size_t>(side)]; }
    [[nodiscard]] const Side& of(LinkSide side) const {
        return sides_[static_cast<std::size_t>(side)];
    }
    // nullopt: asked, and neither answered nor given up yet.
    [[nodiscard]] std::optional<LinkState> look(const Side& side) const;
    void judge(LinkSide side, TimePoint now);
    [[nodiscard]] bool asks(const Side& side) const;
    [[nodiscard]] Duration patience() const;

    LinkSettings settings_;
    SideMacs macs_;
    std::array<Side, kLinkSideCount> sides_;
    std::optional<TimePoint> ask_at_;  // nullopt: at the next turn.
    std::optional<TimePoint> worse_since_;
    bool giving_away_ = false;
    std::vector<std::pair<LinkSide, LinkState>> news_;
    std::uint64_t losses_ = 0;
    std::uint64_t given_away_ = 0;
};

}  // namespace vpnha::node
