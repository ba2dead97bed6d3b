// SPDX-License-Identifier: GPL-2.0-or-later
// Passes the promotion scores to Pacemaker, by crm_attribute --promotion: the attribute's tools are
// its only stable interface. The loop never waits for it. Only the newest of several scores for one
// resource is written, and a failed write is tried again each second; a failure is logged once.
//
// When rings break and heal within seconds, a coordinator that was cut off deletes scores of
// returned nodes from the CIB, late. pacemaker-attrd of Pacemaker 2.1 considers them written, and
// no node would be promoted at the next failure. So a node that joins a group at least as large as
// its own has attrd write all of them again a while later. Values that the CIB has already change
// nothing there, but cost a busy node a quarter of a second: if only vpnhad has died, and was
// restarted, nothing is written anew.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "daemon/pacemaker/pacemaker_tools.hpp"
#include "host/os/qb_loop.hpp"

namespace vpnha::runtime {

class ScoreWriter {
  public:
    // `is_restart`: an earlier vpnhad of this boot was a member; the node itself did not join.
    ScoreWriter(adapters::QbLoop& loop, bool is_restart)
        : loop_(loop), was_here_(is_restart), tools_(loop) {}

    void write(const std::string& resource, int score);
    // Calls back once each score was written or has failed to be; at once when there is none.
    void after_attempts(std::function<void()> callback);
    void on_members(const std::set<NodeId>& members);

  private:
    void start_next();
    void on_ended(const std::string& resource, int score, const Result<void>& result);
    void notify_waiting();

    adapters::QbLoop& loop_;
    std::map<std::string, int> wanted_;
    std::set<NodeId> members_;
    bool was_here_;
    bool running_ = false;
    std::string failure_;  // Of the last attempt; empty: it succeeded.
    PacemakerTools tools_;
    std::vector<std::function<void()>> waiting_;
};

}  // namespace vpnha::runtime
