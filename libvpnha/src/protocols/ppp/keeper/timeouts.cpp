// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/keeper/timeouts.hpp"

#include <algorithm>
#include <utility>

namespace vpnha::keepers {

namespace {

using std::chrono::seconds;

std::string_view reason_of(EndCause cause) {
    return cause == EndCause::idle_timeout ? "its Idle-Timeout is over"
                                           : "its Session-Timeout is over";
}

}  // namespace

void Timeouts::watch(const Session& session, TimePoint now) {
    if (session.timeouts == ppp::Timeouts{}) {
        return forget(session.record);
    }
    sessions_[session.record] = {session, {}, now, {}, {}};
    ask_at_ = now;
}

void Timeouts::look_at_idleness(Watched& watched, const Traffic* counted, TimePoint now) {
    // A device that is not found may have carried anything.
    if (counted == nullptr || watched.counted != *counted) {
        watched.active_at = now;
    }
    watched.counted = counted == nullptr ? std::nullopt : std::optional(*counted);
    const seconds limit(watched.session.timeouts.idle_s);
    if (limit != seconds(0) && now - watched.active_at >= limit) {
        watched.ends_at = now;
        watched.cause = EndCause::idle_timeout;
    }
}

void Timeouts::handle(const node::TrafficRead& read, TimePoint now) {
    if (!std::exchange(is_awaited_, false)) {
        return;
    }
    std::map<Ipv4Address, const Traffic*> counted;
    for (const node::DeviceTraffic& device : read.devices) {
        counted.emplace(device.client, &device.traffic);
    }
    next_end_.reset();
    for (auto& [record, watched] : sessions_) {
        const Session& session = watched.session;
        watched.ends_at.reset();
        if (session.timeouts.session_s != 0) {
            watched.ends_at = session.began + seconds(session.timeouts.session_s);
            watched.cause = EndCause::session_timeout;
        }
        const auto found = counted.find(session.client);
        look_at_idleness(watched, found == counted.end() ? nullptr : found->second, now);
        // Ensures that the reading that finds it idle does not come a moment too soon.
        const TimePoint idle_at = watched.active_at + seconds(session.timeouts.idle_s);
        if (session.timeouts.idle_s != 0 && idle_at > now) {
            ask_at_ = std::min(ask_at_, idle_at);
        }
        next_end_ = earliest(next_end_, watched.ends_at);
    }
}

std::vector<Timeouts::Due> Timeouts::take_due(TimePoint now) {
    std::vector<Due> due;
    if (!next_end_ || now < *next_end_) {
        return due;
    }
    next_end_.reset();
    for (auto at = sessions_.begin(); at != sessions_.end();) {
        const Watched& watched = at->second;
        if (watched.ends_at && *watched.ends_at <= now && due.size() < kPerTurn) {
            due.push_back({at->first, watched.cause, reason_of(watched.cause)});
            at = sessions_.erase(at);
        } else {
            next_end_ = earliest(next_end_, watched.ends_at);
            ++at;
        }
    }
    return due;
}

void Timeouts::ask(GatewayId gateway, TimePoint now, effects::Effects& effects) {
    if (!sessions_.empty() && ask_at_ <= now) {
        ask_at_ = now + kPause;
        is_awaited_ = true;  // The next reading, whoever requested it.
        effects.emplace_back(node::ReadTraffic{gateway, 0});
    }
}

std::optional<TimePoint> Timeouts::next_deadline() const {
    return sessions_.empty() ? std::nullopt : earliest(ask_at_, next_end_);
}

}  // namespace vpnha::keepers
