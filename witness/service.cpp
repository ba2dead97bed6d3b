// SPDX-License-Identifier: GPL-2.0-or-later
#include "witness/service.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <utility>
#include <vector>

#include "host/lease/new_instance.hpp"
#include "host/os/boot_clock.hpp"
#include "vpnha/version.hpp"

namespace vpnha::witness {

namespace {

using std::chrono::seconds;

// The longest message is a handover with its counters; a longer datagram is not ours.
constexpr std::size_t kDatagramBytesMax = 2048;
// Of one socket in one turn of the loop.
constexpr int kPerTurn = 64;
constexpr Duration kLook = seconds(1);
constexpr Duration kState = seconds(60);
// A node sends a hello each second.
constexpr Duration kAnsweredFor = seconds(5);

double in_seconds(Duration time) {
    return std::chrono::duration<double>(time).count();
}

// Random numbers of this start: nothing about a witness's life is on a disk.
Result<lease::Sender> self_of_this_start() {
    lease::BootId boot;
    if (::getrandom(boot.octets.data(), boot.octets.size(), 0) !=
        static_cast<ssize_t>(boot.octets.size())) {
        return tl::unexpected(system_error("getrandom", errno));
    }
    VPNHA_TRY(const auto instance, adapters::new_instance());
    return lease::Sender{lease::kWitness, boot, instance};
}

Result<adapters::UniqueFd> watch_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int each : {SIGTERM, SIGINT, SIGUSR1}) {
        sigaddset(&set, each);
    }
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    adapters::UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd) {
        return tl::unexpected(system_error("signalfd", errno));
    }
    return fd;
}

std::string epoch_text(const Epoch& epoch) {
    return fmt::format("{}@{}", epoch.number, epoch.node.value);
}

template <class Ids>
std::string list_of(const Ids& ids) {
    std::string text;
    for (const auto& id : ids) {
        text += fmt::format("{}{}", text.empty() ? "" : ",", id.value);
    }
    return text.empty() ? "none" : text;
}

}  // namespace

Result<std::unique_ptr<Service>> Service::start(const Options& options,
                                                const lease::WitnessKey& key) {
    const TimePoint now = adapters::boot_time();
    VPNHA_TRY(auto signals, watch_signals());
    VPNHA_TRY(auto log, EventLog::open(now));
    VPNHA_TRY(const auto self, self_of_this_start());
    auto files = VoteFiles::open(options.state);
    auto ports = UdpPorts::open(options.listen, kPortDefault);
    if (!files || !ports) {
        return fail(Errc::system,
                    fmt::format("{}{}{}", files ? "" : files.error().detail,
                                files || ports ? "" : "\n", ports ? "" : ports.error().detail));
    }
    std::unique_ptr<Service> service(
        new Service(key, std::move(log), std::move(*files), std::move(*ports), std::move(signals)));
    service->started_ = now;
    service->state_at_ = now + kState;
    service->host_ = std::make_unique<lease::WitnessHost>(self, options.timing, service->key_,
                                                          service->files_->loaded(), now);
    service->emit(
        Level::info,
        fmt::format("vpnha-witness {} votes as '{}' of cluster '{}' event=started "
                    "listen={} gateways={}",
                    version(), key.name, key.cluster, fmt::join(service->ports_.texts(), ","),
                    service->files_->loaded().size()),
        now);
    for (const std::string& each : service->files_->unreserved()) {
        service->emit(Level::warning, each + " event=no-room", now);
    }
    return service;
}

Service::Service(const lease::WitnessKey& key, std::unique_ptr<EventLog> log,
                 std::unique_ptr<VoteFiles> files, UdpPorts ports, adapters::UniqueFd signals)
    : key_(key.octets),
      log_(std::move(log)),
      files_(std::move(files)),
      ports_(std::move(ports)),
      signals_(std::move(signals)) {}

Result<void> Service::run() {
    while (!ending_) {
        wait();
        const TimePoint now = adapters::boot_time();
        carry_out(host_->on_time(now));
        look_around(now);
    }
    return save_last();
}

void Service::wait() {
    const TimePoint now = adapters::boot_time();
    const TimePoint next = *earliest(host_->next_deadline(), look_at_);
    const Duration left = std::max(next - now, Duration{});
    const auto whole = std::chrono::duration_cast<seconds>(left);
    const timespec timeout{.tv_sec = whole.count(), .tv_nsec = (left - whole).count()};
    std::vector<pollfd> waited{{signals_.get(), POLLIN, 0}, {files_->fd(), POLLIN, 0}};
    for (const int fd : ports_.fds()) {
        waited.push_back({fd, POLLIN, 0});
    }
    if (::ppoll(waited.data(), waited.size(), &timeout, nullptr) <= 0) {
        return;
    }
    if (waited[0].revents != 0) {
        on_signals();
    }
    // Before the sockets: answers to a claim wait for it.
    if (waited[1].revents != 0) {
        files_->notify();
    }
    for (std::size_t i = 2; i < waited.size() && !ending_; ++i) {
        if (waited[i].revents != 0) {
            receive(waited[i].fd);
        }
    }
}

void Service::on_signals() {
    signalfd_siginfo signal{};
    while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
        if (signal.ssi_signo == SIGUSR1) {
            const TimePoint now = adapters::boot_time();
            write_state(now);
            write_gateways(now);
        } else {
            ending_ = true;
        }
    }
}

void Service::receive(int fd) {
    std::array<std::uint8_t, kDatagramBytesMax> buffer{};
    for (int i = 0; i < kPerTurn; ++i) {
        const auto received = ports_.receive(fd, buffer);
        if (!received) {
            return;
        }
        if (received->size > buffer.size()) {
            ++counters_.oversized;
            continue;
        }
        carry_out(host_->on_datagram({buffer.data(), received->size}, received->from,
                                     adapters::boot_time()));
    }
}

void Service::carry_out(const lease::WitnessHost::Orders& orders) {
    for (const lease::WitnessHost::Save& save : orders.saves) {
        files_->save(save, [this](GatewayId gateway, std::uint64_t ticket, const auto& saved) {
            const TimePoint now = adapters::boot_time();
            note_saved(gateway, saved, now);
            carry_out(host_->on_saved(gateway, ticket, saved.has_value(), now));
        });
    }
    for (const lease::WitnessHost::Packet& packet : orders.packets) {
        if (!ports_.send(packet.to, packet.bytes)) {
            ++counters_.unsent;
        }
    }
}

void Service::note_saved(GatewayId gateway, const Result<void>& saved, TimePoint now) {
    ++(saved ? counters_.saves : counters_.failed_saves);
    if (!saved && unsaved_.insert(gateway).second) {
        emit(Level::error,
             fmt::format("{}; the witness votes by what the file has, and for no higher epoch "
                         "event=save-failed gateway={}",
                         saved.error().detail, gateway.value),
             now);
    } else if (saved && unsaved_.erase(gateway) == 1) {
        emit(Level::info,
             fmt::format("the disk works again event=save-works gateway={}", gateway.value), now);
    }
}

void Service::look_around(TimePoint now) {
    if (now < look_at_) {
        return;
    }
    look_at_ = now + kLook;
    note_nodes(now);
    note_gateways(now);
    if (now >= state_at_) {
        state_at_ = now + kState;
        write_state(now);
    }
}

void Service::note_nodes(TimePoint now) {
    for (const auto& [node, received] : host_->received()) {
        if (now - received.at < kAnsweredFor && received_.insert(node).second) {
            emit(Level::info,
                 fmt::format("node {} is reachable event=node-seen node={} address={}", node.value,
                             node.value, UdpPorts::from_text(received.from)),
                 now);
        }
    }
    std::erase_if(received_, [&](NodeId node) {
        const auto received = host_->received().find(node);
        const bool is_lost =
            received == host_->received().end() || now - received->second.at >= kAnsweredFor;
        if (is_lost) {
            emit(Level::warning,
                 fmt::format("node {} has sent nothing for {:.0f} s event=node-lost node={}",
                             node.value, in_seconds(kAnsweredFor), node.value),
                 now);
        }
        return is_lost;
    });
}

void Service::note_gateways(TimePoint now) {
    for (const auto& [gateway, vote] : host_->votes()) {
        if (known_.insert(gateway).second && !vote.engine().remembers()) {
            emit(Level::info,
                 fmt::format("gateway {} has no file; its nodes are asked what they remember "
                             "event=gateway-new gateway={}",
                             gateway.value, gateway.value),
                 now);
        }
        if (vote.engine().remembers() && remembering_.insert(gateway).second) {
            emit(Level::info,
                 fmt::format("votes for gateway {} event=gateway-known gateway={} voters={}",
                             gateway.value, gateway.value,
                             list_of(vote.engine().state().voters.newest().nodes)),
                 now);
        }
    }
}

Result<void> Service::save_last() {
    std::string errors;
    std::size_t pending = 0;
    for (const auto& [gateway, file] : host_->last_files()) {
        ++pending;
        files_->save({gateway, file, std::numeric_limits<std::uint64_t>::max()},
                     [&](GatewayId, std::uint64_t, const Result<void>& saved) {
                         --pending;
                         errors += saved ? "" : saved.error().detail + "\n";
                     });
    }
    while (pending > 0) {
        pollfd waited{files_->fd(), POLLIN, 0};
        ::poll(&waited, 1, -1);
        files_->notify();
    }
    const TimePoint now = adapters::boot_time();
    if (!errors.empty()) {
        errors.pop_back();
        return fail(Errc::system,
                    errors + "\nthe files are as of a crash: that costs the nodes a new claim");
    }
    emit(Level::info, "ended event=ended", now);
    return {};
}

void Service::write_state(TimePoint now) {
    std::string nodes;
    for (const auto& [node, received] : host_->received()) {
        nodes += fmt::format("{}{}@{}/{:.1f}s", nodes.empty() ? "" : ",", node.value,
                             UdpPorts::from_text(received.from), in_seconds(now - received.at));
    }
    const lease::WitnessHost::Counters& host = host_->counters();
    emit(Level::info,
         fmt::format("state event=state up_s={:.0f} nodes={} gateways={} remembering={} "
                     "unsaved={} taken={} forged={} malformed={} replayed={} unproven={} "
                     "oversized={} unsent={} saves={} failed_saves={}",
                     in_seconds(now - started_), nodes.empty() ? "none" : nodes,
                     host_->votes().size(), remembering_.size(), list_of(unsaved_), host.taken,
                     host.forged, host.malformed, host.replayed, host.unproven, counters_.oversized,
                     counters_.unsent, counters_.saves, counters_.failed_saves),
         now);
}

void Service::write_gateways(TimePoint now) {
    for (const auto& [gateway, vote] : host_->votes()) {
        const lease::Engine& engine = vote.engine();
        emit(
            Level::info,
            fmt::format("state of gateway {} event=gateway-state gateway={} voters={} granted={} "
                        "awaits={} disk={}",
                        gateway.value, gateway.value, list_of(engine.state().voters.newest().nodes),
                        epoch_text(engine.voter().granted()), list_of(engine.awaited()),
                        vote.saves() ? "works" : "refuses"),
            now);
    }
}

}  // namespace vpnha::witness
