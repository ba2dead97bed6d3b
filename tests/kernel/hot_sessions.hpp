// SPDX-License-Identifier: GPL-2.0-or-later
// A node's hot sessions beside a stock peer, each in a network namespace of its own.
#pragma once

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "host/addresses/network.hpp"
#include "kernel/stock_peer.hpp"
#include "protocols/l2tp/backend/pppol2tp.hpp"
#include "protocols/l2tp/table.hpp"
#include "protocols/l2tp/work.hpp"
#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {

using testing::ip;
using testing::ip_command;
using testing::output_of;
using testing::StockPeer;

// For what must come: a node's single processor may be busy, or emulated.
inline constexpr auto kSoon = std::chrono::seconds(30);
inline constexpr std::uint16_t kProbePort = 7777;

// True as soon as `holds` is, at the latest after kSoon.
inline bool eventually(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + kSoon;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until) {
            return false;
        }
        std::this_thread::yield();
    }
    return true;
}

class PppoL2tpTest : public testing::TwoHosts {
  protected:
    void SetUp() override {
        TwoHosts::SetUp();
        config_.gateways = {gateway()};
        config_.gateways.front().protocols.serve<l2tp::Table>();
        auto network = LinuxNetwork::create(config_);
        ASSERT_TRUE(network);
        network_.emplace(std::move(*network));
        sessions_ = make_sessions();
        ASSERT_TRUE(sessions_);
    }
    void TearDown() override {
        sessions_.reset();
        TwoHosts::TearDown();
    }

    // For a stock peer on this side, whose tunnel has the id of record()'s.
    static l2tp::SessionRecord stock_beside(SessionId id) {
        l2tp::SessionRecord stock = record();
        stock.key.tunnel.id = TunnelId{13};
        stock.key.tunnel.peer_id = record().key.tunnel.id;
        stock.key.tunnel.local = {ip("192.0.2.98"), 1701};
        stock.key.tunnel.peer = {ip("192.0.2.1"), 1701};
        stock.key.peer_id = id;
        stock.facts.our_address = ip("10.99.0.1");
        stock.facts.peer_address = ip("10.99.0.2");
        return stock;
    }

    std::unique_ptr<PppoL2tpKernel> make_sessions() {
        const auto handle = [this](const auto& event) {
            using Event = std::decay_t<decltype(event)>;
            if constexpr (std::is_same_v<Event, node::TunnelDatagram>) {
                datagrams_.push_back(to_hex(event.bytes));
            } else if constexpr (std::is_same_v<Event, node::SessionFrame>) {
                frames_.push_back(to_hex(event.frame));
                if (remove_on_frame_) {
                    EXPECT_TRUE(sessions_->remove(kId, event.session));
                }
            } else if constexpr (std::is_same_v<Event, node::SessionGone>) {
                gone_.push_back(event.key);
            } else if constexpr (std::is_same_v<Event, node::SessionNewsLost>) {
                ++overruns_;
            }
            loop_.stop();
        };
        auto made = PppoL2tpKernel::create(
            config_, loop_,
            [handle](GatewayId, const effects::KeeperEvent& event) {
                std::visit(handle, *event.get<node::L2tpEvent>());
            },
            [this](GatewayId gateway, bool is_v6, bool are_there) {
                return network_->set_networks(gateway, is_v6, are_there);
            });
        EXPECT_TRUE(made) << made.error().detail;
        return made ? std::move(*made) : nullptr;
    }

    static l2tp::SessionRecord record(std::uint16_t session = 243) {
        l2tp::SessionRecord record;
        record.key.tunnel = {
            {ip("192.0.2.100"), 1701}, {ip("192.0.2.51"), 1701}, TunnelId{4711}, TunnelId{12}};
        record.key.id = SessionId{session};
        record.key.peer_id = SessionId{static_cast<std::uint16_t>(session + 1000)};
        record.facts.ours.mru = 1410;
        record.facts.theirs.mru = 1400;
        record.facts.mtu = 1280;
        record.facts.our_address = ip("10.64.0.1");
        record.facts.peer_address = ip("10.64.1.5");
        return record;
    }
    void install(const l2tp::SessionRecord& record) {
        const auto installed = sessions_->install(kId, record);
        ASSERT_TRUE(installed) << installed.error().detail;
    }
    void remove(const l2tp::SessionRecord& record) {
        const auto removed = sessions_->remove(kId, record.key);
        ASSERT_TRUE(removed) << removed.error().detail;
    }

    // A datagram of the client to the gateway's PPP address, and one back.
    bool echo(const l2tp::SessionRecord& record) {
        UniqueFd client;
        in_peer([&] { client = testing::udp_socket(record.facts.peer_address, kProbePort); });
        const UniqueFd server = testing::udp_socket(record.facts.our_address, kProbePort);
        const sockaddr_in to = testing::socket_address(record.facts.our_address, kProbePort);
        const auto until = std::chrono::steady_clock::now() + kSoon;
        char byte = 0;
        while (std::chrono::steady_clock::now() < until) {
            sendto(client.get(), "?", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
            pollfd ready[] = {{client.get(), POLLIN, 0}, {server.get(), POLLIN, 0}};
            poll(ready, 2, 100);
            sockaddr_in from{};
            socklen_t from_bytes = sizeof from;
            if (recvfrom(server.get(), &byte, 1, 0, reinterpret_cast<sockaddr*>(&from),
                         &from_bytes) == 1) {
                EXPECT_EQ(ntohl(from.sin_addr.s_addr), record.facts.peer_address.value);
                sendto(server.get(), "!", 1, 0, reinterpret_cast<sockaddr*>(&from), from_bytes);
                poll(ready, 1, 100);
            }
            if (recv(client.get(), &byte, 1, 0) == 1) {
                return byte == '!';
            }
        }
        return false;
    }

    static std::vector<std::uint32_t> tunnels() {
        auto l2tp = L2tpNetlink::open();
        EXPECT_TRUE(l2tp) << l2tp.error().detail;
        auto ids = l2tp->tunnels();
        EXPECT_TRUE(ids);
        std::sort(ids->begin(), ids->end());
        return *ids;
    }
    static long units() {
        const std::string links = output_of("ip -br link");
        long count = 0;
        for (const std::string_view name : {"vpnha", "ppp"}) {
            for (auto at = links.find(name); at != std::string::npos;
                 at = links.find(name, at + 1)) {
                ++count;
            }
        }
        return count;
    }
    // Devices are removed by a thread: what has just ended may be seen for a moment more.
    static bool units_are(long count) {
        return eventually([count] { return units() == count; });
    }
    static bool has_route(const std::string& destination) {
        return output_of("ip route show table 700").find(destination) != std::string::npos;
    }
    static bool nothing_left() {
        return units() == 0 && tunnels().empty() &&
               output_of("ip route show table 700 2>/dev/null").empty();
    }

    // Turns of the loop until something was heard.
    void listen() {
        loop_.set_timer(1, QbLoop::now() + kSoon, [this] { loop_.stop(); });
        loop_.run();
        loop_.cancel_timer(1);
    }

    static constexpr GatewayId kId{7};
    config::Config config_;
    QbLoop loop_;
    std::optional<LinuxNetwork> network_;
    std::unique_ptr<PppoL2tpKernel> sessions_;
    std::vector<std::string> datagrams_;
    std::vector<std::string> frames_;
    std::vector<l2tp::SessionKey> gone_;
    int overruns_ = 0;
    bool remove_on_frame_ = false;
};

}  // namespace vpnha::adapters
