// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/path_broker.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "host/os/boot_clock.hpp"
#include "host/os/log.hpp"
#include "host/sockets/gre_socket.hpp"
#include "host/sockets/inet_socket.hpp"
#include "protocols/pptp/backend/repaired_socket.hpp"

namespace vpnha::adapters {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kReportsAtOnce = 64;
// Orders that the program has not read yet: no command is carried out before it has.
constexpr std::size_t kOrdersWaitingMax = 256;
constexpr Duration kCountPause = 1s;
constexpr int kUnansweredMax = 10;
constexpr auto kStartPatience = 10s;
constexpr auto kEndPatience = 100ms;  // Of a program that has closed its socket.

Result<void> refused(std::string_view what) {
    return fail(Errc::malformed, fmt::format("it reports {}", what));
}

}  // namespace

Result<std::unique_ptr<PathBroker>> PathBroker::create(const std::string& program,
                                                       const std::vector<Ipv4Address>& vips,
                                                       PathMailbox& mailbox) {
    VPNHA_TRY(TunDevices devices, TunDevices::open());
    VPNHA_TRY(auto sockets, MessageSocket::make_pair());
    VPNHA_TRY(HelperProcess process, HelperProcess::start(program, std::move(sockets.second)));
    std::unique_ptr<PathBroker> broker(
        new PathBroker(std::move(devices), std::move(process), std::move(sockets.first), mailbox));
    VPNHA_CHECK(broker->open(vips));
    return broker;
}

PathBroker::~PathBroker() {
    for (auto& [number, entry] : calls_) {
        if (entry.control) {
            close_silently(std::move(entry.control));
        }
    }
    devices_.delete_all();
    process_.wait(0ms);
}

Result<void> PathBroker::open(const std::vector<Ipv4Address>& vips) {
    VPNHA_CHECK(wait_ready());
    for (const Ipv4Address vip : vips) {
        VPNHA_TRY(UniqueFd gre, GreSocket::open(vip));
        VPNHA_TRY(ProbeSocket probe, ProbeSocket::open(vip));
        const std::array<int, 2> with{gre.get(), probe.fd()};
        VPNHA_CHECK(order(PathVip{vip}, with));
        vips_.emplace(vip, VipSockets{std::move(gre), std::move(probe)});
    }
    return {};
}

Result<void> PathBroker::wait_ready() {
    const TimePoint until = boot_time() + kStartPatience;
    while (!is_ready_) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - boot_time());
        pollfd report{socket_.fd(), POLLIN, 0};
        if (left.count() <= 0 ||
            (::poll(&report, 1, static_cast<int>(left.count())) == 0 && !is_ready_)) {
            return fail(Errc::timeout, "the program of PPTP's data path does not start");
        }
        const auto received =
            socket_.receive(1, [this](ByteView message, auto) { return on_report(message); });
        if (!received) {
            return fail(Errc::system,
                        fmt::format("the program of PPTP's data path does not start: {} ({})",
                                    received.error().detail, process_.wait(kEndPatience)));
        }
    }
    return {};
}

void PathBroker::run() {
    while (!mailbox_->is_stopped()) {
        const Result<void> done = turn();
        if (!events_.empty()) {
            mailbox_->notify(std::exchange(events_, {}));
        }
        if (!done) {
            mailbox_->fail(
                {done.error().code, fmt::format("PPTP's data path has failed: {} ({})",
                                                done.error().detail, process_.wait(kEndPatience))});
            return;
        }
    }
}

Result<void> PathBroker::turn() {
    const bool may_order = socket_.waiting() < kOrdersWaitingMax;
    const bool has_work = may_order && !commands_.empty();
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(count_at_ - boot_time());
    const auto writable = static_cast<short>(socket_.waiting() > 0 ? POLLOUT : 0);
    std::array<pollfd, 2> ready{
        pollfd{socket_.fd(), static_cast<short>(POLLIN | writable), 0},
        pollfd{mailbox_->commands_fd(), static_cast<short>(may_order ? POLLIN : 0), 0}};
    ::poll(ready.data(), ready.size(),
           has_work ? 0 : static_cast<int>(std::max<std::int64_t>(wait.count(), 0)));
    VPNHA_CHECK(socket_.receive(kReportsAtOnce,
                                [this](ByteView message, auto) { return on_report(message); }));
    VPNHA_CHECK(socket_.flush());
    VPNHA_CHECK(look_after(boot_time()));
    if ((ready[1].revents & POLLIN) != 0) {
        for (DataPath::Command& command : mailbox_->take_commands()) {
            commands_.push_back(std::move(command));
        }
    }
    return do_commands();
}

// A machine that was suspended counts only one missed answer.
Result<void> PathBroker::look_after(TimePoint now) {
    if (now < count_at_) {
        return {};
    }
    if (unanswered_ >= kUnansweredMax) {
        return fail(Errc::timeout, fmt::format("it has not answered for {} s", unanswered_));
    }
    count_at_ = now + kCountPause;
    ++unanswered_;
    return order(PathCount{});
}

Result<void> PathBroker::order(const PathOrder& order, std::span<const int> with) {
    return socket_.post(encode_order(order), with);
}

void PathBroker::notify(GatewayId gateway, decltype(DataPath::Event::what) what) {
    events_.push_back({gateway, std::move(what)});
}

Result<void> PathBroker::on_report(ByteView message) {
    VPNHA_TRY(const PathReport report, parse_report(message));
    if (is_ready_ == std::holds_alternative<PathReady>(report)) {
        return refused("that it is ready, or something else before");
    }
    return std::visit([this](const auto& each) { return handle(each); }, report);
}

Result<PathBroker::Entry*> PathBroker::entry_of(PathCallNumber number) {
    const auto found = calls_.find(number);
    if (found == calls_.end()) {
        return fail(Errc::malformed, fmt::format("it reports call {}: there is none", number));
    }
    return &found->second;
}

Result<void> PathBroker::handle(const PathReady& report) {
    if (!report.error.empty()) {
        return fail(Errc::system, report.error);
    }
    is_ready_ = true;
    if (!report.unlocked.empty()) {
        write_log(
            LogLevel::warning,
            fmt::format("PPTP's data path: {}: where this node has swap, keys of sessions may "
                        "reach its disk event=no-memory-lock",
                        report.unlocked));
    }
    return {};
}

Result<void> PathBroker::handle(const CallIsPrepared& report) {
    VPNHA_TRY(Entry* const entry, entry_of(report.call));
    const auto ticket = std::exchange(entry->preparing, std::nullopt);
    if (!ticket) {
        return refused("that a call is prepared, again");
    }
    if (!entry->is_removed) {
        notify(entry->gateway, node::CallPrepared{entry->key,
                                                  *ticket,
                                                  {},
                                                  static_cast<std::uint32_t>(entry->device->link()),
                                                  entry->device->before()});
    }
    return {};
}

Result<void> PathBroker::handle(const CallIsResumed& report) {
    VPNHA_TRY(const Entry* const entry, entry_of(report.call));
    if (!entry->is_removed) {
        notify(entry->gateway, node::CallResumed{entry->key, report.how});
    }
    return {};
}

Result<void> PathBroker::handle(const CallMeansToEnd& report) {
    VPNHA_TRY(const Entry* const entry, entry_of(report.call));
    if (!entry->is_removed) {
        notify(entry->gateway, DataPath::MeantEnd{entry->key});
    }
    return {};
}

Result<void> PathBroker::handle(const CallHasEnded& report) {
    VPNHA_TRY(Entry* const entry, entry_of(report.call));
    // The program has closed its own. The connection ends as TCP does.
    close_with_fin(std::move(entry->control));
    if (!entry->is_removed) {
        notify(entry->gateway, node::CallEnded{entry->key, report.reason, report.cause});
    }
    forget(report.call);
    return {};
}

Result<void> PathBroker::handle(const CallIsGone& report) {
    VPNHA_TRY(Entry* const entry, entry_of(report.call));
    if (!entry->is_removed) {
        return refused("the end of a call that nobody has removed");
    }
    if (entry->control) {
        close_silently(std::move(entry->control));
    }
    forget(report.call);
    return {};
}

Result<void> PathBroker::handle(const CallWantsConnection& report) {
    VPNHA_TRY(Entry* const entry, entry_of(report.call));
    if (entry->control) {
        return refused("that a call wants a connection, which it has");
    }
    if (entry->is_removed) {
        return order(PathConnected{report.call, "the call is removed"});
    }
    pptp::ControlSocket socket = report.socket;
    socket.options = entry->options;
    Result<UniqueFd> opened = open_repaired(entry->key, socket);
    if (!opened) {
        return order(PathConnected{report.call, opened.error().detail});
    }
    entry->control = std::move(*opened);
    const std::array<int, 1> with{entry->control.get()};
    return order(PathConnected{report.call, {}}, with);
}

Result<void> PathBroker::handle(const CallLeavesConnection& report) {
    VPNHA_TRY(Entry* const entry, entry_of(report.call));
    if (entry->control) {
        close_silently(std::move(entry->control));
    }
    return {};
}

Result<void> PathBroker::handle(const PathNumbersRead& report) {
    std::vector<pptp::CallState> notified;
    for (const NumbersOfCall& each : report.calls) {
        VPNHA_TRY(const Entry* const entry, entry_of(each.call));
        if (entry->gateway != report.gateway) {
            return refused("numbers of another gateway's call");
        }
        if (!entry->is_removed) {
            notified.push_back({entry->key, each.numbers});
        }
    }
    if (report.ticket == 0) {
        notify(report.gateway, DataPath::NumbersRead{0, std::move(notified)});
        return {};
    }
    Reading& reading = reading_[report.gateway];
    if (reading.ticket != report.ticket) {
        reading = {report.ticket, {}};
    }
    if (reading.calls.size() + notified.size() > calls_.size()) {
        return refused("numbers of more calls than there are");
    }
    std::ranges::move(notified, std::back_inserter(reading.calls));
    if (report.last) {
        notify(report.gateway, DataPath::NumbersRead{report.ticket, std::move(reading.calls)});
        reading_.erase(report.gateway);
    }
    return {};
}

Result<void> PathBroker::handle(const PathCounters& report) {
    unanswered_ = 0;
    mailbox_->count(report.counters);
    return {};
}

void PathBroker::forget(PathCallNumber number) {
    const auto found = calls_.find(number);
    Entry& entry = found->second;
    if (entry.device) {
        devices_.give_back(std::move(*entry.device), entry.settings);
    }
    if (const auto named = numbers_.find(entry.key);
        named != numbers_.end() && named->second == number) {
        numbers_.erase(named);
    }
    calls_.erase(found);
}

}  // namespace vpnha::adapters
