// SPDX-License-Identifier: GPL-2.0-or-later
// The mark of a node's service for Pacemaker's rules: an attribute that the node's reboot forgets.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "host/services/probe_verdicts.hpp"
#include "probe_health.hpp"
#include "vpnha/result.hpp"

namespace vpnha::agents {

class ProbeMark {
  public:
    // `name`: the attribute's.
    explicit ProbeMark(std::string name) : name_(std::move(name)) {}

    // On this node. Unknown: there is none.
    [[nodiscard]] Result<void> write(ProbeHealth::Verdict verdict) const;
    // Of all nodes that have one; none as well when Pacemaker does not answer.
    [[nodiscard]] std::vector<ProbeHealth::Verdict> all() const;

  private:
    std::string name_;
};

}  // namespace vpnha::agents
