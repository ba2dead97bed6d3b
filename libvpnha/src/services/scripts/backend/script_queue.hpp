// SPDX-License-Identifier: GPL-2.0-or-later
// The order in which scripts of resumed sessions run. Pure.
//
// Each session has a target state, up or down, and the scripts that have run for it:
//
//   target \ done | nothing   | ip-up              | ip-up, ipv6-up
//   --------------+-----------+--------------------+----------------
//   up            | ip-up     | ipv6-up, if it has | –
//                 |           | IPv6CP             |
//   down          | forgotten | ip-down            | ipv6-down
//
// So the scripts of one session never run at the same time, and changes while they wait are
// skipped. A script that failed, or was killed, counts as done: it may have done half of its work.
// A session that comes up anew with other facts, such as another interface, goes down with the old
// ones first. Sessions that go down have their turn first: a new session may get their address.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "services/scripts/backend/script_runner.hpp"
#include "services/scripts/work.hpp"

namespace vpnha::runtime {

class ScriptQueue {
  public:
    struct Subject {
        std::string interface;
        node::ScriptFacts facts;
        friend bool operator==(const Subject&, const Subject&) = default;
    };
    struct Next {
        wire::RecordKey session;
        adapters::ScriptCall call;
    };

    // False: too many are waiting. None of its scripts run.
    [[nodiscard]] bool up(const wire::RecordKey& session, Subject subject);
    void down(const wire::RecordKey& session);
    // The same, if its pppd has run its scripts.
    [[nodiscard]] bool stock_down(const wire::RecordKey& session, Subject subject);

    // It runs from now on, until finish(). nullopt: none is due, or the maximum is running.
    [[nodiscard]] std::optional<Next> take();
    void finish(const wire::RecordKey& session);

    // Sessions with scripts that are due or running.
    [[nodiscard]] std::size_t busy() const;
    [[nodiscard]] std::size_t waiting() const { return downs_.size() + ups_.size(); }

  private:
    struct Entry {
        std::optional<Subject> wanted;  // nullopt: down.
        Subject done_with;              // The facts with which `ip` and `ipv6` were done.
        bool ip = false;
        bool ipv6 = false;
        bool is_running = false;
        bool is_queued = false;
    };
    using Entries = std::map<wire::RecordKey, Entry>;

    // The session's, an empty one if it is new; nullptr: too many are waiting.
    [[nodiscard]] Entry* entry_of(const wire::RecordKey& session);
    [[nodiscard]] static std::optional<adapters::Script> next_of(const Entry& entry);
    void follow(Entries::iterator at);

    Entries entries_;
    std::deque<wire::RecordKey> downs_;
    std::deque<wire::RecordKey> ups_;
    std::size_t running_ = 0;
};

}  // namespace vpnha::runtime
