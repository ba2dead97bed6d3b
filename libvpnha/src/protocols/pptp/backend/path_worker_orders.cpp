// SPDX-License-Identifier: GPL-2.0-or-later
// vpnhad's orders to the data path.
#include <utility>

#include "host/os/boot_clock.hpp"
#include "protocols/pptp/backend/path_worker.hpp"

namespace vpnha::adapters {

namespace {

// Between two checks of the sockets: a call takes 10 us to prepare, and to resume.
constexpr std::size_t kOrdersAtOnce = 8;

Result<void> check_descriptors(std::span<const UniqueFd> with, std::size_t wanted) {
    return with.size() == wanted
               ? Result<void>()
               : fail(Errc::malformed, "an order without the descriptors it needs");
}

}  // namespace

Result<void> PathWorker::do_orders(TimePoint now) {
    const auto on_order = [&](ByteView message, std::span<UniqueFd> with) -> Result<void> {
        VPNHA_TRY(const PathOrder order, parse_order(message));
        return std::visit([&](const auto& each) { return take(each, with, now); }, order);
    };
    return socket_.receive(kOrdersAtOnce, on_order);
}

PathWorker::Entry* PathWorker::find(Number number) {
    const auto found = calls_.find(number);
    return found == calls_.end() ? nullptr : &found->second;
}

Result<void> PathWorker::take(const PathVip& order, std::span<UniqueFd> with, TimePoint) {
    VPNHA_CHECK(check_descriptors(with, 2));
    GreSocket gre(std::move(with[0]));
    ProbeSocket probe(std::move(with[1]));
    VPNHA_CHECK(watch(gre.fd(), Source::gre, order.vip.value));
    VPNHA_CHECK(watch(probe.fd(), Source::probe, order.vip.value));
    vips_.emplace(order.vip, Vip{{std::move(gre), std::move(probe)}, {}, {}});
    return {};
}

Result<void> PathWorker::take(const PathPrepare& order, std::span<UniqueFd> with, TimePoint now) {
    VPNHA_CHECK(check_descriptors(with, 1));
    const auto vip = vips_.find(order.record.key.local.address);
    if (vip == vips_.end() || order.keys.has_value() != (order.record.mppe != pptp::Mppe::none)) {
        return fail(Errc::malformed, "a call that cannot be prepared");
    }
    Entry entry;
    entry.call = std::make_unique<PathCall>(
        order, std::move(with[0]), vip->second.sockets,
        [this](PathReport report) { notify(std::move(report)); }, counters_, now);
    entry.vip = &vip->second;
    calls_.emplace(order.call, std::move(entry));
    behind_.insert(order.call);
    return {};
}

Result<void> PathWorker::take(const PathConnected& order, std::span<UniqueFd> with, TimePoint now) {
    Entry* const entry = find(order.call);
    if (order.error.empty()) {
        VPNHA_CHECK(check_descriptors(with, 1));
    }
    if (entry != nullptr) {
        entry->call->on_connected(order.error.empty() ? Result<UniqueFd>(std::move(with[0]))
                                                      : fail(Errc::system, order.error));
        follow(order.call, now);
    }
    return {};
}

void PathWorker::take(const PathNumbers& order, TimePoint now) {
    for (const NumbersOfCall& each : order.calls) {
        if (Entry* const entry = find(each.call)) {
            entry->call->set_numbers(each.numbers, now);
            behind_.insert(each.call);
        }
    }
}

void PathWorker::take(const PathRemove& order, TimePoint) {
    if (find(order.call) != nullptr) {
        remove(order.call);
        notify(CallIsGone{order.call});
    }
}

void PathWorker::take(const PathEnd& order, TimePoint now) {
    Entry* const entry = find(order.call);
    if (entry != nullptr && entry->call->is_live() && !entry->ends_at) {
        entry->call->close(order.reason, order.cause);
        follow(order.call, now);
    }
}

void PathWorker::take(const PathResume& order, TimePoint now) {
    for (const Number number : order.calls) {
        if (Entry* const entry = find(number); entry != nullptr && !entry->ends_at) {
            // The first answers come within microseconds.
            static_cast<void>(entry->vip->sockets.probe.set_receiving(true));
            entry->call->resume(order.exact, order.tenure, now);
            follow(number, now);
        }
    }
}

void PathWorker::take(const PathRelease& order, TimePoint) {
    for (const Number number : order.calls) {
        if (Entry* const entry = find(number)) {
            entry->call->release();
            follow_watches(number, *entry);
        }
    }
}

void PathWorker::take(const PathPause& order, TimePoint now) {
    for (auto& [number, entry] : calls_) {
        if (entry.call->gateway() == order.gateway && entry.call->is_live()) {
            entry.call->pause(now);
            follow_watches(number, entry);
        }
    }
}

void PathWorker::take(const PathRead& order, TimePoint now) {
    std::vector<NumbersOfCall> calls;
    for (const auto& [number, entry] : calls_) {
        if (entry.call->gateway() == order.gateway && entry.call->is_ours() && !entry.ends_at) {
            calls.push_back({number, entry.call->numbers(now)});
        }
    }
    notify_each(order.gateway, order.ticket, std::move(calls));
}

void PathWorker::take(const PathMayEnd& order, TimePoint) {
    if (const Entry* const entry = find(order.call); entry != nullptr && entry->ends_at) {
        finish(order.call);
    }
}

void PathWorker::take(const PathCount&, TimePoint) {
    notify(PathCounters{counters_});
}

}  // namespace vpnha::adapters
