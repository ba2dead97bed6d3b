// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/scripts/backend/script_queue.hpp"

#include <utility>

#include "base/assert.hpp"
#include "base/limits.hpp"

namespace vpnha::runtime {

using adapters::Script;

ScriptQueue::Entry* ScriptQueue::entry_of(const wire::RecordKey& session) {
    const auto known = entries_.find(session);
    if (known != entries_.end()) {
        return &known->second;
    }
    return entries_.size() < limits::kScriptedSessionsMax ? &entries_[session] : nullptr;
}

bool ScriptQueue::up(const wire::RecordKey& session, Subject subject) {
    Entry* const entry = entry_of(session);
    if (entry == nullptr) {
        return false;
    }
    entry->wanted = std::move(subject);
    follow(entries_.find(session));
    return true;
}

bool ScriptQueue::stock_down(const wire::RecordKey& session, Subject subject) {
    Entry* const entry = entry_of(session);
    if (entry == nullptr) {
        return false;
    }
    // If no script has run for it here, its pppd has run them.
    if (!entry->ip && !entry->ipv6 && !entry->is_running) {
        entry->ip = true;
        entry->ipv6 = subject.facts.ipv6.has_value();
        entry->done_with = std::move(subject);
    }
    entry->wanted.reset();
    follow(entries_.find(session));
    return true;
}

void ScriptQueue::down(const wire::RecordKey& session) {
    if (const auto at = entries_.find(session); at != entries_.end()) {
        at->second.wanted.reset();
        follow(at);
    }
}

std::optional<Script> ScriptQueue::next_of(const Entry& entry) {
    const bool is_up = entry.ip || entry.ipv6;
    if (entry.wanted && (!is_up || *entry.wanted == entry.done_with)) {
        if (!entry.ip) {
            return Script::ip_up;
        }
        return entry.wanted->facts.ipv6 && !entry.ipv6 ? std::optional(Script::ipv6_up)
                                                       : std::nullopt;
    }
    return entry.ipv6 ? std::optional(Script::ipv6_down)
           : entry.ip ? std::optional(Script::ip_down)
                      : std::nullopt;
}

// Keeps its place in the queue; the script to run is chosen when its turn comes.
void ScriptQueue::follow(Entries::iterator at) {
    Entry& entry = at->second;
    if (entry.is_running || entry.is_queued) {
        return;
    }
    if (const auto next = next_of(entry)) {
        const bool is_down = *next == Script::ip_down || *next == Script::ipv6_down;
        (is_down ? downs_ : ups_).push_back(at->first);
        entry.is_queued = true;
    } else if (!entry.wanted) {
        entries_.erase(at);
    }
}

std::optional<ScriptQueue::Next> ScriptQueue::take() {
    while (running_ < limits::kScriptsAtOnce && waiting() != 0) {
        std::deque<wire::RecordKey>& queue = downs_.empty() ? ups_ : downs_;
        const wire::RecordKey session = queue.front();
        queue.pop_front();
        const auto at = entries_.find(session);
        VPNHA_ASSERT(at != entries_.end());
        Entry& entry = at->second;
        entry.is_queued = false;
        const auto next = next_of(entry);
        if (!next) {
            follow(at);
            continue;
        }
        if (!entry.ip && !entry.ipv6) {
            entry.done_with = *entry.wanted;
        }
        switch (*next) {
            case Script::ip_up:
                entry.ip = true;
                break;
            case Script::ip_down:
                entry.ip = false;
                break;
            case Script::ipv6_up:
                entry.ipv6 = true;
                break;
            case Script::ipv6_down:
                entry.ipv6 = false;
                break;
        }
        entry.is_running = true;
        ++running_;
        return Next{session, {*next, entry.done_with.interface, entry.done_with.facts}};
    }
    return std::nullopt;
}

void ScriptQueue::finish(const wire::RecordKey& session) {
    const auto at = entries_.find(session);
    VPNHA_ASSERT(at != entries_.end() && at->second.is_running);
    at->second.is_running = false;
    --running_;
    follow(at);
}

std::size_t ScriptQueue::busy() const {
    return running_ + waiting();
}

}  // namespace vpnha::runtime
