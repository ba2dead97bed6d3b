// SPDX-License-Identifier: GPL-2.0-or-later
// Needs root: what a kernel in namespaces of its own expects.
#include "services/flows/backend/conntrack_expectation_message.hpp"
#include "services/flows/backend/conntrack_message.hpp"
#include "support/expectation_builder.hpp"
#include "unit/services/flows/backend/conntrack_host.hpp"

namespace vpnha::adapters {
namespace conntrack_expectations_test {

using conntrack::Expectation;
using conntrack::ExpectationNews;
using test::ftp_expectation;
using test::ftp_flow;
using test::sip_expectation;
using test::sip_flow;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr std::uint32_t kWeek = 7 * 24 * 3600;

class ConntrackExpectationsTest : public ConntrackHost {
  protected:
    std::vector<bool> install_expected(const std::vector<Expectation>& expectations) {
        const auto installed = table_->install_expectations(expectations);
        EXPECT_TRUE(installed) << installed.error().detail;
        return installed ? *installed : std::vector<bool>{};
    }
    std::vector<Expectation> listed_expectations() {
        const auto found = table_->list_expectations();
        EXPECT_TRUE(found) << found.error().detail;
        std::vector<Expectation> all = found ? *found : std::vector<Expectation>{};
        for (Expectation& each : all) {
            if (each.timeout_s > kWeek - 10) {  // A few seconds less are the test's own.
                each.timeout_s = kWeek;
            }
        }
        return all;
    }
    // As it is listed when it is hot.
    static Expectation hot(Expectation expectation) {
        expectation.timeout_s = kWeek;
        return expectation;
    }
    static Expectation unaged(Expectation found, std::uint32_t timeout_s) {
        EXPECT_LE(found.timeout_s, timeout_s);
        EXPECT_GE(found.timeout_s + 10, timeout_s);
        found.timeout_s = timeout_s;
        return found;
    }

    // The node is an FTP client of the peer.
    void log_in() {
        rules(
            "table ip h { ct helper ftp { type \"ftp\" protocol tcp; }; chain o { type filter hook "
            "output priority 0; tcp dport 21 ct helper set \"ftp\"; }; }");
        in_peer([&] { server_ = listener("192.0.2.51", 21); });
        client_ = connected("192.0.2.51", 21);
        accepted_.reset(accept(server_.get(), nullptr, nullptr));
        ASSERT_GE(accepted_.get(), 0);
        emit("USER anonymous\r\n");  // The helper reads from the first end of a line on.
    }
    // The peer will connect to port 20 000 of the node.
    void emit_port() { emit("PORT 192,0,2,1,78,32\r\n"); }
    void emit(std::string_view command) {
        ASSERT_EQ(send(client_.get(), command.data(), command.size(), 0),
                  static_cast<ssize_t>(command.size()));
    }
    static UniqueFd listener(const char* from, std::uint16_t port) {
        UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const sockaddr_in local{AF_INET, htons(port), {htonl(ip(from).value)}, {}};
        EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local), 0);
        EXPECT_EQ(listen(fd.get(), 1), 0);
        return fd;
    }
    static UniqueFd connected(const char* to, std::uint16_t port) {
        UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const sockaddr_in address{AF_INET, htons(port), {htonl(ip(to).value)}, {}};
        EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
                  0);
        return fd;
    }
    // Of the flow to that port of the node.
    static std::optional<Flow> flow_to(std::uint16_t port) {
        for (const Flow& flow : listed()) {
            if (flow.key.original.destination_part == port) {
                return flow;
            }
        }
        return std::nullopt;
    }

    UniqueFd server_;
    UniqueFd client_;
    UniqueFd accepted_;
};

TEST_F(ConntrackExpectationsTest, WhatIsInstalledIsListed) {
    install(ftp_flow());
    install(sip_flow());
    EXPECT_THAT(install_expected({ftp_expectation(), sip_expectation()}), ElementsAre(true, true));
    const std::vector<Expectation> found = listed_expectations();
    ASSERT_THAT(found, SizeIs(2));
    EXPECT_THAT(found, UnorderedElementsAre(hot(ftp_expectation()), hot(sip_expectation())));
}

TEST_F(ConntrackExpectationsTest, AllItsPartsAreTaken) {
    const Flow flow = sip_flow();
    install(flow);
    Expectation media = sip_expectation();
    media.key.original.destination_part = 30'000;
    media.key.original.source_part = 4000;
    media.from_part = true;
    media.from_address = false;
    media.key.original.source = IpAddress(Ipv4Address{0});
    media.flags = conntrack::kExpectInactive;
    media.policy_class = 1;
    media.nat = Expectation::Nat{false, address("10.64.1.5"), 30'000};
    media.function = "nat-follow-master";
    EXPECT_THAT(install_expected({media}), ElementsAre(true));
    EXPECT_THAT(listed_expectations(), ElementsAre(hot(media)));
    Flow ipv6 = test::flow_of(conntrack::kUdp,
                              {address("2001:db8::5"), address("2001:db8::9"), 5060, 5060});
    ipv6.helper = "sip";
    install(ipv6);
    const Expectation call = sip_expectation(ipv6);
    EXPECT_THAT(install_expected({call}), ElementsAre(true));
    EXPECT_THAT(listed_expectations(), UnorderedElementsAre(hot(media), hot(call)));
}

TEST_F(ConntrackExpectationsTest, WhatIsThereIsReplaced) {
    install(sip_flow());
    Expectation registering = sip_expectation();
    registering.flags |= conntrack::kExpectInactive;
    install_expected({registering});
    EXPECT_THAT(install_expected({sip_expectation()}), ElementsAre(true));
    EXPECT_THAT(listed_expectations(), ElementsAre(hot(sip_expectation())));
}

TEST_F(ConntrackExpectationsTest, WithoutParentOrItsHelperItIsRefusedAlone) {
    Flow deaf = nat_tcp_flow(40'009);
    install(deaf);
    install(ftp_flow());
    EXPECT_THAT(install_expected({ftp_expectation(ftp_flow(40'001), 50'001),
                                  ftp_expectation(deaf, 50'002), ftp_expectation()}),
                ElementsAre(false, false, true));
    EXPECT_THAT(listed_expectations(), ElementsAre(hot(ftp_expectation())));
}

TEST_F(ConntrackExpectationsTest, TimeoutsAreSetAndWhatIsMissingIsReported) {
    install(ftp_flow());
    install_expected({ftp_expectation()});
    const std::vector<conntrack::Timeout> timeouts{{ftp_expectation().key, 120},
                                                   {ftp_expectation(ftp_flow(), 50'001).key, 120}};
    const auto there = table_->set_expectation_timeouts(timeouts);
    ASSERT_TRUE(there) << there.error().detail;
    EXPECT_THAT(*there, ElementsAre(true, false));
    ASSERT_THAT(listed_expectations(), SizeIs(1));
    EXPECT_EQ(unaged(listed_expectations().front(), 120).key, ftp_expectation().key);
}

TEST_F(ConntrackExpectationsTest, TheyAreRemovedAloneAndWithTheirParent) {
    install(ftp_flow());
    install_expected({ftp_expectation(), ftp_expectation(ftp_flow(), 50'001)});
    const conntrack::FlowKey first = ftp_expectation().key;
    EXPECT_TRUE(table_->remove_expectations(std::span(&first, 1)));
    EXPECT_TRUE(table_->remove_expectations(std::span(&first, 1)));  // Not there: a success.
    EXPECT_THAT(listed_expectations(), SizeIs(1));
    const conntrack::FlowKey parent = ftp_flow().key;
    EXPECT_TRUE(table_->remove(std::span(&parent, 1)));
    EXPECT_THAT(listed_expectations(), IsEmpty());
}

TEST_F(ConntrackExpectationsTest, ZonesKeepEqualOnesApart) {
    std::vector<Expectation> expectations;
    for (const conntrack::Zone& zone :
         {conntrack::Zone{}, conntrack::Zone{7, conntrack::ZoneScope::both},
          conntrack::Zone{8, conntrack::ZoneScope::original}}) {
        Flow flow = ftp_flow();
        flow.key.zone = zone;
        flow.reply.destination_part =
            static_cast<std::uint16_t>(40'000 + zone.id);  // Replies share a zone.
        install(flow);
        expectations.push_back(ftp_expectation(flow));
    }
    EXPECT_THAT(install_expected(expectations), ElementsAre(true, true, true));
    EXPECT_THAT(listed_expectations(), SizeIs(3));
    EXPECT_TRUE(table_->remove_expectations(std::span(&expectations[1].key, 1)));
    EXPECT_THAT(listed_expectations(), SizeIs(2));
    EXPECT_TRUE(table_->remove_expectations(std::span(&expectations[2].key, 1)));
    EXPECT_THAT(listed_expectations(), ElementsAre(hot(expectations[0])));
}

TEST_F(ConntrackExpectationsTest, AWholeTrainIsInstalledAtOnce) {
    install(ftp_flow());
    std::vector<Expectation> expectations;
    for (std::uint16_t port = 1; port <= limits::kFlowsPerTrain; ++port) {
        // A flow of its own for each: FTP expects one at a time.
        install(ftp_flow(port));
        expectations.push_back(ftp_expectation(ftp_flow(port), port));
    }
    EXPECT_THAT(install_expected(expectations), ::testing::Each(true));
    EXPECT_THAT(listed_expectations(), SizeIs(limits::kFlowsPerTrain));
}

TEST_F(ConntrackExpectationsTest, AHelpersExpectationIsReportedFromItsBeginningToItsEnd) {
    auto events = ConntrackEvents::open({});
    ASSERT_TRUE(events) << events.error().detail;
    log_in();
    std::vector<ExpectationNews> news;
    std::vector<News> flows;
    const auto read = [&] {
        news.clear();
        const auto turn = events->read([&](const News& each) { flows.push_back(each); },
                                       [&](const ExpectationNews& each) { news.push_back(each); });
        EXPECT_TRUE(turn.whole);
    };
    emit_port();
    read();
    ASSERT_THAT(flows, SizeIs(1));
    EXPECT_EQ(flows.front().flow.helper, "ftp");
    ASSERT_THAT(news, SizeIs(1));
    EXPECT_EQ(news.front().kind, ExpectationNews::Kind::made);
    const Expectation expected = unaged(news.front().expectation, 300);
    EXPECT_EQ(expected.parent, flows.front().flow.key);
    EXPECT_EQ(to_string(expected.key), "tcp 192.0.2.51:0 > 192.0.2.1:20000");
    EXPECT_TRUE(expected.from_address);
    EXPECT_FALSE(expected.from_part);
    EXPECT_EQ(expected.helper, "ftp");

    const UniqueFd data = listener("192.0.2.1", 20'000);
    UniqueFd from_server;
    in_peer([&] { from_server = connected("192.0.2.1", 20'000); });
    read();
    ASSERT_THAT(news, SizeIs(1));
    EXPECT_EQ(news.front().kind, ExpectationNews::Kind::ended);
    EXPECT_EQ(news.front().expectation.key, expected.key);
}

TEST_F(ConntrackExpectationsTest, NoFilterHoldsThemBack) {
    conntrack::Policy policy;
    policy.nets = {testing::prefix("10.0.0.0/8")};
    policy.zones = {7};
    policy.mark_mask = 1;
    policy.mark = 1;
    auto events = ConntrackEvents::open(policy);
    ASSERT_TRUE(events) << events.error().detail;
    log_in();
    emit_port();
    int received = 0;
    const auto turn = events->read([](const News&) { ADD_FAILURE(); },
                                   [&received](const ExpectationNews&) { ++received; });
    EXPECT_TRUE(turn.whole);
    EXPECT_EQ(received, 1);
}

// As after a takeover: the connection was announced elsewhere.
TEST_F(ConntrackExpectationsTest, AnInstalledOneTakesTheConnectionThatComes) {
    log_in();
    emit_port();
    const std::vector<Expectation> announced = listed_expectations();
    ASSERT_THAT(announced, SizeIs(1));
    const std::optional<Flow> control = flow_to(21);
    ASSERT_TRUE(control);
    ASSERT_TRUE(table_->remove(std::span(&control->key, 1)));
    ASSERT_THAT(listed_expectations(), IsEmpty());
    install(conntrack::hot(*control));
    ASSERT_THAT(install_expected(announced), ElementsAre(true));

    const UniqueFd data = listener("192.0.2.1", 20'000);
    UniqueFd from_server;
    in_peer([&] { from_server = connected("192.0.2.1", 20'000); });
    const std::optional<Flow> flow = flow_to(20'000);
    ASSERT_TRUE(flow);
    ASSERT_TRUE(flow->parent);
    EXPECT_EQ(*flow->parent, control->key);
    EXPECT_EQ(flow->helper, "") << "its content would be read as commands";
    EXPECT_THAT(listed_expectations(), IsEmpty());
}

using Buffer = std::array<char, kFlowMessageBytesMax>;

TEST(ConntrackExpectationMessageTest, WhatIsWrittenIsReadAgain) {
    test::Random random(5);
    for (int i = 0; i < 5'000; ++i) {
        Expectation expectation = test::random_expectation(random);
        alignas(nlmsghdr) Buffer buffer{};
        const nlmsghdr* const message = put_expectation(buffer.data(), expectation);
        ASSERT_LE(message->nlmsg_len, kFlowMessageBytesMax / 2);
        const auto news = parse_expectation_message(message);
        ASSERT_TRUE(news);
        expectation.key.zone = {};  // The kernel does not say it.
        expectation.parent.zone = {};
        expectation.timeout_s = 0;  // A request of its own.
        if (!names_helper(expectation)) {
            expectation.helper.clear();
            expectation.policy_class = 0;
        }
        ASSERT_EQ(news->expectation, expectation) << to_string(expectation.key);
    }
}

TEST(ConntrackExpectationMessageTest, AnyCutIsReadWithoutHarm) {
    test::Random random(6);
    for (int i = 0; i < 300; ++i) {
        alignas(nlmsghdr) Buffer buffer{};
        nlmsghdr* const message = put_expectation(buffer.data(), test::random_expectation(random));
        for (std::uint32_t length = message->nlmsg_len; length >= NLMSG_HDRLEN; --length) {
            message->nlmsg_len = length;
            static_cast<void>(parse_expectation_message(message));
        }
        message->nlmsg_len = NLMSG_HDRLEN + 8;
        EXPECT_FALSE(parse_expectation_message(message));
    }
}

}  // namespace conntrack_expectations_test
}  // namespace vpnha::adapters
