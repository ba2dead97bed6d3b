// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/path_worker.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "host/os/boot_clock.hpp"

namespace vpnha::adapters {

namespace {

using namespace std::chrono_literals;

// After so many packets of a call its numbers are reported at once, otherwise each 100 ms.
constexpr std::size_t kPacketsMax = 512;
constexpr Duration kNotifyPause = 100ms;
// Keys of one call that are made between two checks of the sockets: 1 ms.
constexpr std::size_t kKeysAtOnce = 500;
constexpr Duration kEndWait = 1s;
constexpr int kSourceBits = 8;

}  // namespace

Result<std::unique_ptr<PathWorker>> PathWorker::create(UniqueFd socket) {
    UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll) {
        return tl::unexpected(system_error("epoll_create1", errno));
    }
    std::unique_ptr<PathWorker> worker(new PathWorker(std::move(epoll), std::move(socket)));
    VPNHA_CHECK(worker->watch(worker->socket_.fd(), Source::orders, 0));
    return worker;
}

Result<void> PathWorker::watch(int fd, Source source, std::uint64_t number) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = number << kSourceBits | static_cast<std::uint64_t>(source);
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        return tl::unexpected(system_error("watch a descriptor of a call", errno));
    }
    return {};
}

Result<void> PathWorker::report(const PathReady& ready) {
    notify(ready);
    return send_reports();
}

Result<void> PathWorker::run() {
    for (;;) {
        VPNHA_CHECK(turn());
    }
}

int PathWorker::wait_ms(TimePoint now) const {
    if (!behind_.empty()) {
        return 0;
    }
    std::optional<TimePoint> at;
    if (!due_.empty()) {
        at = due_.begin()->first;
    }
    if (!changed_.empty()) {
        at = earliest(at, notify_at_);
    }
    if (!at) {
        return -1;
    }
    return static_cast<int>(
        std::chrono::ceil<std::chrono::milliseconds>(std::max(*at - now, Duration::zero()))
            .count());
}

Result<void> PathWorker::turn() {
    std::array<epoll_event, 64> events;
    const int ready = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   wait_ms(boot_time()));
    const TimePoint now = boot_time();
    bool has_orders = false;
    for (int i = 0; i < ready; ++i) {
        const std::uint64_t data = events[static_cast<std::size_t>(i)].data.u64;
        const auto source = static_cast<Source>(data & ((1U << kSourceBits) - 1));
        if (source == Source::orders) {
            has_orders = true;
        } else {
            on_ready(source, data >> kSourceBits, now);
        }
    }
    if (has_orders) {
        VPNHA_CHECK(do_orders(now));
    }
    on_deadlines(now);
    make_keys();
    for (auto& [address, vip] : vips_) {
        vip.sockets.gre.flush();
    }
    report_numbers(now);
    return send_reports();
}

Result<void> PathWorker::send_reports() {
    for (const PathReport& report : std::exchange(reports_, {})) {
        VPNHA_CHECK(socket_.post(encode_report(report)));
    }
    VPNHA_CHECK(socket_.flush());
    if (const bool is_full = socket_.waiting() > 0; is_full != is_full_) {
        is_full_ = is_full;
        epoll_event event{};
        event.events = EPOLLIN | (is_full ? EPOLLOUT : 0U);
        event.data.u64 = static_cast<std::uint64_t>(Source::orders);
        if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, socket_.fd(), &event) != 0) {
            return tl::unexpected(system_error("watch vpnhad's socket", errno));
        }
    }
    return {};
}

void PathWorker::on_ready(Source source, std::uint64_t number, TimePoint now) {
    if (source == Source::gre || source == Source::probe) {
        Vip& vip = vips_.at(Ipv4Address{static_cast<std::uint32_t>(number)});
        source == Source::gre ? on_gre(vip, now) : on_segments(vip, now);
        return;
    }
    const auto found = calls_.find(number);
    if (found == calls_.end()) {
        return;
    }
    if (source == Source::device) {
        found->second.call->read_device(room_, now);
    } else {
        found->second.call->read_control(room_, now);
    }
    follow(number, now);
}

void PathWorker::on_gre(Vip& vip, TimePoint now) {
    vip.sockets.gre.receive([&](Ipv4Address from, ByteView packet) {
        const Result<pptp::GrePacket> gre = pptp::parse_gre(packet);
        const auto found = gre ? vip.live.find({from, gre->call}) : vip.live.end();
        if (found != vip.live.end()) {
            const Number number = found->second;
            calls_.at(number).call->on_gre(packet, now);
            follow(number, now);
        }
    });
}

void PathWorker::on_segments(Vip& vip, TimePoint now) {
    vip.sockets.probe.receive(
        [&](const Ipv4Endpoint& local, const Ipv4Endpoint& peer, const pptp::PeerSegment& segment) {
            // A connection has only one call in practice.
            const auto found = std::ranges::find_if(vip.probing, [&](Number number) {
                const pptp::CallKey& key = calls_.at(number).call->key();
                return key.local == local && key.peer == peer;
            });
            if (found != vip.probing.end()) {
                const Number number = *found;
                calls_.at(number).call->on_segment(segment, now);
                follow(number, now);
            }
        });
}

void PathWorker::on_deadlines(TimePoint now) {
    while (!due_.empty() && due_.begin()->first <= now) {
        const Number number = due_.begin()->second;
        due_.erase(due_.begin());
        Entry& entry = calls_.at(number);
        entry.due.reset();
        if (entry.ends_at) {
            finish(number);
        } else {
            entry.call->on_time(now);
            follow(number, now);
        }
    }
}

void PathWorker::make_keys() {
    for (auto next = behind_.begin(); next != behind_.end();) {
        Entry& entry = calls_.at(*next);
        if (!entry.call->catch_up(kKeysAtOnce)) {
            ++next;
            continue;
        }
        const Number number = *next;
        next = behind_.erase(next);
        follow_watches(number, entry);
        if (std::exchange(entry.is_preparing, false)) {
            notify(CallIsPrepared{number});
        }
    }
}

void PathWorker::follow(Number number, TimePoint now) {
    Entry& entry = calls_.at(number);
    if (entry.ends_at) {
        return;
    }
    bool resumed = false;
    if (const auto how = entry.call->take_resumed()) {
        notify(CallIsResumed{number, *how});
        resumed = true;
    }
    if (entry.call->end_reason()) {
        be_over(number, entry, now);
        return;
    }
    follow_watches(number, entry);
    arm(number, entry, entry.call->next_deadline());
    if (entry.call->wants_keys()) {
        behind_.insert(number);
    }
    if (!std::exchange(entry.changed, true)) {
        notify_at_ = changed_.empty() ? now + kNotifyPause : notify_at_;
        changed_.push_back(number);
    }
    // Its indexes have jumped: a successor with older numbers may use them again.
    notify_at_ = resumed ? now : notify_at_;
    if (entry.call->packets() >= kPacketsMax) {
        entry.call->forget_packets();
        notify_each(entry.call->gateway(), 0, {{number, entry.call->numbers(now)}});
    }
}

void PathWorker::follow_watches(Number number, Entry& entry) {
    const PathCall& call = *entry.call;
    const bool is_live = call.is_live();
    if (const bool wanted = call.takes_packets(); wanted != entry.device_watched) {
        entry.device_watched = wanted;
        if (!wanted) {
            ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, call.device_fd(), nullptr);
        } else if (!watch(call.device_fd(), Source::device, number)) {
            entry.device_watched = false;  // With the next packet again.
        }
    }
    const int control = is_live ? call.control_fd() : -1;
    if (control != entry.control_watched) {
        if (entry.control_watched >= 0) {
            // It is open in vpnhad, too: closing it would not end the events.
            ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, entry.control_watched, nullptr);
        }
        entry.control_watched =
            control >= 0 && watch(control, Source::control, number) ? control : -1;
    }
    const GreKey gre{call.key().peer.address, call.key().id};
    const bool was_deaf = entry.vip->live.empty();
    if (is_live) {
        entry.vip->live.insert_or_assign(gre, number);
    } else if (const auto found = entry.vip->live.find(gre);
               found != entry.vip->live.end() && found->second == number) {
        entry.vip->live.erase(found);
    }
    if (was_deaf != entry.vip->live.empty()) {
        static_cast<void>(entry.vip->sockets.gre.set_receiving(was_deaf));
    }
    const bool was_still = entry.vip->probing.empty();
    if (is_live && !call.has_connection()) {
        entry.vip->probing.insert(number);
    } else {
        entry.vip->probing.erase(number);
    }
    if (was_still != entry.vip->probing.empty()) {
        static_cast<void>(entry.vip->sockets.probe.set_receiving(was_still));
    }
}

void PathWorker::arm(Number number, Entry& entry, std::optional<TimePoint> at) {
    // A deadline that moves back costs one early check, which is cheaper than moving it each time.
    if (!at || (entry.due && *entry.due <= *at)) {
        return;
    }
    if (entry.due) {
        due_.erase({*entry.due, number});
    }
    entry.due = at;
    due_.insert({*at, number});
}

void PathWorker::be_over(Number number, Entry& entry, TimePoint now) {
    follow_watches(number, entry);
    behind_.erase(number);
    if (!entry.call->has_connection()) {
        finish(number);
        return;
    }
    entry.ends_at = now + kEndWait;
    arm(number, entry, entry.ends_at);
    notify(CallMeansToEnd{number});
}

void PathWorker::finish(Number number) {
    const PathCall& call = *calls_.at(number).call;
    const CallHasEnded ended{number, call.end_reason().value_or(""), call.end_cause()};
    remove(number);
    notify(ended);
}

void PathWorker::remove(Number number) {
    Entry& entry = calls_.at(number);
    if (entry.call->is_live()) {
        entry.call->pause(boot_time());
        follow_watches(number, entry);
    }
    if (entry.due) {
        due_.erase({*entry.due, number});
    }
    behind_.erase(number);
    std::erase(changed_, number);
    calls_.erase(number);
}

void PathWorker::report_numbers(TimePoint now) {
    if (changed_.empty() || now < notify_at_) {
        return;
    }
    std::map<GatewayId, std::vector<NumbersOfCall>> notified;
    for (const Number number : std::exchange(changed_, {})) {
        Entry& entry = calls_.at(number);
        entry.changed = false;
        entry.call->forget_packets();
        if (entry.call->is_running()) {
            notified[entry.call->gateway()].push_back({number, entry.call->numbers(now)});
        }
    }
    for (auto& [gateway, calls] : notified) {
        notify_each(gateway, 0, std::move(calls));
    }
}

void PathWorker::notify_each(GatewayId gateway, std::uint64_t ticket,
                             std::vector<NumbersOfCall> calls) {
    std::size_t begin = 0;
    do {
        const std::size_t end = std::min(calls.size(), begin + kPathCallsMax);
        notify(PathNumbersRead{gateway,
                               ticket,
                               end == calls.size(),
                               {calls.begin() + static_cast<std::ptrdiff_t>(begin),
                                calls.begin() + static_cast<std::ptrdiff_t>(end)}});
        begin = end;
    } while (begin < calls.size());
}

}  // namespace vpnha::adapters
