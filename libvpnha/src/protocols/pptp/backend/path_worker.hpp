// SPDX-License-Identifier: GPL-2.0-or-later
// The loop of carry-calls: waits for sockets, devices, orders and times, and passes each to its
// call. It makes no socket and no device: they come with orders (path_message.hpp). It runs in the
// sandbox of host/helper, whose list has the system calls that are used here.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "host/helper/message_socket.hpp"
#include "protocols/pptp/backend/path_call.hpp"
#include "protocols/pptp/backend/path_message.hpp"

namespace vpnha::adapters {

class PathWorker {
  public:
    // `socket`: its end of the pair.
    [[nodiscard]] static Result<std::unique_ptr<PathWorker>> create(UniqueFd socket);

    PathWorker(const PathWorker&) = delete;
    PathWorker& operator=(const PathWorker&) = delete;

    // The first report. With an error nothing follows.
    [[nodiscard]] Result<void> report(const PathReady& ready);
    // Runs in the sandbox, until vpnhad closes its end (unreachable). Malformed: an order that
    // cannot be parsed.
    [[nodiscard]] Result<void> run();

  private:
    using Number = PathCallNumber;
    // The kind of a descriptor that is ready.
    enum class Source : std::uint8_t { orders, gre, probe, device, control };
    // How GRE from a peer names its call.
    using GreKey = std::pair<Ipv4Address, pptp::CallId>;
    struct Vip {
        VipSockets sockets;
        std::map<GreKey, Number> live;
        std::set<Number> probing;
    };
    struct Entry {
        std::unique_ptr<PathCall> call;
        Vip* vip = nullptr;
        // Its state in epoll and in the sets below.
        bool device_watched = false;
        int control_watched = -1;
        std::optional<TimePoint> due;
        bool changed = false;              // Since its numbers were reported.
        std::optional<TimePoint> ends_at;  // Is over; waits for PathMayEnd.
        bool is_preparing = true;          // Its keys are being made.
    };

    PathWorker(UniqueFd epoll, UniqueFd socket)
        : epoll_(std::move(epoll)),
          socket_(std::move(socket), MessageSocket::Descriptors::taken),
          room_(65'536) {}

    [[nodiscard]] Result<void> turn();
    [[nodiscard]] int wait_ms(TimePoint now) const;
    void on_ready(Source source, std::uint64_t number, TimePoint now);
    [[nodiscard]] Result<void> watch(int fd, Source source, std::uint64_t number);
    [[nodiscard]] Result<void> send_reports();

    [[nodiscard]] Result<void> do_orders(TimePoint now);
    [[nodiscard]] Result<void> take(const PathVip& order, std::span<UniqueFd> with, TimePoint now);
    [[nodiscard]] Result<void> take(const PathPrepare& order, std::span<UniqueFd> with,
                                    TimePoint now);
    [[nodiscard]] Result<void> take(const PathConnected& order, std::span<UniqueFd> with,
                                    TimePoint now);
    // The others come without descriptors.
    template <class Order>
    [[nodiscard]] Result<void> take(const Order& order, std::span<UniqueFd>, TimePoint now) {
        take(order, now);
        return {};
    }
    void take(const PathNumbers& order, TimePoint now);
    void take(const PathRemove& order, TimePoint now);
    void take(const PathEnd& order, TimePoint now);
    void take(const PathResume& order, TimePoint now);
    void take(const PathRelease& order, TimePoint now);
    void take(const PathPause& order, TimePoint now);
    void take(const PathRead& order, TimePoint now);
    void take(const PathMayEnd& order, TimePoint now);
    void take(const PathCount& order, TimePoint now);
    [[nodiscard]] Entry* find(Number number);

    void on_gre(Vip& vip, TimePoint now);
    void on_segments(Vip& vip, TimePoint now);
    void on_deadlines(TimePoint now);
    void make_keys();
    // Updates epoll, deadlines and vpnhad after a change of the call. The call may be gone
    // afterwards.
    void follow(Number number, TimePoint now);
    void follow_watches(Number number, Entry& entry);
    void be_over(Number number, Entry& entry, TimePoint now);
    void finish(Number number);
    void remove(Number number);
    void arm(Number number, Entry& entry, std::optional<TimePoint> at);

    void notify(PathReport report) { reports_.push_back(std::move(report)); }
    void report_numbers(TimePoint now);
    // In parts, of which the last one is marked.
    void notify_each(GatewayId gateway, std::uint64_t ticket, std::vector<NumbersOfCall> calls);

    UniqueFd epoll_;
    MessageSocket socket_;
    bool is_full_ = false;  // vpnhad accepts no report now.
    std::map<Ipv4Address, Vip> vips_;
    std::unordered_map<Number, Entry> calls_;
    std::set<std::pair<TimePoint, Number>> due_;
    std::set<Number> behind_;  // Their keys are to be made.
    std::vector<Number> changed_;
    TimePoint notify_at_{};
    std::vector<PathReport> reports_;
    pptp::CallCounters counters_;
    Bytes room_;
};

}  // namespace vpnha::adapters
