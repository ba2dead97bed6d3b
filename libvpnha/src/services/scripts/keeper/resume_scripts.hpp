// SPDX-License-Identifier: GPL-2.0-or-later
// For which sessions of a family pppd's scripts have run on this node, which has resumed them.
// Pure.
//
//   the session …                        | its scripts
//   -------------------------------------+-------------------------------------------------------
//   speaks, after a takeover             | ip-up, ipv6-up
//   is paused, for want of a lease       | none: it is still this node's
//   speaks again                         | none
//   ends, or is another node's from now  | ipv6-down, ip-down
//   is stock                             | pppd's own
//   was stock, and is another node's now | ipv6-down, ip-down: its pppd is killed by the demotion
//   is hot                               | none
#pragma once

#include <set>
#include <string>

#include "protocols/keeper.hpp"
#include "services/scripts/work.hpp"

namespace vpnha::keepers {

class ResumeScripts {
  public:
    // `gateway` must outlive it. Not `on`: it wants nothing.
    ResumeScripts(const Gateway& gateway, bool on) : gateway_(gateway), on_(on) {}

    // Nothing, when they have run.
    void up(const wire::RecordKey& session, node::ScriptFacts facts, Effects& effects);
    // Nothing, when they have not run.
    void down(const wire::RecordKey& session, Effects& effects);
    void down_all(Effects& effects);
    // `interface`: pppd's.
    void stock_down(const wire::RecordKey& session, node::ScriptFacts facts, std::string interface,
                    Effects& effects) const;

  private:
    const Gateway& gateway_;
    bool on_;
    std::set<wire::RecordKey> up_;
};

}  // namespace vpnha::keepers
