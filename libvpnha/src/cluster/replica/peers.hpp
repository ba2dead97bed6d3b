// SPDX-License-Identifier: GPL-2.0-or-later
// The other members by their messages: the gateway's state in their hellos, and up to where they
// have confirmed the holder's changes. Pure. A node that is no member is forgotten.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "base/time.hpp"
#include "cluster/wire/message.hpp"
#include "cluster/wire/record_traits.hpp"

namespace vpnha::replica {

class Peers {
  public:
    struct Confirmed {
        std::uint64_t sequence = 0;
        std::uint64_t held = 0;
        std::set<wire::Version> refused;
        // In that epoch, a record of that type.
        [[nodiscard]] bool covers(const Epoch& epoch, wire::RecordType type,
                                  const wire::Version& version) const {
            const std::uint64_t through = wire::traits_of(type).in_kernel ? sequence : held;
            return (version.epoch < epoch || version.sequence <= through) &&
                   !refused.contains(version);
        }
    };

    // True: a node has joined.
    bool set_members(NodeId self, const std::set<NodeId>& present, bool quorate, TimePoint now);
    // This side of the cluster has the majority.
    [[nodiscard]] bool quorate() const { return quorate_; }

    // It has sent hello since it came.
    void meet(NodeId node) { strangers_.erase(node); }
    // A complete replica waits until then for new members; nullopt: it waits for none.
    [[nodiscard]] std::optional<TimePoint> meeting_until() const {
        return has_met_all() ? std::nullopt : std::optional(meeting_until_);
    }
    void end_meeting(TimePoint now) { is_meeting_ = is_meeting_ && now < meeting_until_; }
    // All have sent hello, or have had the time to.
    [[nodiscard]] bool has_met_all() const { return strangers_.empty() || !is_meeting_; }
    // Members that have come, and have not sent their state yet.
    [[nodiscard]] const std::set<NodeId>& strangers() const { return strangers_; }
    // It has sent an epoch that nobody can have reached, so its state is not known. True: the first
    // one since it came.
    bool distrust(NodeId node);
    void introduce(NodeId node, const wire::GatewayState& state) { states_[node] = state; }
    // It no longer takes part in the gateway.
    void forget(NodeId node);
    [[nodiscard]] const std::map<NodeId, wire::GatewayState>& states() const { return states_; }

    void confirm(NodeId node, const wire::Confirm& confirm);
    void forget_confirmations() { confirmed_.clear(); }
    // nullptr: it has confirmed nothing in this epoch.
    [[nodiscard]] const Confirmed* confirmed_by(NodeId node) const;
    // The last change up to which it has all, by its hello and its confirmations of `epoch`; the
    // confirmations are of that epoch alone. Zero for a node that has not introduced itself.
    [[nodiscard]] wire::Version reached(NodeId node, const Epoch& epoch) const;
    // One of them has that version of a record, in its kernel if the type has kernel state.
    [[nodiscard]] bool have(const Epoch& epoch, wire::RecordType type,
                            const wire::Version& version) const;

  private:
    std::set<NodeId> members_;
    std::set<NodeId> strangers_;
    std::set<NodeId> distrusted_;
    TimePoint meeting_until_{};
    bool is_meeting_ = false;
    bool quorate_ = false;
    std::map<NodeId, wire::GatewayState> states_;
    std::map<NodeId, Confirmed> confirmed_;
};

}  // namespace vpnha::replica
