// SPDX-License-Identifier: GPL-2.0-or-later
// The versions that this node's kernel does not have: those being installed, and those that are
// missing. Pure. A confirmation covers all below the first one of the former, and names the latter.
#pragma once

#include <cstdint>
#include <set>

#include "cluster/replica/store.hpp"
#include "cluster/replica/version_queue.hpp"

namespace vpnha::replica {

class KernelState {
  public:
    // For an installation; a higher one than all before.
    [[nodiscard]] std::uint64_t next_ticket() { return ++last_ticket_; }

    // Takes over the record's version and hold after a change.
    void note(const wire::RecordKey& key, const StoredRecord& record, bool promoted);
    // Called before a change.
    void unnote(const StoredRecord& record);
    void clear() {
        installing_.clear();
        installing_sessions_.clear();
        missing_.clear();
    }
    void clear_missing() { missing_.clear(); }

    [[nodiscard]] const VersionQueue& installing() const { return installing_; }
    [[nodiscard]] const VersionQueue& installing_sessions() const { return installing_sessions_; }
    // Only sessions and counters; a full table of flows makes no session worth less.
    [[nodiscard]] const std::set<wire::Version>& missing() const { return missing_; }

  private:
    std::uint64_t last_ticket_ = 0;
    VersionQueue installing_;
    VersionQueue installing_sessions_;
    std::set<wire::Version> missing_;
};

}  // namespace vpnha::replica
