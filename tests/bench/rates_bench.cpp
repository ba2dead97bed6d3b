// SPDX-License-Identifier: GPL-2.0-or-later
// What the rate of a session costs a packet. The scenario `rates` runs it in a node of the lab, in
// a network namespace with pairs of devices: sN is a session's, cN its client's end of the cable.
//
//   limit N    sets a rate on s0 to s(N-1), by the code of vpnhad
//   clear N    removes what limits them, whoever set it
//   send N M…  sends as fast as one core can, over N sessions in turns, then over M: first to the
//              clients, then from them. Prints a JSON list with one entry for each direction and
//              number.
//
// A packet socket hands each frame to its device's queueing discipline, without routing and
// neighbours. A thousand frames go in one system call: in a kernel of user mode a call takes as
// long as ten packets and more.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "host/os/unique_fd.hpp"
#include "services/bandwidth/backend/traffic_control.hpp"
#include "services/bandwidth/model/shaping.hpp"
#include "vpnha/result.hpp"

namespace vpnha::bench {

namespace {

using adapters::TrafficControl;
using std::chrono::steady_clock;

// Near the highest that accel-ppp can calculate with. One core sends less: no bucket gets empty.
constexpr Rate kRate{2'000'000'000, 2'000'000'000};
constexpr std::uint16_t kMtu = 1400;
constexpr std::uint16_t kIpOctets = 100;
constexpr std::uint16_t kHeaderOctets = 28;  // Of IPv4 and UDP.
// In one system call; the kernel's limit is 1 024. A multiple of each number of sessions.
constexpr std::size_t kBatch = 1'000;
constexpr std::chrono::milliseconds kMeasured{250};
// Until what was sent has arrived.
constexpr std::chrono::seconds kArrivalLimit{1};

struct Options {
    std::string role;
    std::vector<std::size_t> sessions;
};

[[noreturn]] void give_up(const std::string& why) {
    fmt::print(stderr, "rates_bench: {}\n", why);
    std::exit(1);
}

std::uint32_t device(char end, std::size_t number) {
    const std::string name = fmt::format("{}{}", end, number);
    const std::uint32_t index = if_nametoindex(name.c_str());
    if (index == 0) {
        give_up(system_error(name, errno).detail);
    }
    return index;
}

std::vector<sockaddr_ll> targets(char end, std::size_t sessions) {
    std::vector<sockaddr_ll> found(sessions);
    for (std::size_t number = 0; number < sessions; ++number) {
        found[number].sll_family = AF_PACKET;
        found[number].sll_protocol = htons(ETHERTYPE_IP);
        found[number].sll_ifindex = static_cast<int>(device(end, number));
    }
    return found;
}

// UDP over IPv4, to everyone on the link. The header has no checksum: IP counts the packet at the
// other end, and drops it.
Bytes frame() {
    ByteWriter out;
    out.bytes(Bytes(6, 0xff)).bytes(Bytes(6, 2)).u16(ETHERTYPE_IP);
    out.u8(0x45).u8(0).u16(kIpOctets).u32(0).u8(64).u8(17).u16(0);
    out.u32(0x0ac80001).u32(0x0ac80002);
    out.u16(40'000).u16(443).u16(kIpOctets - 20).u16(0).bytes(Bytes(kIpOctets - kHeaderOctets));
    return std::move(out).take();
}

// Packets that IP has received in this namespace.
std::uint64_t received() {
    std::ifstream counters("/proc/self/net/snmp");
    std::string line;
    std::getline(counters, line);
    std::uint64_t forwarding = 0;
    std::uint64_t ttl = 0;
    std::uint64_t packets = 0;
    counters >> line >> forwarding >> ttl >> packets;
    if (!counters) {
        give_up("/proc/self/net/snmp has no counters of IP");
    }
    return packets;
}

// Of this process, with the interrupts that it was charged with.
double system_seconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return static_cast<double>(used.ru_stime.tv_sec) +
           static_cast<double>(used.ru_stime.tv_usec) / 1e6;
}

double seconds_since(steady_clock::time_point began) {
    return std::chrono::duration<double>(steady_clock::now() - began).count();
}

class Flood {
  public:
    // `devices`: of all sessions. The first `sessions` of them get packets in turns.
    Flood(const std::vector<sockaddr_ll>& devices, std::size_t sessions)
        : socket_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)),
          data_(frame()),
          devices_(devices),
          messages_(kBatch) {
        if (!socket_) {
            give_up(system_error("a packet socket", errno).detail);
        }
        piece_ = {data_.data(), data_.size()};
        for (std::size_t i = 0; i < kBatch; ++i) {
            msghdr& header = messages_[i].msg_hdr;
            header.msg_name = &devices_[i % sessions];
            header.msg_namelen = sizeof(sockaddr_ll);
            header.msg_iov = &piece_;
            header.msg_iovlen = 1;
        }
    }
    Flood(const Flood&) = delete;
    Flood& operator=(const Flood&) = delete;

    nlohmann::json measure() {
        const std::uint64_t wanted = received() + kBatch;
        send();  // Into the caches.
        const std::uint64_t received_before = await(wanted);
        const double system_before = system_seconds();
        const auto began = steady_clock::now();
        std::uint64_t sent = 0;
        while (steady_clock::now() - began < kMeasured) {
            send();
            sent += kBatch;
        }
        const double seconds = seconds_since(began);
        const double system_used = system_seconds() - system_before;
        const std::uint64_t arrived = await(received_before + sent) - received_before;
        return {{"packets", sent},
                {"arrived", arrived},
                {"seconds", seconds},
                {"system_seconds", system_used}};
    }

  private:
    void send() {
        const int sent = sendmmsg(socket_.get(), messages_.data(), kBatch, 0);
        if (sent != static_cast<int>(kBatch)) {
            give_up(system_error(fmt::format("{} of {} packets were sent", sent, kBatch), errno)
                        .detail);
        }
    }

    // The number of packets received so far, when it is as wanted or the time is over.
    static std::uint64_t await(std::uint64_t wanted) {
        const auto end = steady_clock::now() + kArrivalLimit;
        std::uint64_t found = received();
        while (found < wanted && steady_clock::now() < end) {
            found = received();
        }
        return found;
    }

    adapters::UniqueFd socket_;
    Bytes data_;
    std::vector<sockaddr_ll> devices_;
    iovec piece_{};
    std::vector<mmsghdr> messages_;
};

int measure_all(const std::vector<std::size_t>& sessions) {
    const std::size_t most = *std::max_element(sessions.begin(), sessions.end());
    nlohmann::json lines = nlohmann::json::array();
    for (const auto& [direction, end] : {std::pair{"down", 's'}, std::pair{"up", 'c'}}) {
        const std::vector<sockaddr_ll> devices = targets(end, most);
        for (const std::size_t count : sessions) {
            nlohmann::json line = Flood(devices, count).measure();
            line["direction"] = direction;
            line["sessions"] = count;
            lines.push_back(std::move(line));
        }
    }
    fmt::print("{}\n", lines.dump());
    return 0;
}

int set_rates(std::size_t sessions, bool limited) {
    Result<TrafficControl> control = TrafficControl::open();
    if (!control) {
        give_up(control.error().detail);
    }
    const bandwidth::Shaping shaping = bandwidth::shaping_of(kRate, kMtu);
    for (std::size_t number = 0; number < sessions; ++number) {
        const std::uint32_t link = device('s', number);
        const Result<void> done = limited ? control->set(link, shaping) : control->remove(link);
        if (!done) {
            give_up(done.error().detail);
        }
    }
    return 0;
}

int run(const Options& options) {
    return options.role == "send" ? measure_all(options.sessions)
                                  : set_rates(options.sessions.front(), options.role == "limit");
}

}  // namespace

}  // namespace vpnha::bench

int main(int argc, char** argv) {
    CLI::App app("What the rate of a session costs a packet");
    vpnha::bench::Options options;
    app.add_option("role", options.role)
        ->required()
        ->check(CLI::IsMember({"limit", "clear", "send"}));
    app.add_option("sessions", options.sessions)
        ->required()
        ->check(CLI::Range(std::size_t{1}, vpnha::bench::kBatch));
    CLI11_PARSE(app, argc, argv);
    return vpnha::bench::run(options);
}
