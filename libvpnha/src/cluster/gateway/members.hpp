// SPDX-License-Identifier: GPL-2.0-or-later
// Who is a member of the group, since when, and what each node calls itself. Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/ids.hpp"
#include "base/time.hpp"

namespace vpnha::node {

class Members {
  public:
    // The group has these members now. Who stays keeps its time.
    void set(const std::set<NodeId>& members, TimePoint now);
    [[nodiscard]] bool contains(NodeId node) const { return since_.contains(node); }
    // nullopt: it is no member.
    [[nodiscard]] std::optional<TimePoint> since(NodeId node) const;

    void introduce(NodeId node, std::string name) { names_[node] = std::move(name); }
    // Also of one that has left; empty: it has not introduced itself.
    [[nodiscard]] std::string name(NodeId node) const;

  private:
    std::map<NodeId, TimePoint> since_;
    std::map<NodeId, std::string> names_;
};

}  // namespace vpnha::node
