// SPDX-License-Identifier: GPL-2.0-or-later
// Hot sessions in a real kernel: to be run as root inside a node of the lab.
#include "protocols/l2tp/backend/pppol2tp.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>

#include "host/gate/gate.hpp"
#include "kernel/hot_sessions.hpp"
#include "unit/host/addresses/frame.hpp"

namespace vpnha::adapters {
namespace {

using testing::Capture;
using testing::Frame;
using namespace std::chrono_literals;

TEST_F(PppoL2tpTest, CarriesTrafficUntilRemovedAndDoesSoAgain) {
    ASSERT_TRUE(network_->add_addresses(kId));
    std::optional<StockPeer> peer;
    in_peer([&] { peer.emplace(record()); });
    for (int round = 0; round < 2; ++round) {
        install(record());
        EXPECT_TRUE(echo(record())) << "round " << round;
        remove(record());
        EXPECT_TRUE(eventually(nothing_left)) << output_of("ip -br link") << tunnels().size();
        remove(record());
    }
}

TEST_F(PppoL2tpTest, IsHotBeforeTheVipIsHere) {
    install(record());
    const std::string shown = output_of("ip -d addr show vpnha0");
    EXPECT_NE(shown.find("10.64.0.1 peer 10.64.1.5/32"), std::string::npos) << shown;
    EXPECT_NE(shown.find("mtu 1280"), std::string::npos) << shown;
    EXPECT_NE(shown.find("UP"), std::string::npos) << shown;
    EXPECT_EQ(shown.find("inet6"), std::string::npos) << shown;
    EXPECT_EQ(output_of("ip route show table 700"), "10.64.1.5 dev vpnha0 proto 118 scope link \n");
    EXPECT_EQ(tunnels(), std::vector<std::uint32_t>{0x10000 + 4711});
    std::optional<StockPeer> peer;
    in_peer([&] { peer.emplace(record()); });
    ASSERT_TRUE(network_->add_addresses(kId));
    EXPECT_TRUE(echo(record()));
}

TEST_F(PppoL2tpTest, TakesAnMtuThatIsTooSmallForIpv6) {
    l2tp::SessionRecord small = record();
    small.facts.mtu = 576;
    small.facts.ipv6 = {1, 0x2a};
    install(small);
    const std::string shown = output_of("ip -d addr show vpnha0");
    EXPECT_NE(shown.find("mtu 576"), std::string::npos) << shown;
    EXPECT_EQ(shown.find("inet6"), std::string::npos) << shown;
}

TEST_F(PppoL2tpTest, HasWhatIpv6cpNegotiatedAndTheNetworksBehindThePeer) {
    l2tp::SessionRecord with = record();
    with.facts.ipv6 = {1, 0x2a};
    with.facts.routes = {*parse_ip_prefix("10.99.51.0/24"), *parse_ip_prefix("2001:db8:51::/48")};
    install(with);
    const std::string shown = output_of("ip -6 addr show vpnha0");
    EXPECT_NE(shown.find("fe80::1 peer fe80::2a/128"), std::string::npos) << shown;
    EXPECT_NE(output_of("ip route show table 700").find("10.99.51.0/24 dev vpnha0"),
              std::string::npos);
    EXPECT_NE(output_of("ip -6 route show table 700").find("2001:db8:51::/48 dev vpnha0"),
              std::string::npos);
    remove(with);
    EXPECT_TRUE(eventually(nothing_left));
    EXPECT_EQ(output_of("ip -6 route show table 700").find("2001"), std::string::npos);
}

TEST_F(PppoL2tpTest, NetworksBehindAClientHaveTheirRuleFromThePromotionOn) {
    l2tp::SessionRecord with = record();
    with.facts.routes = {*parse_ip_prefix("10.99.51.0/24")};
    const auto leads = [](const std::string& to) {
        return output_of("ip route get " + to + " 2>/dev/null").find("dev vpnha") !=
               std::string::npos;
    };
    install(with);
    EXPECT_FALSE(leads("10.99.51.9"));
    ASSERT_TRUE(network_->add_addresses(kId));
    EXPECT_TRUE(leads("10.99.51.9"));
    EXPECT_TRUE(leads("10.64.1.5"));
    remove(with);
    ASSERT_TRUE(network_->remove_addresses(kId));
    install(record());
    ASSERT_TRUE(network_->add_addresses(kId));
    EXPECT_EQ(output_of("ip rule").find("suppress_prefixlength"), std::string::npos);
    install(with);
    EXPECT_TRUE(leads("10.99.51.9")) << "the node serves already";
}

TEST_F(PppoL2tpTest, ASessionThatOnlyEndsHereHasNoRoute) {
    l2tp::SessionRecord ending = record();
    ending.facts.peer_address = ip("10.77.1.3");
    ending.facts.routes = {*parse_ip_prefix("10.99.51.0/24")};
    ending.facts.obstacle = "the client's address 10.77.1.3 is that of node gw3";
    install(ending);
    ASSERT_TRUE(network_->add_addresses(kId));
    EXPECT_EQ(output_of("ip route show table 700 2>/dev/null"), "");
    EXPECT_EQ(output_of("ip rule").find("suppress_prefixlength"), std::string::npos);
    EXPECT_TRUE(sessions_->send_frame(kId, ending.key, Bytes{0xc0, 0x21, 5, 1, 0, 4}));
}

TEST_F(PppoL2tpTest, HandsControlMessagesAndLcpToTheListenerAndSendsTheAnswers) {
    ASSERT_TRUE(network_->add_addresses(kId));
    install(record());
    std::optional<StockPeer> peer;
    in_peer([&] { peer.emplace(record()); });
    ASSERT_TRUE(echo(record())) << "before control traffic, the neighbours know each other";

    const Bytes zlb = {0xc8, 0x02, 0x00, 0x0c, 0x12, 0x67, 0x00, 0x00, 0x00, 0x01, 0x00, 0x02};
    ASSERT_EQ(send(peer->udp(), zlb.data(), zlb.size(), 0), 12);
    listen();
    EXPECT_EQ(datagrams_, std::vector<std::string>{to_hex(zlb)});
    ASSERT_TRUE(sessions_->send_datagram(kId, record().key.tunnel, zlb));
    Bytes received(64);
    EXPECT_TRUE(eventually([&] { return recv(peer->udp(), received.data(), 64, 0) == 12; }));
    received.resize(12);
    EXPECT_EQ(received, zlb);

    const Bytes echo_request = {0xc0, 0x21, 9, 1, 0, 8, 1, 2, 3, 4};
    ASSERT_EQ(write(peer->channel(), echo_request.data(), echo_request.size()), 10);
    listen();
    EXPECT_EQ(frames_, std::vector<std::string>{to_hex(echo_request)});
    ASSERT_TRUE(sessions_->send_frame(kId, record().key, echo_request));
    received.resize(64);
    EXPECT_TRUE(eventually([&] { return read(peer->channel(), received.data(), 64) == 10; }));
    received.resize(10);
    EXPECT_EQ(received, echo_request);
}

TEST_F(PppoL2tpTest, HandsNetworkControlProtocolsToTheListener) {
    ASSERT_TRUE(network_->add_addresses(kId));
    install(record());
    std::optional<StockPeer> peer;
    in_peer([&] { peer.emplace(record()); });
    const Bytes ipcp = {0x80, 0x21, 5, 1, 0, 4};
    ASSERT_EQ(write(peer->channel(), ipcp.data(), ipcp.size()), 6);
    listen();
    EXPECT_EQ(frames_, std::vector<std::string>{to_hex(ipcp)});
}

TEST_F(PppoL2tpTest, ListenerMayRemoveTheSessionItLearnsOf) {
    ASSERT_TRUE(network_->add_addresses(kId));
    install(record());
    std::optional<StockPeer> peer;
    in_peer([&] { peer.emplace(record()); });
    remove_on_frame_ = true;
    const Bytes terminate = {0xc0, 0x21, 5, 1, 0, 4};
    ASSERT_EQ(write(peer->channel(), terminate.data(), terminate.size()), 6);
    ASSERT_EQ(write(peer->channel(), terminate.data(), terminate.size()), 6);
    listen();
    EXPECT_EQ(frames_.size(), 1U);
    EXPECT_TRUE(eventually(nothing_left));
}

TEST_F(PppoL2tpTest, InstallingTheSameAgainChangesNothing) {
    install(record());
    const std::string before = output_of("ip -br addr show type ppp");
    install(record());
    EXPECT_EQ(output_of("ip -br addr show type ppp"), before);
    EXPECT_EQ(tunnels().size(), 1U);
}

TEST_F(PppoL2tpTest, InstallingAChangedRecordTakesTheOldOnesPlace) {
    install(record());
    l2tp::SessionRecord changed = record();
    changed.facts.peer_address = ip("10.64.1.6");
    install(changed);
    EXPECT_TRUE(units_are(1)) << output_of("ip -br link");
    EXPECT_TRUE(has_route("10.64.1.6"));
    EXPECT_TRUE(eventually([] { return !has_route("10.64.1.5"); }));
}

TEST_F(PppoL2tpTest, SessionsOfOneTunnelEndEachForItself) {
    ASSERT_TRUE(network_->add_addresses(kId));
    l2tp::SessionRecord other = record(300);
    other.facts.peer_address = ip("10.64.1.6");
    install(other);
    install(record());
    EXPECT_EQ(tunnels().size(), 1U);
    remove(other);
    std::optional<StockPeer> peer;
    in_peer([&] { peer.emplace(record()); });
    EXPECT_TRUE(echo(record()));
    EXPECT_TRUE(units_are(1)) << output_of("ip -br link");
    remove(record());
    EXPECT_TRUE(eventually(nothing_left));
}

TEST_F(PppoL2tpTest, FailureLeavesNothing) {
    ASSERT_TRUE(ip_command("link add vpnha0 type dummy"));
    const auto failed = sessions_->install(kId, record());
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Errc::already_exists) << failed.error().detail;
    EXPECT_TRUE(eventually([] { return tunnels().empty(); }));
    EXPECT_TRUE(units_are(1)) << output_of("ip -br link");
    ASSERT_TRUE(ip_command("link delete vpnha0"));
    install(record());
    EXPECT_TRUE(units_are(1)) << output_of("ip -br link");
}

TEST_F(PppoL2tpTest, ATunnelThatTheKernelRefusedSpeaksByASocketAlone) {
    ASSERT_TRUE(network_->add_addresses(kId));
    ASSERT_TRUE(ip_command("link add vpnha0 type dummy"));
    ASSERT_FALSE(sessions_->install(kId, record()));
    ASSERT_TRUE(eventually([] { return tunnels().empty(); }));
    UniqueFd peer;
    in_peer([&] {
        peer = testing::udp_socket(record().key.tunnel.peer.address, record().key.tunnel.peer.port);
    });
    const Bytes word = {0xc8, 0x02, 0x00, 0x0c, 0x12, 0x67, 0x00, 0x00, 0x00, 0x01, 0x00, 0x02};
    ASSERT_TRUE(sessions_->send_datagram(kId, record().key.tunnel, word));
    EXPECT_TRUE(tunnels().empty());
    Bytes received(64);
    sockaddr_in from{};
    socklen_t size = sizeof from;
    ASSERT_TRUE(eventually([&] {
        return recvfrom(peer.get(), received.data(), 64, MSG_DONTWAIT,
                        reinterpret_cast<sockaddr*>(&from), &size) == 12;
    }));
    ASSERT_EQ(sendto(peer.get(), word.data(), word.size(), 0,
                     reinterpret_cast<const sockaddr*>(&from), size),
              12);
    listen();
    EXPECT_EQ(datagrams_, std::vector<std::string>{to_hex(word)});
    // Its own session takes the place of the socket, and goes with it.
    ASSERT_TRUE(ip_command("link delete vpnha0"));
    install(record());
    EXPECT_EQ(tunnels().size(), 1U);
    remove(record());
    EXPECT_TRUE(eventually(nothing_left));
    ASSERT_TRUE(sessions_->send_datagram(kId, record().key.tunnel, word));
    remove(record());
    EXPECT_EQ(output_of("ss -Hun sport = :1701"), "");
    EXPECT_FALSE(sessions_->send_datagram(GatewayId{9}, record().key.tunnel, word));
}

TEST_F(PppoL2tpTest, FailureOfASecondSessionLeavesTheFirst) {
    ASSERT_TRUE(network_->add_addresses(kId));
    install(record());
    ASSERT_TRUE(ip_command("link add vpnha1 type dummy"));
    ASSERT_FALSE(sessions_->install(kId, record(300)));
    std::optional<StockPeer> peer;
    in_peer([&] { peer.emplace(record()); });
    EXPECT_TRUE(echo(record()));
}

TEST_F(PppoL2tpTest, RefusesWhatTheGateWouldNotHide) {
    l2tp::SessionRecord foreign = record();
    foreign.key.tunnel.local.address = ip("192.0.2.1");
    EXPECT_EQ(sessions_->install(kId, foreign).error().code, Errc::invalid_argument);
    foreign = record();
    foreign.facts.our_address = ip("198.51.100.7");
    EXPECT_EQ(sessions_->install(kId, foreign).error().code, Errc::invalid_argument);
    EXPECT_EQ(sessions_->install(GatewayId{9}, record()).error().code, Errc::not_found);
    EXPECT_TRUE(nothing_left());
}

TEST_F(PppoL2tpTest, TakesTheNextKernelNameWhereOneIsTaken) {
    auto l2tp = L2tpNetlink::open();
    ASSERT_TRUE(l2tp);
    const UniqueFd udp = testing::udp_socket(ip("192.0.2.1"), 1702);
    const sockaddr_in somebody = testing::socket_address(ip("192.0.2.99"), 1701);
    ASSERT_EQ(connect(udp.get(), reinterpret_cast<const sockaddr*>(&somebody), sizeof somebody), 0);
    ASSERT_TRUE(l2tp->create_tunnel(0x10000 + 4711, TunnelId{5}, udp.get()));
    ASSERT_TRUE(network_->add_addresses(kId));
    install(record());
    EXPECT_EQ(tunnels(), (std::vector<std::uint32_t>{0x10000 + 4711, 0x20000 + 4711}));
    std::optional<StockPeer> peer;
    in_peer([&] { peer.emplace(record()); });
    EXPECT_TRUE(echo(record()));
}

TEST_F(PppoL2tpTest, LivesBesideAStockTunnelOfTheSameId) {
    ASSERT_TRUE(network_->add_addresses(kId));
    install(record());
    // Kernels since 6.11 have no two sessions with the same ids of tunnel and session.
    const StockPeer beside(stock_beside(SessionId{244}));
    EXPECT_EQ(tunnels(), (std::vector<std::uint32_t>{4711, 0x10000 + 4711}));
    std::optional<StockPeer> peer;
    in_peer([&] { peer.emplace(record()); });
    EXPECT_TRUE(echo(record()));
}

TEST_F(PppoL2tpTest, SendsNothingWhileHotBehindTheShutGate) {
    auto gate = BpfGate::create(config_);
    ASSERT_TRUE(gate);
    ASSERT_TRUE(gate->attach(kId));
    std::optional<Capture> wire;
    in_peer([&] { wire.emplace("peer0"); });
    install(record());
    ASSERT_TRUE(network_->add_addresses(kId));
    const auto announced = network_->announce(kId);
    ASSERT_TRUE(announced) << announced.error().detail;
    // The node's own software tries to reach the client, the client's tries to reach the node.
    const UniqueFd server = testing::udp_socket(record().facts.our_address, kProbePort);
    const sockaddr_in client = testing::socket_address(record().facts.peer_address, kProbePort);
    EXPECT_EQ(
        sendto(server.get(), "!", 1, 0, reinterpret_cast<const sockaddr*>(&client), sizeof client),
        1);
    ASSERT_TRUE(sessions_->send_frame(kId, record().key, Bytes{0xc0, 0x21, 9, 1, 0, 4}));
    for (const char* target : {"192.0.2.100", "10.64.0.1"}) {
        Bytes request = Frame().arp("192.0.2.51", target);
        std::fill_n(request.begin(), 6, std::uint8_t{0xff});
        wire->send_frame(request);
    }
    const auto spoken_for = wire->find(1s, [](const Bytes& frame) {
        ByteReader type(ByteView(frame).subspan(12));
        const std::uint16_t ether_type = type.u16();
        ByteReader source(ByteView(frame).subspan(ether_type == 0x0806 ? 28 : 26));
        const Ipv4Address address{source.u32()};
        return (ether_type == 0x0806 || ether_type == 0x0800) && source.ok() &&
               (address == ip("192.0.2.100") || address == ip("10.64.0.1") ||
                address == ip("10.64.1.5"));
    });
    EXPECT_EQ(spoken_for, std::nullopt) << to_hex(*spoken_for);
    const auto counters = gate->counters(kId);
    ASSERT_TRUE(counters);
    EXPECT_GE(counters->dropped(GateDirection::out), 3U)
        << "announcement, datagram or its ARP, LCP";
    EXPECT_GE(counters->dropped(GateDirection::in), 2U) << "two ARP requests";
}

TEST_F(PppoL2tpTest, IsSilentByItselfWhileHot) {
    std::optional<Capture> wire;
    in_peer([&] { wire.emplace("peer0"); });
    install(record());
    const auto received = wire->find(1s, [](const Bytes& frame) {
        return frame.size() > 23 && frame[12] == 0x08 && frame[13] == 0x00;
    });
    EXPECT_EQ(received, std::nullopt) << to_hex(*received);
    const std::string statistics = output_of("ip -s link show vpnha0");
    const auto sent = statistics.find("TX:");
    ASSERT_NE(sent, std::string::npos);
    const auto line = statistics.find('\n', sent) + 1;
    EXPECT_EQ(statistics.substr(statistics.find_first_not_of(' ', line), 2), "0 ") << statistics;
}

TEST_F(PppoL2tpTest, DeathOfTheProcessLeavesNothing) {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        const bool installed = sessions_->install(kId, record()).has_value();
        static_cast<void>(!write(ready[1], installed ? "1" : "0", 1));
        pause();
        _exit(0);
    }
    char installed = 0;
    ASSERT_EQ(read(ready[0], &installed, 1), 1);
    EXPECT_EQ(installed, '1');
    EXPECT_TRUE(units_are(1)) << output_of("ip -br link");
    ASSERT_EQ(kill(child, SIGKILL), 0);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    EXPECT_TRUE(eventually(nothing_left)) << output_of("ip -br link");
    close(ready[0]);
    close(ready[1]);
    install(record());
}

TEST_F(PppoL2tpTest, HoldsAThousandSessions) {
    constexpr std::uint16_t kCount = 1000;
    std::vector<l2tp::SessionRecord> records(kCount, record());
    for (std::uint16_t i = 0; i < kCount; ++i) {
        records[i].key.tunnel.id = TunnelId{static_cast<std::uint16_t>(1000 + i)};
        records[i].key.tunnel.peer.address = {ip("192.0.2.51").value};
        records[i].key.tunnel.peer.port = static_cast<std::uint16_t>(20'000 + i);
        records[i].facts.peer_address = {ip("10.64.1.0").value + i};
    }
    const auto per_session_us = [](auto from, auto to) {
        return std::chrono::duration_cast<std::chrono::microseconds>(to - from).count() / kCount;
    };
    const auto start = std::chrono::steady_clock::now();
    for (const auto& one : records) {
        install(one);
    }
    const auto hot = std::chrono::steady_clock::now();
    EXPECT_TRUE(units_are(kCount)) << output_of("ip -br link");
    const auto counted = std::chrono::steady_clock::now();
    EXPECT_EQ(sessions_->audit(kId)->size(), kCount);
    const auto audited = std::chrono::steady_clock::now();
    for (const auto& one : records) {
        remove(one);
    }
    const auto gone = std::chrono::steady_clock::now();
    fmt::print("install {} us, audit {} us, remove {} us per session\n", per_session_us(start, hot),
               per_session_us(counted, audited), per_session_us(audited, gone));
    EXPECT_TRUE(eventually(nothing_left));
}

}  // namespace
}  // namespace vpnha::adapters
