// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/views/session_walks.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace vpnha::runtime {

namespace {

// Between two readings of the clock: 1 ms at most.
constexpr std::size_t kSessionsAtOnce = 32;

}  // namespace

void SessionWalks::add(SessionWalk walk) {
    walks_.push_back({std::move(walk)});
    if (walks_.size() == 1) {
        run_slice();
    }
}

SessionWalks::Walks::iterator SessionWalks::next() {
    const auto roots =
        std::ranges::find_if(walks_, [](const Walk& walk) { return walk.wanted.is_roots; });
    return roots == walks_.end() ? walks_.begin() : roots;
}

void SessionWalks::run_slice() {
    std::erase_if(walks_, [](const Walk& walk) { return !walk.wanted.is_wanted(); });
    const TimePoint until = loop_.now() + limits::kLoopSlice;
    while (!walks_.empty()) {
        const auto walk = next();
        if (!advance(*walk)) {
            const std::function<void()> on_end = std::move(walk->wanted.on_end);
            walks_.erase(walk);
            on_end();
        }
        if (loop_.now() >= until) {
            break;
        }
    }
    if (!walks_.empty()) {
        loop_.run_at(loop_.now() + limits::kLoopSlice, [this] { run_slice(); });
    }
}

bool SessionWalks::advance(Walk& walk) const {
    const auto gateway =
        walk.through ? node_.gateways().upper_bound(*walk.through) : node_.gateways().begin();
    if (gateway == node_.gateways().end()) {
        return false;
    }
    const std::vector<keepers::SessionView> sessions =
        walk.wanted.only && *walk.wanted.only != gateway->first
            ? std::vector<keepers::SessionView>{}
            : gateway->second.cores().keepers.sessions({walk.after, kSessionsAtOnce});
    for (const keepers::SessionView& session : sessions) {
        if (!walk.wanted.on_session(gateway->second, session)) {
            return false;
        }
    }
    if (sessions.size() < kSessionsAtOnce) {
        walk.through = gateway->first;
        walk.after = {};
    } else {
        walk.after = sessions.back().record;
    }
    return true;
}

}  // namespace vpnha::runtime
