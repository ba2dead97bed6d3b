// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/call_watch.hpp"

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <utility>

#include "base/limits.hpp"
#include "host/os/log.hpp"

namespace vpnha::adapters {

namespace {

using namespace std::chrono_literals;

// A packet that has left the gate is in the capture by then.
constexpr Duration kInFlight = 2ms;
constexpr Duration kReopenPause = 1s;
// Per call; the rungs of a successor's ladder are so far apart.
constexpr std::uint32_t kUnreadMax = 512;
// Of 64 KiB; some 400 packets of 1.5 us each. The loop has other work to do.
constexpr std::size_t kBlocksOfATurn = 4;
// The whole ring; once, before numbers are declared final.
constexpr std::size_t kBlocksOfAll = 64;

}  // namespace

CallWatch::CallWatch(QbLoop& loop, const Timers& timers, Listener listener)
    : loop_(loop), timers_(timers), listener_(std::move(listener)) {}

CallWatch::~CallWatch() {
    for (auto& [gateway, place] : places_) {
        close(gateway, place);
    }
    for (const int timer : {timers_.notify, timers_.settle, timers_.reopen}) {
        loop_.cancel_timer(timer);
    }
}

void CallWatch::watch(GatewayId gateway, const std::string& device, Ipv4Address vip) {
    unwatch(gateway);
    open(gateway, places_.try_emplace(gateway, device, vip).first->second);
}

void CallWatch::unwatch(GatewayId gateway) {
    if (const auto found = places_.find(gateway); found != places_.end()) {
        close(gateway, found->second);
        places_.erase(found);
    }
}

void CallWatch::open(GatewayId gateway, Place& place) {
    const unsigned index = ::if_nametoindex(place.device.c_str());
    Result<PacketRing> ring = index == 0
                                  ? fail(Errc::not_found, "no such device")
                                  : PacketRing::open(static_cast<int>(index), place.observer.vip());
    if (ring) {
        place.ring.emplace(std::move(*ring));
        if (loop_.watch(place.ring->fd(), [this, gateway] { on_readable(gateway); })) {
            place.has_failed = false;
            return;
        }
        place.ring.reset();
    }
    if (!std::exchange(place.has_failed, true)) {
        write_log(LogLevel::warning,
                  fmt::format("PPTP calls by {} cannot be watched, and do not survive this node: "
                              "{}",
                              place.device, ring ? "no room in the loop" : ring.error().detail));
    }
    loop_.set_timer(timers_.reopen, QbLoop::now() + kReopenPause, [this] { reopen(); });
}

void CallWatch::close(GatewayId gateway, Place& place) {
    if (!place.ring) {
        return;
    }
    loop_.unwatch(place.ring->fd());
    place.ring.reset();
    for (Waiting& each : waiting_) {
        if (each.gateway == gateway) {
            each.blocks = 0;
            settle_at(QbLoop::now());
        }
    }
}

void CallWatch::reopen() {
    for (auto& [gateway, place] : places_) {
        if (!place.ring) {
            open(gateway, place);
        }
    }
}

void CallWatch::on_readable(GatewayId gateway) {
    const auto found = places_.find(gateway);
    if (found == places_.end() || !found->second.ring) {
        return;
    }
    Place& place = found->second;
    if (place.ring->take_failure()) {
        close(gateway, place);
        loop_.set_timer(timers_.reopen, QbLoop::now() + kReopenPause, [this] { reopen(); });
        return;
    }
    const bool end_meant = read(gateway, place, kBlocksOfATurn);
    if (end_meant || place.observer.sent_unread() >= kUnreadMax) {
        notify(gateway, place);
    } else {
        notify_later();
    }
    settle_due();
}

bool CallWatch::read(GatewayId gateway, Place& place, std::size_t blocks_max) {
    std::vector<std::pair<Ipv4Endpoint, bool>> ends;
    bool end_meant = false;
    const TimePoint now = QbLoop::now();
    const std::uint64_t evicted = place.observer.evicted();
    const bool all = place.ring->read(
        [&](ByteView bytes, Way way) {
            const auto packet = parse_observed(bytes);
            if (!packet) {
                return;
            }
            const CallObserver::Noted noted = place.observer.on_packet(*packet, way, now);
            if (noted.news != CallObserver::News::none) {
                ends.emplace_back(noted.peer, noted.news == CallObserver::News::end_meant);
                end_meant = end_meant || ends.back().second;
            }
        },
        blocks_max);
    if (all) {
        lost_ += place.ring->take_lost();
    }
    evicted_ += place.observer.evicted() - evicted;
    if (place.observer.evicted() != evicted && evictions_logged_.take(now)) {
        write_log(LogLevel::warning,
                  fmt::format("more control connections of PPTP begin than are followed: of {} at "
                              "{} the oldest without a call are forgotten event=pptp-evicted",
                              place.observer.connections(), to_string(place.observer.vip())));
    }
    for (const auto& [peer, meant] : ends) {
        listener_.on_end(gateway, peer, meant);
    }
    return end_meant;
}

void CallWatch::notify(GatewayId gateway, Place& place) {
    const std::vector<pptp::CallState> changed = place.observer.take_changed(QbLoop::now());
    if (!changed.empty()) {
        listener_.on_numbers(gateway, changed);
    }
}

void CallWatch::notify_later() {
    if (std::exchange(notifying_, true)) {
        return;
    }
    loop_.set_timer(timers_.notify, QbLoop::now() + limits::kGatherPause, [this] {
        notifying_ = false;
        std::vector<GatewayId> gateways;
        for (const auto& [gateway, place] : places_) {
            gateways.push_back(gateway);
        }
        // The listener may unwatch a gateway.
        for (const GatewayId gateway : gateways) {
            if (const auto found = places_.find(gateway); found != places_.end()) {
                notify(gateway, found->second);
            }
        }
    });
}

std::optional<pptp::TcpOptions> CallWatch::options_of(GatewayId gateway,
                                                      const Ipv4Endpoint& peer) const {
    const auto found = places_.find(gateway);
    return found == places_.end() ? std::nullopt : found->second.observer.options_of(peer);
}

pptp::CallNumbers CallWatch::follow(GatewayId gateway, const pptp::CallKey& key) {
    const auto found = places_.find(gateway);
    if (found == places_.end()) {
        return {};
    }
    found->second.observer.follow(key);
    notify_later();
    return found->second.observer.numbers_of(key, QbLoop::now());
}

void CallWatch::forget(GatewayId gateway, const pptp::CallKey& key) {
    if (const auto found = places_.find(gateway); found != places_.end()) {
        found->second.observer.forget(key, QbLoop::now());
    }
}

void CallWatch::settle(GatewayId gateway, OnSettled done) {
    const TimePoint from = QbLoop::now() + kInFlight;
    waiting_.push_back({from, gateway, std::move(done), {}});
    settle_next();
}

bool CallWatch::has_settled(Waiting& waiting, TimePoint now) {
    const auto found = places_.find(waiting.gateway);
    if (found == places_.end() || !found->second.ring || waiting.blocks == 0U) {
        return true;
    }
    if (now < waiting.from) {
        return false;
    }
    const PacketRing& ring = *found->second.ring;
    if (!waiting.blocks) {
        static_cast<void>(read(waiting.gateway, found->second, kBlocksOfAll));
        waiting.blocks = ring.blocks_captured();
    }
    return ring.blocks_read() >= *waiting.blocks;
}

void CallWatch::settle_due() {
    const TimePoint now = QbLoop::now();
    for (std::size_t at = 0; at < waiting_.size();) {
        if (!has_settled(waiting_[at], now)) {
            ++at;
            continue;
        }
        const Waiting due = std::move(waiting_[at]);
        waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(at));
        std::vector<pptp::CallState> states;
        if (const auto found = places_.find(due.gateway); found != places_.end()) {
            states = found->second.observer.all(now);
        }
        due.done(states);
    }
    settle_next();
}

// The end of a block that the kernel has begun wakes the loop up.
void CallWatch::settle_next() {
    const auto next = std::find_if(waiting_.begin(), waiting_.end(),
                                   [](const Waiting& each) { return !each.blocks; });
    if (next != waiting_.end()) {
        settle_at(next->from);
    }
}

void CallWatch::settle_at(TimePoint at) {
    loop_.set_timer(timers_.settle, at, [this] { settle_due(); });
}

}  // namespace vpnha::adapters
