// SPDX-License-Identifier: GPL-2.0-or-later
// Two nodes on loopback addresses, in a network namespace of the test's own.
#include "host/lease/lease_links.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>

#include "host/lease/new_instance.hpp"
#include "support/temporary_path.hpp"
#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {
namespace lease_links_test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using vpnha::testing::ip_command;

constexpr GatewayId kGateway{1};
constexpr std::uint16_t kPort = 5420;
const std::string kKey(128, 'k');

std::vector<ClusterNode> nodes() {
    return {{NodeId{1}, {"127.0.0.1", "127.0.1.1"}, ""},
            {NodeId{2}, {"127.0.0.2", "127.0.1.2"}, ""}};
}

// One vpnhad's end of the links.
class Party {
  public:
    Party(QbLoop& loop, std::uint32_t node, const std::string& key = kKey,
          const std::vector<ClusterNode>& listed = nodes(), const std::vector<NodeId>& voters = {},
          NameAddress name_address = NameAddress::ipv6_first) {
        const lease::Sender self{NodeId{node}, {}, *new_instance()};
        auto links = LeaseLinks::open(
            loop,
            {.self = self,
             .port = kPort,
             .nodes = listed,
             .name_address = name_address,
             .voters = voters,
             .cluster_key = key,
             .gateways = {kGateway}},
            [this, &loop](GatewayId, const lease::Sender& sender, const lease::Message& message) {
                received.emplace_back(sender, message);
                loop.set_timer(1, QbLoop::now(), [&loop] { loop.stop(); });
            },
            [this, &loop](NodeId from) {
                echoed.push_back(from);
                loop.set_timer(1, QbLoop::now(), [&loop] { loop.stop(); });
            });
        EXPECT_TRUE(links) << links.error().detail;
        links_ = std::move(*links);
    }

    LeaseLinks& links() { return *links_; }
    std::vector<std::pair<lease::Sender, lease::Message>> received;
    std::vector<NodeId> echoed;

  private:
    std::unique_ptr<LeaseLinks> links_;
};

// Of node 2, one of its addresses: where what comes there was sent from.
class Ear {
  public:
    explicit Ear(const char* address) : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(kPort);
        inet_pton(AF_INET, address, &at.sin_addr);
        EXPECT_EQ(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    }
    void send(const char* to, const Bytes& bytes) const {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(kPort);
        inet_pton(AF_INET, to, &at.sin_addr);
        EXPECT_EQ(sendto(fd_.get(), bytes.data(), bytes.size(), 0,
                         reinterpret_cast<const sockaddr*>(&at), sizeof at),
                  static_cast<ssize_t>(bytes.size()));
    }
    // Over loopback it is there when it is sent.
    std::vector<std::string> received() const {
        std::vector<std::string> sources;
        sockaddr_in from{};
        socklen_t size = sizeof from;
        std::array<char, 4096> bytes{};
        while (recvfrom(fd_.get(), bytes.data(), bytes.size(), 0,
                        reinterpret_cast<sockaddr*>(&from), &size) >= 0) {
            std::array<char, INET_ADDRSTRLEN> text{};
            sources.emplace_back(inet_ntop(AF_INET, &from.sin_addr, text.data(), text.size()));
        }
        return sources;
    }

  private:
    UniqueFd fd_;
};

class LeaseLinksTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(unshare(CLONE_NEWNET), 0) << "needs root";
        ASSERT_TRUE(ip_command("link set lo up"));
    }
    // The names "own" and "peer" have an address of either family from now on, "four" has one of
    // IPv4 alone.
    static void name_both_families() {
        ASSERT_EQ(unshare(CLONE_NEWNS), 0);
        ASSERT_EQ(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
        const std::string hosts = temporary_path("hosts");
        std::ofstream(hosts) << "127.0.0.1 localhost\nfd00::1 own\n127.0.0.1 own four\n127.0.0.2 "
                                "peer\nfd00::2 peer\n";
        ASSERT_EQ(mount(hosts.c_str(), "/etc/hosts", nullptr, MS_BIND, nullptr), 0);
        ASSERT_TRUE(ip_command("address add fd00::1/128 dev lo nodad"));
        ASSERT_TRUE(ip_command("address add fd00::2/128 dev lo nodad"));
    }
    // Until something was heard, or for a while.
    void run(Duration at_most = std::chrono::seconds(5)) {
        loop_.set_timer(2, QbLoop::now() + at_most, [this] { loop_.stop(); });
        loop_.run();
    }

    // Until they hear each other, and nothing is on its way any more; what was heard is forgotten.
    void meet(Party& one, Party& two) {
        while (one.received.empty() || two.received.empty()) {
            run();
        }
        run(std::chrono::milliseconds(20));
        one.received.clear();
        two.received.clear();
    }

    // The outcome, when there is one.
    static std::optional<Errc> code_of(const std::optional<Result<void>>& done) {
        return !done || *done ? std::nullopt : std::optional(done->error().code);
    }

    QbLoop loop_;
};

TEST_F(LeaseLinksTest, EachDatagramIsReceivedOnceThoughItComesByEveryLink) {
    Party one(loop_, 1);
    Party two(loop_, 2);
    meet(one, two);
    const LeaseCounters before = two.links().counters();
    one.links().send(kGateway, NodeId{2}, lease::Release{{7, NodeId{1}}});
    while (two.links().counters().received < before.received + 2) {
        run();
    }
    ASSERT_EQ(two.received.size(), 1U);
    EXPECT_EQ(two.received[0].first.node, NodeId{1});
    EXPECT_EQ(two.received[0].second, lease::Message(lease::Release{{7, NodeId{1}}}));
    EXPECT_EQ(two.links().counters().replayed, before.replayed + 1);
}

// Node 2 has no vpnhad here: the kernel answers, on each link of either family.
TEST_F(LeaseLinksTest, TheKernelOfANodeWithoutAVpnhadAnswersAnEcho) {
    for (const char* address : {"fd00::1", "fd00::2"}) {
        ASSERT_TRUE(ip_command("address add " + std::string(address) + "/128 dev lo nodad"));
    }
    Party one(
        loop_, 1, kKey,
        {{NodeId{1}, {"127.0.0.1", "fd00::1"}, ""}, {NodeId{2}, {"127.0.0.2", "fd00::2"}, ""}});
    one.links().ask_for_echo(NodeId{2});
    while (one.echoed.size() < 2) {
        run();
    }
    EXPECT_THAT(one.echoed, ElementsAre(NodeId{2}, NodeId{2}));
    one.links().ask_for_echo(NodeId{3});
    run(std::chrono::milliseconds(20));
    EXPECT_EQ(one.echoed.size(), 2U) << "a node that nobody knows";
}

// From the right address, and without the octets of the question.
TEST_F(LeaseLinksTest, AnEchoReplyThatRepeatsNoQuestionIsNothing) {
    std::ofstream("/proc/sys/net/ipv4/icmp_echo_ignore_all") << "1";  // Of this namespace.
    Party one(loop_, 1);
    one.links().ask_for_echo(NodeId{2});
    const UniqueFd forger(::socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
    sockaddr_in from{};
    from.sin_family = AF_INET;
    inet_pton(AF_INET, "127.0.0.2", &from.sin_addr);
    ASSERT_EQ(bind(forger.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from), 0);
    sockaddr_in to = from;
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{8}, std::size_t{24}}) {
        const Bytes reply(size);  // Of type 0, echo reply.
        ::sendto(forger.get(), reply.data(), reply.size(), 0,
                 reinterpret_cast<const sockaddr*>(&to), sizeof to);
    }
    run(std::chrono::milliseconds(50));
    EXPECT_THAT(one.echoed, IsEmpty());
}

TEST_F(LeaseLinksTest, NodesMeetWhenTheSecondOneStarts) {
    Party one(loop_, 1);
    Party two(loop_, 2);
    while (one.received.empty() || two.received.empty()) {
        run();
    }
    EXPECT_EQ(one.received[0].first.node, NodeId{2});
    EXPECT_TRUE(std::holds_alternative<lease::Hello>(one.received[0].second));
    EXPECT_EQ(two.received[0].first.node, NodeId{1});
    // By two links, and not on and on.
    run(std::chrono::milliseconds(50));
    EXPECT_LE(one.links().counters().sent + two.links().counters().sent, 10U);
}

TEST_F(LeaseLinksTest, ALifeThatWasNotMetIsReceivedAfterItsFirstWord) {
    Party one(loop_, 1);
    auto two = std::make_unique<Party>(loop_, 2);
    meet(one, *two);
    // Installed anew: it knows nothing of its life before. Its first hello is lost.
    two.reset();
    ASSERT_TRUE(ip_command("link set lo down"));
    two = std::make_unique<Party>(loop_, 2);
    ASSERT_TRUE(ip_command("link set lo up"));
    const lease::Message word = lease::Release{{7, NodeId{2}}};
    while (one.received.empty() || one.received.back().second != word) {
        two->links().send(kGateway, NodeId{1}, word);
        run(std::chrono::milliseconds(20));
    }
    EXPECT_GT(one.links().counters().unproven, 0U);
    EXPECT_TRUE(std::holds_alternative<lease::Hello>(one.received.front().second))
        << "before a life has shown that it speaks now, none of its words is heard";
}

TEST_F(LeaseLinksTest, OneLinkIsEnough) {
    Party one(loop_, 1);
    Party two(loop_, 2);
    meet(one, two);
    const std::uint64_t received = two.links().counters().received;
    ASSERT_TRUE(ip_command("route add blackhole 127.0.0.2/32 table local"));
    ASSERT_TRUE(ip_command("route del local 127.0.0.0/8 dev lo table local"));
    ASSERT_TRUE(ip_command("route add local 127.0.1.0/24 dev lo table local"));
    one.links().send(kGateway, NodeId{2}, lease::Hello{});
    while (two.received.empty()) {
        run();
    }
    EXPECT_EQ(two.links().counters().received, received + 1);
}

TEST_F(LeaseLinksTest, AReloadAddsRemovesAndMovesLinksOfBothSides) {
    const Ear first("127.0.0.2");
    const Ear second("127.0.1.2");
    Party one(loop_, 1);
    EXPECT_THAT(first.received(), ElementsAre("127.0.0.1"));
    EXPECT_THAT(second.received(), ElementsAre("127.0.1.1"));
    using Links = std::vector<std::string>;
    const struct {
        const char* description;
        Links own;
        Links peer;
        Links at_first;
        Links at_second;
    } cases[] = {
        {"link 0 removed", {"", "127.0.1.1"}, {"", "127.0.1.2"}, {}, {"127.0.1.1"}},
        {"added again",
         {"127.0.0.1", "127.0.1.1"},
         {"127.0.0.2", "127.0.1.2"},
         {"127.0.0.1"},
         {"127.0.1.1"}},
        {"one of its own moved",
         {"127.0.0.1", "127.0.1.9"},
         {"127.0.0.2", "127.0.1.2"},
         {"127.0.0.1"},
         {"127.0.1.9"}},
        {"both exchanged",
         {"127.0.1.9", "127.0.0.1"},
         {"127.0.1.2", "127.0.0.2"},
         {"127.0.0.1"},
         {"127.0.1.9"}},
        {"the other one's removed first",
         {"127.0.1.9", "127.0.0.1"},
         {"127.0.1.2"},
         {},
         {"127.0.1.9"}},
        {"its own removed first", {"127.0.1.9"}, {"127.0.1.2", "127.0.0.2"}, {}, {"127.0.1.9"}},
        {"taken out of the cluster", {}, {"127.0.1.2"}, {}, {"127.0.1.9"}},
    };
    for (const auto& test : cases) {
        std::optional<Result<void>> done;
        one.links().set_nodes({{NodeId{1}, test.own, ""}, {NodeId{2}, test.peer, ""}},
                              [&done](const Result<void>& result) { done = result; });
        ASSERT_TRUE(done && *done) << test.description;
        one.links().send(kGateway, NodeId{2}, lease::Hello{});
        EXPECT_EQ(first.received(), test.at_first) << test.description;
        EXPECT_EQ(second.received(), test.at_second) << test.description;
    }
}

TEST_F(LeaseLinksTest, ANewAddressOfItsOwnIsReceivedAndATakenOneChangesNothing) {
    Party one(loop_, 1);
    Party two(loop_, 2);
    meet(one, two);
    const std::vector<ClusterNode> moved{{NodeId{1}, {"127.0.0.9"}, ""},
                                         {NodeId{2}, {"127.0.0.2"}, ""}};
    const Ear taken("127.0.0.9");
    std::optional<Result<void>> done;
    const auto take = [&done](const Result<void>& result) { done = result; };
    one.links().set_nodes(moved, take);
    EXPECT_EQ(code_of(done), Errc::system);
    one.links().send(kGateway, NodeId{2}, lease::Hello{});
    two.received.clear();
    while (two.received.empty()) {
        run();
    }
    one.links().set_nodes({{NodeId{1}, {"127.0.0.8"}, ""}, {NodeId{2}, {"127.0.0.2"}, ""}}, take);
    two.links().set_nodes({{NodeId{1}, {"127.0.0.8"}, ""}, {NodeId{2}, {"127.0.0.2"}, ""}}, take);
    ASSERT_TRUE(done && *done);
    one.received.clear();
    two.links().send(kGateway, NodeId{1}, lease::Release{{7, NodeId{1}}});
    while (one.received.empty() ||
           one.received.back().second != lease::Message(lease::Release{{7, NodeId{1}}})) {
        run();
    }
}

const std::vector<NodeId> kBoth{NodeId{1}, NodeId{2}};
const lease::Message kWord = lease::Release{{7, NodeId{1}}};

// A change of the voters takes a majority of the list before: of two, both.
TEST_F(LeaseLinksTest, AVoterThatCorosyncListsNoMoreIsReceivedUntilTheLastListHasLostIt) {
    Party one(loop_, 1);
    Party two(loop_, 2);
    meet(one, two);
    one.links().set_voters(kBoth);
    const auto take = [](const Result<void>& result) { EXPECT_TRUE(result); };
    one.links().set_nodes({nodes()[0]}, take);
    // Taken out on both nodes: each names itself no more, or the other one.
    two.links().set_voters(kBoth);
    two.links().set_nodes({nodes()[0]}, take);
    one.links().send(kGateway, NodeId{2}, kWord);
    while (two.received.empty()) {
        run();
    }
    EXPECT_EQ(two.received[0].second, kWord);
    two.links().send(kGateway, NodeId{1}, kWord);
    while (one.received.empty()) {
        run();
    }
    EXPECT_EQ(one.received[0].second, kWord);
    one.received.clear();
    two.received.clear();
    one.links().set_voters({NodeId{1}});
    const std::uint64_t sent = one.links().counters().sent;
    one.links().send(kGateway, NodeId{2}, kWord);
    two.links().send(kGateway, NodeId{1}, kWord);
    run(std::chrono::milliseconds(50));
    EXPECT_EQ(one.links().counters().sent, sent);
    EXPECT_THAT(one.received, IsEmpty());
    EXPECT_THAT(two.received, IsEmpty());
}

TEST_F(LeaseLinksTest, AVpnhadThatStartsMeetsARemovedVoterWhereItSendsFrom) {
    Party two(loop_, 2);
    Party one(loop_, 1, kKey, {nodes()[0]}, kBoth);
    // Each vpnhad sends hellos to all voters.
    two.links().send(kGateway, NodeId{1}, lease::Hello{});
    meet(one, two);
    const std::uint64_t replayed = two.links().counters().replayed;
    one.links().send(kGateway, NodeId{2}, kWord);
    while (two.received.empty()) {
        run();
    }
    EXPECT_EQ(two.received[0].second, kWord);
    while (two.links().counters().replayed == replayed) {
        run(std::chrono::milliseconds(20));  // It comes by the second link, too.
    }
}

// A copy of what it has sent in a life before, from another address.
TEST_F(LeaseLinksTest, ACopyFromAnotherAddressDoesNotMoveARemovedVoter) {
    Party two(loop_, 2);
    Party one(loop_, 1, kKey, {nodes()[0]}, kBoth);
    two.links().send(kGateway, NodeId{1}, lease::Hello{});
    meet(one, two);
    const lease::Sender before{NodeId{2}, {}, *new_instance()};
    const Bytes copy =
        lease::encode({kGateway, before, 1, lease::Hello{9, {}}}, lease::LeaseKey(kKey));
    const Ear other("127.0.0.7");
    other.send("127.0.0.1", copy);
    run(std::chrono::milliseconds(20));
    EXPECT_THAT(other.received(), IsEmpty());
    one.links().send(kGateway, NodeId{2}, kWord);
    while (two.received.empty()) {
        run();
    }
    EXPECT_THAT(other.received(), IsEmpty());
}

TEST_F(LeaseLinksTest, NamesAreResolvedBesideTheLoopAndTheNewestListWins) {
    name_both_families();
    const Ear first("127.0.0.2");
    Party one(loop_, 1);
    EXPECT_EQ(first.received().size(), 1U);
    const auto with = [](const char* name) {
        return std::vector<ClusterNode>{{NodeId{1}, {"127.0.0.1"}, ""}, {NodeId{2}, {name}, ""}};
    };
    std::vector<std::string> done;
    const auto notified = [&](const char* list) {
        return [&done, &loop = loop_, list](const Result<void>& result) {
            done.push_back(std::string(list) + (result ? "" : " failed"));
            loop.stop();
        };
    };
    one.links().set_nodes(with("no.such.host.invalid"), notified("unknown"));
    EXPECT_THAT(done, IsEmpty()) << "not within the call";
    run();
    EXPECT_THAT(done, ElementsAre("unknown failed"));
    one.links().send(kGateway, NodeId{2}, lease::Hello{});
    EXPECT_EQ(first.received().size(), 1U) << "what could not be resolved changes nothing";
    const Ear local("127.0.0.7");
    done.clear();
    one.links().set_nodes(with("localhost"), notified("older"));
    one.links().set_nodes(with("127.0.0.7"), notified("newer"));
    EXPECT_THAT(done, ElementsAre("newer"));
    run(std::chrono::milliseconds(200));
    EXPECT_THAT(done, ElementsAre("newer"));
    one.links().send(kGateway, NodeId{2}, lease::Hello{});
    EXPECT_EQ(local.received().size(), 1U);
    one.links().set_nodes(with("localhost"), notified("newest"));
    while (done.size() < 2) {
        run();
    }
    EXPECT_THAT(done, ElementsAre("newer", "newest"));
}

TEST_F(LeaseLinksTest, ANamesAddressIsOfCorosyncsFamily) {
    name_both_families();
    const std::vector<ClusterNode> names{{NodeId{1}, {"own"}, ""}, {NodeId{2}, {"peer"}, ""}};
    const std::vector<ClusterNode> ipv4{{NodeId{1}, {"127.0.0.1"}, ""},
                                        {NodeId{2}, {"127.0.0.2"}, ""}};
    const std::vector<ClusterNode> ipv6{{NodeId{1}, {"fd00::1"}, ""}, {NodeId{2}, {"fd00::2"}, ""}};
    for (const auto& [taken, numbers] : {std::pair(NameAddress::ipv4, &ipv4),
                                         {NameAddress::ipv4_first, &ipv4},
                                         {NameAddress::ipv6, &ipv6},
                                         {NameAddress::ipv6_first, &ipv6}}) {
        Party one(loop_, 1, kKey, names, {}, taken);
        Party two(loop_, 2, kKey, *numbers);
        meet(one, two);
        one.links().send(kGateway, NodeId{2}, lease::Hello{});
        run();
        EXPECT_FALSE(two.received.empty()) << static_cast<int>(taken);
    }
}

TEST_F(LeaseLinksTest, ALinkOfTwoFamiliesIsRefused) {
    name_both_families();
    const std::vector<ClusterNode> mixed{{NodeId{1}, {"four"}, ""}, {NodeId{2}, {"peer"}, ""}};
    Party one(loop_, 1, kKey, {{NodeId{1}, {"127.0.0.1"}, ""}});
    std::optional<Result<void>> done;
    one.links().set_nodes(mixed, [&](const Result<void>& result) {
        done = result;
        loop_.stop();
    });
    run();
    ASSERT_TRUE(done.has_value());
    ASSERT_FALSE(done->has_value());
    EXPECT_THAT(done->error().detail, HasSubstr("link 0 has an IPv4 address for 'four'"));
    done.reset();
    one.links().set_nodes({{NodeId{1}, {"", "four"}, ""}, {NodeId{2}, {"peer"}, ""}},
                          [&](const Result<void>& result) {
                              done = result;
                              loop_.stop();
                          });
    run();
    ASSERT_TRUE(done.has_value());
    EXPECT_TRUE(done->has_value()) << "another link may have the other one";
}

TEST_F(LeaseLinksTest, WhatIsOfAnotherKeyIsCountedAndDropped) {
    Party one(loop_, 1, std::string(128, 'x'));
    Party two(loop_, 2);
    one.links().send(kGateway, NodeId{2}, lease::Hello{});
    while (two.links().counters().forged < 2) {
        run(std::chrono::milliseconds(20));
    }
    EXPECT_TRUE(two.received.empty());
}

// What nobody with the key has sent; over loopback it waits in the socket at once.
Bytes garbage(std::size_t size = 100) {
    return Bytes(size, 'g');
}

TEST_F(LeaseLinksTest, GarbageAndGiantsAreCountedAndDropped) {
    Party two(loop_, 2);
    const Ear one("127.0.0.1");
    for (const std::size_t size : {0U, 1U, 100U, 2048U, 2049U, 60'000U}) {
        one.send("127.0.0.2", garbage(size));
    }
    while (two.links().counters().forged + two.links().counters().malformed < 6) {
        run(std::chrono::milliseconds(20));
    }
    EXPECT_TRUE(two.received.empty());
}

// Authentic or not: its source decides before its key is looked at.
TEST_F(LeaseLinksTest, WhatNoNodesAddressSendsIsCountedAndDropped) {
    Party two(loop_, 2);
    const lease::Sender one{NodeId{1}, {}, *new_instance()};
    const Bytes hello =
        lease::encode({kGateway, one, 1, lease::Hello{9, {}}}, lease::LeaseKey(kKey));
    const Ear stranger("127.0.0.7");
    stranger.send("127.0.0.2", garbage());
    stranger.send("127.0.0.2", hello);
    const Ear other("127.0.0.3");
    other.send("127.0.1.2", hello);
    while (two.links().counters().received < 3) {
        run(std::chrono::milliseconds(20));
    }
    EXPECT_EQ(two.links().counters().strangers, 3U);
    EXPECT_EQ(two.links().counters().forged, 0U);
    EXPECT_THAT(stranger.received(), IsEmpty()) << "nobody answers it";
}

TEST_F(LeaseLinksTest, AnIpv6AddressOfNoNodeIsAStranger) {
    name_both_families();
    ASSERT_TRUE(ip_command("address add fd00::3/128 dev lo nodad"));
    const std::vector<ClusterNode> ipv6{{NodeId{1}, {"fd00::1"}, ""}, {NodeId{2}, {"fd00::2"}, ""}};
    Party one(loop_, 1, kKey, ipv6);
    Party two(loop_, 2, kKey, ipv6);
    meet(one, two);
    Party third(loop_, 3, kKey, {{NodeId{3}, {"fd00::3"}, ""}, {NodeId{2}, {"fd00::2"}, ""}});
    while (two.links().counters().strangers == 0) {
        run(std::chrono::milliseconds(20));
    }
    EXPECT_EQ(two.links().counters().strangers, 1U);
}

// A flood of strangers neither fills the socket in a turn of the loop nor holds the loop up.
TEST_F(LeaseLinksTest, AFloodOfStrangersLosesNothingOfTheNodes) {
    constexpr std::uint64_t kFlood = 2000;
    Party one(loop_, 1);
    Party two(loop_, 2);
    meet(one, two);
    const Ear stranger("127.0.0.7");
    for (std::uint64_t i = 0; i < kFlood; ++i) {
        stranger.send("127.0.0.2", garbage());
    }
    one.links().send(kGateway, NodeId{2}, kWord);
    std::uint64_t last = 0;
    std::uint64_t most_at_once = 0;
    std::function<void()> look = [&] {
        const std::uint64_t now = two.links().counters().strangers;
        most_at_once = std::max(most_at_once, now - last);
        last = now;
        loop_.set_timer(3, QbLoop::now(), look);
    };
    look();
    while (two.received.empty() || last < kFlood) {
        run(std::chrono::milliseconds(20));
    }
    EXPECT_EQ(two.received[0].second, kWord);
    EXPECT_EQ(two.links().counters().strangers, kFlood);
    EXPECT_LT(most_at_once, kFlood) << "others get a turn in between";
}

TEST_F(LeaseLinksTest, APortThatIsTakenIsAnErrorThatReportsWhatToChange) {
    Party one(loop_, 1);
    const auto second = LeaseLinks::open(
        loop_,
        {.self = {NodeId{1}, {}, {1}},
         .port = kPort,
         .nodes = nodes(),
         .voters = {},
         .cluster_key = kKey,
         .gateways = {}},
        [](GatewayId, const lease::Sender&, const lease::Message&) {}, [](NodeId) {});
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().detail, HasSubstr("'port' below [lease]"));
}

TEST_F(LeaseLinksTest, ANodeWithoutALinkAndOneWithoutAnAddressAreErrors) {
    const auto open = [&](const std::vector<ClusterNode>& list) {
        return LeaseLinks::open(
            loop_,
            {.self = {NodeId{1}, {}, {1}},
             .port = kPort,
             .nodes = list,
             .voters = {},
             .cluster_key = kKey,
             .gateways = {}},
            [](GatewayId, const lease::Sender&, const lease::Message&) {}, [](NodeId) {});
    };
    EXPECT_THAT(open({{NodeId{2}, {"127.0.0.2"}, ""}}).error().detail, HasSubstr("nodeid 1"));
    EXPECT_THAT(open({{NodeId{1}, {"127.0.0.1"}, ""}, {NodeId{2}, {"no.such.host.invalid"}, ""}})
                    .error()
                    .detail,
                HasSubstr("no.such.host.invalid"));
}

TEST(InstanceTest, IsAnotherOneEachTime) {
    const auto first = new_instance();
    ASSERT_TRUE(first) << first.error().detail;
    EXPECT_NE(*first, lease::Instance{});
    EXPECT_NE(*first, *new_instance());
}

TEST(BootIdTest, IsTheKernels) {
    const auto first = read_boot_id();
    ASSERT_TRUE(first) << first.error().detail;
    EXPECT_NE(*first, lease::BootId{});
    EXPECT_EQ(*first, *read_boot_id());
}

}  // namespace lease_links_test
}  // namespace vpnha::adapters
