// SPDX-License-Identifier: GPL-2.0-or-later
// What keeps this node from continuing with all sessions were it promoted: records that it cannot
// apply, stock services of its last promotion that have not ended, a set-up that differs, routing
// that is somebody else's, a clock that is wrong. Pure.
//
//   services \ event | reset failed          | reset succeeded | it is time
//   -----------------+-----------------------+-----------------+----------------
//   ended            | not ended, again soon | -               | -
//   not ended        | again soon            | ended           | reset once more
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "cluster/replica/replica.hpp"

namespace vpnha::node {

class Blockers {
  public:
    // The step reset_services has run. True: what had not ended has ended at last.
    bool on_services_reset(bool succeeded, TimePoint now);
    // True: the services are to be reset now, outside of a release. To be asked when standby.
    bool reset_again(TimePoint now);
    [[nodiscard]] bool resetting() const { return resetting_; }
    // True: the reset that has run was such a one.
    bool end_resetting() { return std::exchange(resetting_, false); }
    [[nodiscard]] std::optional<TimePoint> next_reset() const { return reset_again_at_; }

    // The disk takes what the lease must remember. Where it does not this node is granted nothing.
    void set_saves(bool saves) { saves_ = saves; }
    // Items in which this node's set-up differs from the promoted node's so that sessions would not
    // continue; none: equal, or nobody is promoted.
    void set_differences(std::vector<std::string> items) { differences_ = std::move(items); }
    // What of the gateway's routing on this node is somebody else's, in words.
    void set_routing(std::vector<std::string> conflicts) { routing_ = std::move(conflicts); }
    // An agent has stopped the gateway, and its records are kept.
    void set_stopped(bool stopped) { stopped_ = stopped; }
    // How this node's clock differs from that of the node that serves; empty: not by much. It keeps
    // nothing from continuing, so it lowers the score alone.
    void set_clock(std::string difference) { clock_ = std::move(difference); }
    [[nodiscard]] const std::string& clock() const { return clock_; }
    // The gateway is detached.
    void clear();

    // The replica's level, lowered by what there is.
    [[nodiscard]] wire::Level standing(const replica::Replica& replica) const;
    // In words for the operator; empty: there are none.
    [[nodiscard]] std::vector<std::string> list(const replica::Replica& replica) const;

  private:
    bool unreset_ = false;  // What runs would speak through the gate of the next promotion.
    bool resetting_ = false;
    bool saves_ = true;
    bool stopped_ = false;
    std::optional<TimePoint> reset_again_at_;
    std::vector<std::string> differences_;
    std::vector<std::string> routing_;
    std::string clock_;
};

}  // namespace vpnha::node
