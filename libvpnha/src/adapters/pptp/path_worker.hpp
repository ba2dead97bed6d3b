// SPDX-License-Identifier: GPL-2.0-or-later
// The data path's thread: waits for sockets, devices, commands and times, and gives each to the
// call that it concerns. See data_path.hpp.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "adapters/pptp/path_call.hpp"
#include "adapters/pptp/path_mailbox.hpp"

namespace vpnha::adapters {

class PathWorker {
  public:
    // In the network namespace of the calling thread; the mailbox must outlive it.
    [[nodiscard]] static Result<std::unique_ptr<PathWorker>> create(
        const std::vector<Ipv4Address>& vips, PathMailbox& mailbox);

    ~PathWorker();
    PathWorker(const PathWorker&) = delete;
    PathWorker& operator=(const PathWorker&) = delete;

    // Until the mailbox is stopped.
    void run();

  private:
    // Names a call as long as it is there; another call never has it.
    using Number = std::uint64_t;
    // Whose descriptor is ready.
    enum class Source : std::uint8_t { commands, gre, probe, device, control };
    // What GRE from a peer says of its call.
    using GreKey = std::pair<Ipv4Address, pptp::CallId>;
    struct Vip {
        VipSockets sockets;
        std::map<GreKey, Number> live;
        std::set<Number> probing;
    };
    struct Entry {
        std::unique_ptr<PathCall> call;
        Vip* vip = nullptr;
        // What epoll and the sets below know of it.
        bool device_watched = false;
        int control_watched = -1;
        std::optional<TimePoint> due;
        bool changed = false;                    // Since its numbers were told.
        std::optional<TimePoint> ends_at;        // Is over; waits for MayEnd.
        std::optional<std::uint64_t> preparing;  // Its keys are being made; the ticket.
    };

    PathWorker(TunDevices devices, UniqueFd epoll, PathMailbox& mailbox)
        : devices_(std::move(devices)),
          epoll_(std::move(epoll)),
          mailbox_(&mailbox),
          room_(65'536) {}

    void turn();
    [[nodiscard]] int wait_ms(TimePoint now) const;
    void on_ready(Source source, std::uint64_t number, TimePoint now);
    [[nodiscard]] Result<void> watch(int fd, Source source, std::uint64_t number);

    void do_commands(TimePoint now);
    void take(const DataPath::Prepare& prepare, TimePoint now);
    void take(const node::SetCallNumbers& news, TimePoint now);
    void take(const node::RemoveCall& command, TimePoint now);
    void take(const node::EndCall& command, TimePoint now);
    void take(const node::DismissCall& command, TimePoint now);
    void take(const node::ResumeCalls& command, TimePoint now);
    void take(const node::ReleaseCalls& command, TimePoint now);
    void take(const node::PauseCalls& command, TimePoint now);
    void take(const node::ReadCalls& command, TimePoint now);
    void take(const DataPath::MayEnd& command, TimePoint now);
    [[nodiscard]] Result<void> prepare(const DataPath::Prepare& prepare, TimePoint now);
    [[nodiscard]] Entry* find(const pptp::CallKey& key);

    void on_gre(Vip& vip, TimePoint now);
    void on_segments(Vip& vip, TimePoint now);
    void on_deadlines(TimePoint now);
    void make_keys();
    // Brings epoll, times, and what the loop knows, in line with what the call has become. It may
    // be gone afterwards.
    void follow(Number number, TimePoint now);
    void follow_watches(Number number, Entry& entry);
    void be_over(Number number, Entry& entry, TimePoint now);
    void finish(Number number);
    void remove(Number number);
    void arm(Number number, Entry& entry, std::optional<TimePoint> at);

    void tell(GatewayId gateway, decltype(DataPath::Event::what) what);
    void tell_numbers(TimePoint now);

    TunDevices devices_;
    UniqueFd epoll_;
    PathMailbox* mailbox_;
    std::deque<DataPath::Command> commands_;  // Not done yet.
    std::map<Ipv4Address, Vip> vips_;
    std::unordered_map<Number, Entry> calls_;
    std::map<pptp::CallKey, Number> numbers_;
    Number last_ = 0;
    std::set<std::pair<TimePoint, Number>> due_;
    std::set<Number> behind_;  // Their keys are to be made.
    std::vector<Number> changed_;
    TimePoint tell_at_{};
    std::vector<DataPath::Event> events_;
    pptp::CallCounters counters_;
    Bytes room_;
};

}  // namespace vpnha::adapters
