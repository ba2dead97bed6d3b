// SPDX-License-Identifier: GPL-2.0-or-later
// The loop's commands to the data path.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/accounting.hpp"
#include "host/sockets/gre_socket.hpp"
#include "protocols/pptp/backend/path_broker.hpp"
#include "protocols/pptp/work.hpp"

namespace vpnha::adapters {

namespace {

// A packet with the headers of MPPE, PPP and GRE.
constexpr std::size_t kFrameBytesMax = GreSocket::kPacketBytesMax - 100;
// Between two checks of the reports: a device for a call takes 0.6 ms.
constexpr std::size_t kCommandsAtOnce = 8;

Result<void> check_frames(const pptp::CallRecord& record) {
    if (record.facts.ours.mru > kFrameBytesMax || record.facts.mtu > kFrameBytesMax) {
        return fail(Errc::limit,
                    fmt::format("an MRU of {} and an MTU of {}; {} is the most",
                                record.facts.ours.mru, record.facts.mtu, kFrameBytesMax));
    }
    return {};
}

// Calls `send` with at most kPathCallsMax of them at once.
template <class Each, class Send>
Result<void> in_parts(const std::vector<Each>& all, const Send& send) {
    for (std::size_t begin = 0; begin < all.size(); begin += kPathCallsMax) {
        const std::size_t end = std::min(all.size(), begin + kPathCallsMax);
        VPNHA_CHECK(send(std::vector<Each>(all.begin() + static_cast<std::ptrdiff_t>(begin),
                                           all.begin() + static_cast<std::ptrdiff_t>(end))));
    }
    return {};
}

}  // namespace

Result<void> PathBroker::do_commands() {
    for (std::size_t i = 0; i < kCommandsAtOnce && !commands_.empty(); ++i) {
        const DataPath::Command command = std::move(commands_.front());
        commands_.pop_front();
        VPNHA_CHECK(std::visit([this](const auto& what) { return take(what); }, command));
    }
    return {};
}

std::optional<PathCallNumber> PathBroker::find(const pptp::CallKey& key) const {
    const auto found = numbers_.find(key);
    return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

Result<void> PathBroker::take(const DataPath::Prepare& command) {
    const pptp::CallRecord& record = command.call.record;
    TunDevices::Settings settings{.ours = record.facts.our_address,
                                  .peer = record.facts.peer_address,
                                  .mtu = record.facts.mtu,
                                  .route_table = command.route_table};
    if (command.route_table != 0) {
        settings.networks = record.facts.routes;
        settings.ipv6 = record.facts.ipv6;
    }
    if (const auto before = find(record.key)) {
        // The same client's: the program leaves the device before it gets the next one.
        Entry& entry = calls_.at(*before);
        devices_.give_back(std::move(*std::exchange(entry.device, std::nullopt)), entry.settings);
        VPNHA_CHECK(remove(*before));
    }
    Result<TunDevice> device = device_for(command, settings);
    if (!device) {
        notify(command.call.gateway,
               node::CallPrepared{record.key, command.call.ticket, tl::unexpected(device.error())});
        return {};
    }
    const PathPrepare prepare{++last_, command.call.gateway, record, command.call.numbers,
                              command.keys};
    const std::array<int, 1> with{device->fd()};
    Entry entry;
    entry.gateway = command.call.gateway;
    entry.key = record.key;
    entry.options = record.tcp;
    entry.settings = settings;
    entry.device = std::move(*device);
    entry.preparing = command.call.ticket;
    numbers_.emplace(record.key, last_);
    calls_.emplace(last_, std::move(entry));
    return order(prepare, with);
}

Result<TunDevice> PathBroker::device_for(const DataPath::Prepare& command,
                                         const TunDevices::Settings& settings) {
    const pptp::CallRecord& record = command.call.record;
    if (!vips_.contains(record.key.local.address)) {
        return fail(Errc::invalid_argument,
                    fmt::format("{} is no VIP for PPTP", to_string(record.key.local.address)));
    }
    VPNHA_CHECK(check_frames(record));
    if (command.keys.has_value() != (record.mppe != pptp::Mppe::none)) {
        return fail(Errc::invalid_argument, "keys are there exactly with MPPE");
    }
    return devices_.take(settings);
}

Result<void> PathBroker::remove(PathCallNumber number) {
    Entry& entry = calls_.at(number);
    entry.is_removed = true;
    numbers_.erase(entry.key);
    return order(PathRemove{number});
}

Result<void> PathBroker::take(const node::SetCallNumbers& command) {
    std::vector<NumbersOfCall> known;
    for (const pptp::CallState& state : command.calls) {
        if (const auto number = find(state.key)) {
            known.push_back({*number, state.numbers});
        }
    }
    return in_parts(known, [this](std::vector<NumbersOfCall> calls) {
        return order(PathNumbers{std::move(calls)});
    });
}

Result<void> PathBroker::take(const node::RemoveCall& command) {
    const auto number = find(command.key);
    return number ? remove(*number) : Result<void>();
}

Result<void> PathBroker::take(const node::EndCall& command) {
    const auto number = find(command.key);
    return number ? order(PathEnd{*number, command.reason, command.cause}) : Result<void>();
}

// The program does not have the call; this socket is open here, too.
Result<void> PathBroker::take(const node::DismissCall& command) {
    if (const auto vip = vips_.find(command.key.local.address); vip != vips_.end()) {
        vip->second.probe.send(command.key, command.timestamps, command.segment);
    }
    return {};
}

Result<void> PathBroker::take(const node::ResumeCalls& command) {
    std::vector<PathCallNumber> known;
    for (const pptp::CallKey& key : command.calls) {
        if (const auto number = find(key)) {
            known.push_back(*number);
        } else {
            notify(command.gateway, node::CallEnded{key, "the data path has not prepared it",
                                                    EndCause::lost_service});
        }
    }
    return in_parts(known, [&](std::vector<PathCallNumber> calls) {
        return order(PathResume{std::move(calls), command.exact, command.tenure});
    });
}

Result<void> PathBroker::take(const node::ReleaseCalls& command) {
    std::vector<PathCallNumber> known;
    for (const pptp::CallKey& key : command.calls) {
        if (const auto number = find(key)) {
            known.push_back(*number);
        }
    }
    return in_parts(known, [this](std::vector<PathCallNumber> calls) {
        return order(PathRelease{std::move(calls)});
    });
}

Result<void> PathBroker::take(const node::PauseCalls& command) {
    return order(PathPause{command.gateway});
}

Result<void> PathBroker::take(const node::ReadCalls& command) {
    return order(PathRead{command.gateway, command.ticket});
}

Result<void> PathBroker::take(const DataPath::MayEnd& command) {
    const auto number = find(command.key);
    return number ? order(PathMayEnd{*number}) : Result<void>();
}

}  // namespace vpnha::adapters
