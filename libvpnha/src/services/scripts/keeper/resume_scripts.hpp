// SPDX-License-Identifier: GPL-2.0-or-later
// The sessions of a family for which pppd's scripts have run on this node, which has resumed them.
// Pure.
//
//   the session …                        | its scripts
//   -------------------------------------+-------------------------------------------------------
//   is resumed, after a takeover         | ip-up, ipv6-up
//   is paused, without a lease           | none: it is still this node's
//   continues                            | none
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
    // `gateway` must outlive it. Not `on`: it runs no scripts.
    ResumeScripts(const Gateway& gateway, bool on) : gateway_(gateway), on_(on) {}

    // No effect if they have run.
    void up(const wire::RecordKey& session, node::ScriptFacts facts, Effects& effects);
    // No effect if they have not run.
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
