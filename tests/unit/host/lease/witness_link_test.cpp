// SPDX-License-Identifier: GPL-2.0-or-later
// A node and a host beside it, in network namespaces of the test's own; the witness is on the host.
#include "host/lease/witness_link.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <sys/mount.h>

#include <fstream>
#include <functional>

#include "cluster/lease/witness_host.hpp"
#include "host/lease/lease_links.hpp"
#include "host/lease/new_instance.hpp"
#include "host/lease/witness_source.hpp"
#include "support/temporary_path.hpp"
#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {
namespace witness_link_test {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using vpnha::testing::ip_command;
using vpnha::testing::prefix;

constexpr GatewayId kGateway{1};
constexpr std::uint16_t kPort = 5421;
const std::string kKey(128, 'k');
const std::string kName = "wit1";

SocketAddress address(const std::string& host, std::uint16_t port = kPort) {
    return find_addresses(host, port, AF_UNSPEC, AI_NUMERICHOST).value().front();
}

std::string source(const std::string& to, const std::vector<IpPrefix>& covered = {}) {
    const Result<SocketAddress> found = source_to(address(to), covered);
    return found ? to_string(found->ip()) : found.error().detail;
}

lease::Sender witness_self() {
    return {lease::kWitness, {}, *new_instance()};
}

// A witness at an address of this machine.
class FakeWitness {
  public:
    FakeWitness(QbLoop& loop, const std::string& at, const std::string& name = kName)
        : loop_(loop),
          key_(lease::LeaseKey::of_witness(kKey, name)),
          self_(witness_self()),
          host_(self_, {}, key_, {}, QbLoop::now()),
          fd_(socket(address(at).family(), SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
        const SocketAddress own = address(at);
        EXPECT_EQ(bind(fd_.get(), own.get(), own.size), 0);
        EXPECT_TRUE(loop.watch(fd_.get(), [this] { receive(); }));
    }
    ~FakeWitness() { loop_.unwatch(fd_.get()); }
    FakeWitness(const FakeWitness&) = delete;
    FakeWitness& operator=(const FakeWitness&) = delete;

    // To where the newest datagram came from, in its own name or that of `node`.
    void emit(const lease::Message& message, NodeId node = lease::kWitness) {
        send(lease::encode({kGateway, {node, {}, self_.instance}, 1'000'000 + ++emitted_, message},
                           key_));
    }
    void send(const Bytes& bytes) {
        EXPECT_EQ(
            sendto(fd_.get(), bytes.data(), bytes.size(), 0, newest_from.get(), newest_from.size),
            static_cast<ssize_t>(bytes.size()));
    }
    SocketAddress newest_from;
    Bytes newest;
    int received = 0;

  private:
    void receive() {
        LeaseCounters counters;
        read_lease_socket(
            fd_.get(), counters, [](const SocketAddress&) { return true; },
            [this](ByteView bytes, const SocketAddress& from) {
                newest_from = from;
                newest.assign(bytes.begin(), bytes.end());
                ++received;
                for (const auto& packet :
                     host_.on_datagram(bytes, to_string(from.ip()), QbLoop::now()).packets) {
                    send(packet.bytes);
                }
            });
    }

    QbLoop& loop_;
    lease::LeaseKey key_;
    lease::Sender self_;
    lease::WitnessHost host_;
    UniqueFd fd_;
    std::uint64_t emitted_ = 0;
};

class WitnessLinkTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(unshare(CLONE_NEWNET), 0) << "needs root";
        ASSERT_TRUE(ip_command("link set lo up"));
        for (const char* command :
             {"link add out0 type veth peer name peer0", "link set out0 up", "link set peer0 up",
              "address add 192.0.2.1/24 dev out0", "address add 2001:db8::1/64 dev out0 nodad",
              "route add 198.51.100.0/24 dev out0 src 192.0.2.1"}) {
            ASSERT_TRUE(ip_command(command)) << command;
        }
    }

    void open(const std::vector<config::HostPort>& addresses,
              const std::vector<IpPrefix>& covered = {}) {
        link_.emplace(
            loop_, WitnessOptions{{kName, addresses}, covered},
            lease::Sender{NodeId{1}, {}, *new_instance()}, kKey,
            std::vector<GatewayId>{kGateway, GatewayId{2}},
            [this](GatewayId gateway, const lease::Sender& sender, const lease::Message& message) {
                received_.emplace_back(gateway, sender, message);
            });
    }
    // Until that is true, or for 5 s.
    bool run_until(const std::function<bool()>& done) {
        const TimePoint end = QbLoop::now() + std::chrono::seconds(5);
        while (!done() && QbLoop::now() < end) {
            loop_.set_timer(1, QbLoop::now() + std::chrono::milliseconds(5),
                            [this] { loop_.stop(); });
            loop_.run();
        }
        return done();
    }
    // It says hello to both gateways when it is heard, and again when it hears this node.
    void meet() {
        ASSERT_TRUE(run_until([this] { return received_.size() == 4; }));
        received_.clear();
    }
    WitnessLink& link() { return *link_; }

    QbLoop loop_;
    std::optional<WitnessLink> link_;
    std::vector<std::tuple<GatewayId, lease::Sender, lease::Message>> received_;
};

using WitnessSourceTest = WitnessLinkTest;

TEST_F(WitnessSourceTest, IsWhatTheRoutesReport) {
    EXPECT_EQ(source("192.0.2.7"), "192.0.2.1");
    EXPECT_EQ(source("198.51.100.7"), "192.0.2.1");
    EXPECT_EQ(source("2001:db8::7"), "2001:db8::1");
    EXPECT_THAT(source("203.0.113.7"), HasSubstr("unreachable"));
}

TEST_F(WitnessSourceTest, IsNeverAGatewaysOwn) {
    const std::vector<IpPrefix> covered{prefix("192.0.2.1/32"), prefix("2001:db8::1/128")};
    EXPECT_THAT(source("192.0.2.7", covered),
                HasSubstr("leaves from 192.0.2.1, which is a gateway's own, and out0 has no other "
                          "address of that family; give it one"));
    EXPECT_THAT(source("2001:db8::7", covered), HasSubstr("leaves from 2001:db8::1, which"));
    ASSERT_TRUE(ip_command("address add 192.0.2.9/24 dev out0"));
    ASSERT_TRUE(ip_command("address add 2001:db8::9/64 dev out0 nodad"));
    ASSERT_TRUE(ip_command("address add 127.0.0.9/32 dev lo"));
    EXPECT_EQ(source("192.0.2.7", covered), "192.0.2.9");
    EXPECT_EQ(source("198.51.100.7", covered), "192.0.2.9");
    EXPECT_EQ(source("2001:db8::7", covered), "2001:db8::9");
}

TEST_F(WitnessLinkTest, ANodeAndAWitnessMeetAndEachHelloIsAnswered) {
    FakeWitness witness(loop_, "192.0.2.1");
    open({{"192.0.2.1", kPort}});
    meet();
    link().send(kGateway, lease::Hello{});
    ASSERT_TRUE(run_until([this] { return received_.size() == 2; }));
    EXPECT_EQ(std::get<0>(received_[0]), kGateway);
    EXPECT_EQ(std::get<0>(received_[1]), GatewayId{2}) << "a Hello is of all gateways";
    EXPECT_EQ(std::get<1>(received_[0]).node, lease::kWitness);
    EXPECT_EQ(link().counters().forged + link().counters().malformed, 0U);
}

TEST_F(WitnessLinkTest, AllAddressesGetEachDatagramAndItComesOnce) {
    FakeWitness one(loop_, "192.0.2.1");
    FakeWitness other(loop_, "2001:db8::1");
    open({{"192.0.2.1", kPort}, {"2001:db8::1", kPort}});
    ASSERT_TRUE(run_until([&] { return one.received > 0 && other.received > 0; }));
    EXPECT_EQ(link().counters().unsent, 0U);
}

TEST_F(WitnessLinkTest, ItIsSentFromNoAddressOfAGateway) {
    ASSERT_TRUE(ip_command("address add 192.0.2.9/24 dev out0"));
    FakeWitness witness(loop_, "192.0.2.1");
    // Towards an address of its own the kernel takes that one.
    open({{"192.0.2.1", kPort}}, {prefix("192.0.2.1/32")});
    ASSERT_TRUE(run_until([&] { return witness.received > 0; }));
    EXPECT_EQ(to_string(witness.newest_from.ip()), "192.0.2.9");
}

TEST_F(WitnessLinkTest, WithoutAnAddressThatIsFreeNothingIsSent) {
    FakeWitness witness(loop_, "192.0.2.1");
    open({{"192.0.2.1", kPort}}, {prefix("192.0.2.0/24")});
    link().send(kGateway, lease::Hello{});
    EXPECT_EQ(link().counters().unsent, 2U);
    EXPECT_EQ(link().counters().sent, 0U);
}

TEST_F(WitnessLinkTest, WhatIsNoWordOfAWitnessIsDropped) {
    FakeWitness witness(loop_, "192.0.2.1");
    open({{"192.0.2.1", kPort}});
    meet();
    witness.emit(lease::Recall{});
    ASSERT_TRUE(run_until([this] { return received_.size() == 1; }));
    received_.clear();
    witness.emit(lease::Release{{7, NodeId{2}}, true, false});
    witness.emit(lease::MarkRequest{NodeId{1}, {}});
    ASSERT_TRUE(run_until([this] { return link().counters().malformed == 2; }));
    EXPECT_THAT(received_, IsEmpty());
}

TEST_F(WitnessLinkTest, WhatIsOfANodeOrOfAnotherKeyIsDropped) {
    FakeWitness witness(loop_, "192.0.2.1");
    open({{"192.0.2.1", kPort}});
    meet();
    const std::uint64_t replayed = link().counters().replayed;
    witness.send(witness.newest);  // Sent back.
    witness.emit(lease::Recall{}, NodeId{2});
    ASSERT_TRUE(run_until([&] { return link().counters().replayed == replayed + 2; }));
    const lease::LeaseKey nodes(kKey);
    witness.send(lease::encode({kGateway, {lease::kWitness, {}, {}}, 1, lease::Recall{}}, nodes));
    ASSERT_TRUE(run_until([this] { return link().counters().forged == 1; }));
    EXPECT_THAT(received_, IsEmpty());
}

TEST_F(WitnessLinkTest, AWitnessOfAnotherNameIsNotReceived) {
    FakeWitness witness(loop_, "192.0.2.1", "wit2");
    open({{"192.0.2.1", kPort}});
    ASSERT_TRUE(run_until([&] { return witness.received > 0; }));
    EXPECT_THAT(received_, IsEmpty());
}

TEST_F(WitnessLinkTest, WhatComesFromElsewhereCostsItsReadingOnly) {
    FakeWitness witness(loop_, "192.0.2.1");
    FakeWitness stranger(loop_, "127.0.0.1");
    open({{"192.0.2.1", kPort}});
    meet();
    ASSERT_TRUE(ip_command("address add 192.0.2.9/24 dev out0"));
    stranger.newest_from = witness.newest_from;
    stranger.emit(lease::Recall{});
    ASSERT_TRUE(run_until([this] { return link().counters().strangers == 1; }));
    EXPECT_EQ(link().counters().unproven, 0U);
}

TEST_F(WitnessLinkTest, ANameIsLookedUpBesideTheLoopAndItsLastAddressesHold) {
    ASSERT_EQ(unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    const std::string hosts = temporary_path("hosts");
    std::ofstream(hosts) << "192.0.2.1 wit1.example.net\n";
    ASSERT_EQ(mount(hosts.c_str(), "/etc/hosts", nullptr, MS_BIND, nullptr), 0);
    FakeWitness witness(loop_, "192.0.2.1");
    open({{"wit1.example.net", kPort}});
    EXPECT_EQ(link().counters().sent, 0U) << "the loop does not wait for a name";
    ASSERT_TRUE(run_until([&] {
        link().send(kGateway, lease::Hello{});
        return witness.received > 0;
    }));
}

TEST_F(WitnessLinkTest, TheLinksOfTheClusterSendToItByThisWay) {
    FakeWitness witness(loop_, "192.0.2.1");
    int received = 0;
    auto links = LeaseLinks::open(
        loop_,
        {.self = {NodeId{1}, {}, *new_instance()},
         .port = 5420,
         .nodes = {{NodeId{1}, {"127.0.0.1"}, ""}, {NodeId{2}, {"127.0.0.2"}, ""}},
         .voters = {NodeId{1}, NodeId{2}, lease::kWitness},
         .cluster_key = kKey,
         .gateways = {kGateway},
         .witness = {{kName, {{"192.0.2.1", kPort}}}, {}}},
        [&](GatewayId, const lease::Sender& sender, const lease::Message&) {
            received += sender.node == lease::kWitness ? 1 : 0;
        },
        [](NodeId) {});
    ASSERT_TRUE(links) << links.error().detail;
    ASSERT_TRUE(run_until([&] { return received == 2; }));
    const std::uint64_t sent = (*links)->counters().sent;
    (*links)->send(kGateway, lease::kWitness, lease::Hello{});
    EXPECT_EQ((*links)->counters().sent, sent + 1);
    ASSERT_TRUE(run_until([&] { return received == 3; }));
}

}  // namespace witness_link_test
}  // namespace vpnha::adapters
