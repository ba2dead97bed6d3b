// SPDX-License-Identifier: GPL-2.0-or-later
// Which script of a resumed session runs next. Pure.
//
// Each session has what it is to be, up or down, and what has been done for it:
//
//   to be \ done  | nothing   | ip-up              | ip-up, ipv6-up
//   --------------+-----------+--------------------+----------------
//   up            | ip-up     | ipv6-up, if it has | –
//                 |           | IPv6CP             |
//   down          | forgotten | ip-down            | ipv6-down
//
// So the scripts of one session never run beside one another, and what changes while they wait is
// left out. A script that failed, or was killed, has been done: it may have done half of it. A
// session that comes up anew with other facts, such as another interface, is down with the old ones
// before. Those that go down have their turn first: a new session may get their address.
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
    // The same, where its scripts have been run by its pppd.
    [[nodiscard]] bool stock_down(const wire::RecordKey& session, Subject subject);

    // It runs from now on, until finish(). nullopt: none is due, or as many run as may.
    [[nodiscard]] std::optional<Next> take();
    void finish(const wire::RecordKey& session);

    // Sessions that have still something to be done, or under way.
    [[nodiscard]] std::size_t busy() const;
    [[nodiscard]] std::size_t waiting() const { return downs_.size() + ups_.size(); }

  private:
    struct Entry {
        std::optional<Subject> wanted;  // nullopt: down.
        Subject done_with;              // What `ip` and `ipv6` were done with.
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
