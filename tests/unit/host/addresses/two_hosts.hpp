// SPDX-License-Identifier: GPL-2.0-or-later
// Two hosts for tests of adapters, as network namespaces of this process: the node, in which the
// test runs, and a peer. Two cables join them:
//
//     node   out0 192.0.2.1/24 ---- peer0 192.0.2.51/24    peer
//            in0  198.51.100.1/24 - peer1 198.51.100.51/24
//
// Nothing of the machine's own network is touched; both are gone with the process.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "config/config.hpp"
#include "host/os/unique_fd.hpp"

namespace vpnha::testing {

inline Ipv4Address ip(std::string_view text) {
    return parse_ipv4(text).value_or(Ipv4Address{});
}
inline IpPrefix prefix(std::string_view text) {
    return parse_ip_prefix(text).value_or(IpPrefix{});
}

// Runs "ip ARGUMENTS"; false when it fails.
inline bool ip_command(const std::string& arguments) {
    std::vector<std::string> words{"ip"};
    std::istringstream stream(arguments);
    for (std::string word; stream >> word;) {
        words.push_back(word);
    }
    std::vector<char*> argv;
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    pid_t child = 0;
    int status = -1;
    return posix_spawnp(&child, "ip", nullptr, nullptr, argv.data(), environ) == 0 &&
           waitpid(child, &status, 0) == child && status == 0;
}

inline std::string output_of(const std::string& command) {
    std::string output;
    if (FILE* const pipe = popen(command.c_str(), "r")) {
        for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) {
            output.push_back(static_cast<char>(c));
        }
        pclose(pipe);
    }
    return output;
}

class Namespace {
  public:
    // A new one, which the calling thread is in from now on.
    static Namespace enter_new() {
        EXPECT_EQ(unshare(CLONE_NEWNET), 0) << "needs root";
        EXPECT_TRUE(ip_command("link set lo up"));
        return current();
    }
    static Namespace current() {
        Namespace result;
        result.fd_.reset(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
        EXPECT_TRUE(result.fd_);
        return result;
    }
    void enter() const { EXPECT_EQ(setns(fd_.get(), CLONE_NEWNET), 0); }
    // For "ip link set … netns".
    [[nodiscard]] std::string path() const {
        return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fd_.get());
    }

  private:
    adapters::UniqueFd fd_;
};

class TwoHosts : public ::testing::Test {
  protected:
    void SetUp() override {
        machine_ = Namespace::current();
        peer_ = Namespace::enter_new();
        node_ = Namespace::enter_new();
        plug_outside();
        ASSERT_TRUE(ip_command("link add in0 type veth peer name peer1 netns " + peer_.path()));
        ASSERT_TRUE(ip_command("addr add 198.51.100.1/24 dev in0"));
        ASSERT_TRUE(ip_command("link set in0 up"));
        in_peer([] {
            EXPECT_TRUE(ip_command("addr add 198.51.100.51/24 dev peer1"));
            EXPECT_TRUE(ip_command("link set peer1 up"));
        });
    }
    void TearDown() override { machine_.enter(); }

    void plug_outside() {
        ASSERT_TRUE(ip_command("link add out0 type veth peer name peer0 netns " + peer_.path()));
        ASSERT_TRUE(ip_command("addr add 192.0.2.1/24 dev out0"));
        ASSERT_TRUE(ip_command("link set out0 up"));
        in_peer([] {
            EXPECT_TRUE(ip_command("addr add 192.0.2.51/24 dev peer0"));
            EXPECT_TRUE(ip_command("link set peer0 up"));
        });
    }
    template <class Action>
    void in_peer(const Action& action) {
        peer_.enter();
        action();
        node_.enter();
    }

    static config::Gateway gateway() {
        config::Gateway gateway;
        gateway.name = "vpn";
        gateway.id = GatewayId{7};
        gateway.outside = {"out0", {prefix("192.0.2.100/24")}};
        gateway.inside = {"in0", {prefix("198.51.100.100/24")}};
        gateway.route_table = 700;
        gateway.rule_preference = 7000;
        gateway.ppp_local = ip("10.64.0.1");
        gateway.pools = {prefix("10.64.1.0/24")};
        return gateway;
    }

    Namespace machine_;
    Namespace node_;
    Namespace peer_;
};

// All frames that arrive at or leave from an interface of the current namespace from now on.
class Capture {
  public:
    explicit Capture(const std::string& interface) {
        fd_.reset(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL)));
        link_.sll_family = AF_PACKET;
        link_.sll_protocol = htons(ETH_P_ALL);
        link_.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
        EXPECT_EQ(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&link_), sizeof link_), 0);
    }
    void send_frame(ByteView frame) const { EXPECT_TRUE(try_send_frame(frame)); }
    // False: the kernel reports that something dropped it.
    [[nodiscard]] bool try_send_frame(ByteView frame) const {
        return send(fd_.get(), frame.data(), frame.size(), 0) == static_cast<ssize_t>(frame.size());
    }
    // The next frame that came in from the cable, or nullopt when none comes in time.
    [[nodiscard]] std::optional<Bytes> next(std::chrono::milliseconds patience) const {
        const auto until = std::chrono::steady_clock::now() + patience;
        for (;;) {
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                until - std::chrono::steady_clock::now());
            pollfd ready{fd_.get(), POLLIN, 0};
            if (left.count() < 0 || poll(&ready, 1, static_cast<int>(left.count()) + 1) <= 0) {
                return std::nullopt;
            }
            Bytes frame(2048);
            sockaddr_ll from{};
            socklen_t from_bytes = sizeof from;
            const ssize_t got = recvfrom(fd_.get(), frame.data(), frame.size(), 0,
                                         reinterpret_cast<sockaddr*>(&from), &from_bytes);
            if (got > 0 && from.sll_pkttype != PACKET_OUTGOING) {
                frame.resize(static_cast<std::size_t>(got));
                return frame;
            }
        }
    }
    // The first such frame that `matches`.
    template <class Predicate>
    [[nodiscard]] std::optional<Bytes> find(std::chrono::milliseconds patience,
                                            const Predicate& matches) const {
        const auto until = std::chrono::steady_clock::now() + patience;
        while (std::chrono::steady_clock::now() < until) {
            auto frame = next(std::chrono::duration_cast<std::chrono::milliseconds>(
                until - std::chrono::steady_clock::now()));
            if (frame && matches(*frame)) {
                return frame;
            }
        }
        return std::nullopt;
    }

  private:
    adapters::UniqueFd fd_;
    sockaddr_ll link_{};
};

}  // namespace vpnha::testing
