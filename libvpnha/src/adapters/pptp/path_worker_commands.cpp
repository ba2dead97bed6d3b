// SPDX-License-Identifier: GPL-2.0-or-later
// What the loop wants of the data path.
#include <fmt/format.h>

#include <utility>

#include "adapters/os/boot_clock.hpp"
#include "adapters/pptp/path_worker.hpp"

namespace vpnha::adapters {

namespace {

// A packet, and what MPPE, PPP and GRE put before it.
constexpr std::size_t kFrameBytesMax = GreSocket::kPacketBytesMax - 100;
// Between two looks at the sockets: a device for a call takes 0.6 ms.
constexpr std::size_t kCommandsAtOnce = 8;

}  // namespace

void PathWorker::do_commands(TimePoint now) {
    for (std::size_t i = 0; i < kCommandsAtOnce && !commands_.empty(); ++i) {
        const DataPath::Command command = std::move(commands_.front());
        commands_.pop_front();
        std::visit([&](const auto& what) { take(what, now); }, command);
    }
}

PathWorker::Entry* PathWorker::find(const pptp::CallKey& key) {
    const auto found = numbers_.find(key);
    return found == numbers_.end() ? nullptr : &calls_.at(found->second);
}

void PathWorker::take(const DataPath::Prepare& command, TimePoint now) {
    if (const auto before = numbers_.find(command.call.record.key); before != numbers_.end()) {
        remove(before->second);
    }
    if (Result<void> done = prepare(command, now); !done) {
        tell(command.call.gateway,
             node::CallPrepared{command.call.record.key, command.call.ticket, std::move(done)});
    }
}

Result<void> PathWorker::prepare(const DataPath::Prepare& command, TimePoint now) {
    const pptp::CallRecord& record = command.call.record;
    const auto vip = vips_.find(record.key.local.address);
    if (vip == vips_.end()) {
        return fail(Errc::invalid_argument,
                    fmt::format("{} is no VIP for PPTP", to_string(record.key.local.address)));
    }
    if (record.ours.mru > kFrameBytesMax || record.mtu > kFrameBytesMax) {
        return fail(Errc::limit, fmt::format("an MRU of {} and an MTU of {}; {} is the most",
                                             record.ours.mru, record.mtu, kFrameBytesMax));
    }
    if (command.keys.has_value() != (record.mppe != pptp::Mppe::none)) {
        return fail(Errc::invalid_argument, "keys are there exactly with MPPE");
    }
    const TunDevices::Settings settings{.ours = record.our_address,
                                        .peer = record.peer_address,
                                        .mtu = record.mtu,
                                        .route_table = command.route_table};
    VPNHA_TRY(TunDevice device, devices_.take(settings));
    Entry entry;
    entry.call = std::make_unique<PathCall>(command, std::move(device), settings,
                                            vip->second.sockets, counters_, now);
    entry.vip = &vip->second;
    entry.preparing = command.call.ticket;
    numbers_.emplace(record.key, ++last_);
    calls_.emplace(last_, std::move(entry));
    behind_.insert(last_);
    return {};
}

void PathWorker::take(const node::SetCallNumbers& news, TimePoint now) {
    for (const pptp::CallState& state : news.calls) {
        if (Entry* const entry = find(state.key)) {
            entry->call->set_numbers(state.numbers, now);
            behind_.insert(numbers_.at(state.key));
        }
    }
}

void PathWorker::take(const node::RemoveCall& command, TimePoint) {
    if (const auto found = numbers_.find(command.key); found != numbers_.end()) {
        remove(found->second);
    }
}

void PathWorker::take(const node::EndCall& command, TimePoint now) {
    Entry* const entry = find(command.key);
    if (entry != nullptr && entry->call->is_live() && !entry->ends_at) {
        entry->call->close(command.reason, command.cause);
        follow(numbers_.at(command.key), now);
    }
}

void PathWorker::take(const node::DismissCall& command, TimePoint) {
    if (const auto vip = vips_.find(command.key.local.address); vip != vips_.end()) {
        vip->second.sockets.probe.send(command.key, command.timestamps, command.segment);
    }
}

void PathWorker::take(const node::ResumeCalls& command, TimePoint now) {
    for (const pptp::CallKey& key : command.calls) {
        Entry* const entry = find(key);
        if (entry == nullptr) {
            tell(command.gateway,
                 node::CallEnded{key, "the data path has not prepared it", EndCause::lost_service});
        } else if (!entry->ends_at) {
            const Number number = numbers_.at(key);
            // The first answers come within microseconds.
            static_cast<void>(entry->vip->sockets.probe.hear(true));
            entry->call->resume(command.exact, command.tenure, now);
            follow(number, now);
        }
    }
}

void PathWorker::take(const node::ReleaseCalls& command, TimePoint) {
    for (const pptp::CallKey& key : command.calls) {
        if (Entry* const entry = find(key)) {
            entry->call->release();
            follow_watches(numbers_.at(key), *entry);
        }
    }
}

void PathWorker::take(const node::PauseCalls& command, TimePoint now) {
    for (auto& [number, entry] : calls_) {
        if (entry.call->gateway() == command.gateway && entry.call->is_live()) {
            entry.call->pause(now);
            follow_watches(number, entry);
        }
    }
}

void PathWorker::take(const node::ReadCalls& command, TimePoint now) {
    DataPath::NumbersRead read{command.ticket, {}};
    for (const auto& [number, entry] : calls_) {
        if (entry.call->gateway() == command.gateway && entry.call->is_ours() && !entry.ends_at) {
            read.calls.push_back({entry.call->key(), entry.call->numbers(now)});
        }
    }
    tell(command.gateway, std::move(read));
}

void PathWorker::take(const DataPath::MayEnd& command, TimePoint) {
    const auto found = numbers_.find(command.key);
    if (found != numbers_.end() && calls_.at(found->second).ends_at) {
        finish(found->second);
    }
}

}  // namespace vpnha::adapters
