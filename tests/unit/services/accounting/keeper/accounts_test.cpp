// SPDX-License-Identifier: GPL-2.0-or-later
// Accounting on whole nodes: each session has one Start and one Stop, over any number of failovers.
#include <gmock/gmock.h>

#include <random>

#include "base/limits.hpp"
#include "protocols/l2tp/keeper/sessions.hpp"
#include "protocols/l2tp/work.hpp"
#include "protocols/ppp/plugin_event.hpp"
#include "protocols/pptp/work.hpp"
#include "services/accounting/work.hpp"
#include "unit/cluster/node/sample_session.hpp"
#include "unit/protocols/pptp/model/call_world.hpp"

namespace vpnha::node {
namespace accounts_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = AccountingRequest::Kind;

constexpr std::uint64_t kUnixMs = 1'767'225'600'000;
constexpr seconds kInterim{20};
constexpr std::chrono::milliseconds kTook{3};

// What an accounting server knows of a session.
struct Received {
    std::vector<AccountingRequest> requests;
    [[nodiscard]] int count(Kind kind) const {
        return static_cast<int>(std::count_if(requests.begin(), requests.end(),
                                              [kind](const auto& r) { return r.kind == kind; }));
    }
};

class AccountsTest : public ::testing::Test {
  protected:
    void SetUp() override {
        cluster_.account_settings() = {true, kInterim};
        restart_all();
    }
    // Settings count from then on.
    void restart_all() {
        for (std::uint32_t node = 1; node <= 3; ++node) {
            cluster_.kill(node);
        }
        for (std::uint32_t node = 1; node <= 3; ++node) {
            cluster_.start(node);
        }
        ASSERT_TRUE(cluster_.promote(1).has_value());
        promoted_ = 1;
    }

    void handle(std::uint32_t node, const AccountingEvent& event) {
        cluster_.run(node, cluster_.at(node).node->on_event(kGateway, event, cluster_.now()));
    }
    // Each node's devices and servers answer what it asked for.
    void answer_all() {
        for (const std::uint32_t node : {1U, 2U, 3U}) {
            for (AccountingWork& work : std::exchange(cluster_.at(node).accounting, {})) {
                if (const auto* read = std::get_if<ReadTraffic>(&work)) {
                    ++reads_;
                    if (node == promoted_) {
                        note_read();
                    }
                    handle(node, TrafficRead{read->ticket, devices_[node]});
                } else {
                    answer(node, std::get<SendAccounting>(work));
                }
            }
        }
    }
    void note_read() {
        for (const auto& [number, began] : began_) {
            if (is_alive(number)) {
                const Ipv4Address client = session(number).facts.peer_address;
                read_[client] = carried_[client];
            }
        }
    }
    [[nodiscard]] bool is_alive(std::uint16_t number) {
        return cluster_.replica(promoted_).store().find(
                   keepers::record_key_of(session_of(number).key)) != nullptr;
    }
    void answer(std::uint32_t node, const SendAccounting& send) {
        EXPECT_EQ(node, promoted_);
        ++sent_;
        if (result_ == AccountingResult::answered) {
            received_[send.request.session].requests.push_back(send.request);
        }
        handle(node, AccountingAnswered{send.ticket, result_, "192.0.2.1:1813", kTook});
    }
    // Of the promoted node, not answered yet.
    [[nodiscard]] std::size_t sends_under_way() {
        return static_cast<std::size_t>(std::ranges::count_if(
            cluster_.at(promoted_).accounting,
            [](const auto& work) { return std::holds_alternative<SendAccounting>(work); }));
    }
    void pass(Duration time) {
        const TimePoint end = cluster_.now() + time;
        answer_all();
        while (cluster_.now() < end) {
            cluster_.pass(std::min<Duration>(milliseconds(250), end - cluster_.now()));
            answer_all();
        }
    }
    l2tp::SessionRecord session_of(std::uint16_t number) {
        l2tp::SessionRecord record = session(number);
        record.facts.established_unix_ms =
            began_.try_emplace(number, cluster_.unix_ms()).first->second;
        return record;
    }
    void up(std::uint16_t number, const std::string& obstacle = "") {
        cluster_.run(promoted_, cluster_.at(promoted_).node->on_plugin_up(
                                    number, "l2tp", stock_session(session_of(number)), obstacle,
                                    cluster_.now(), {{kClass}, interim_s_}));
        count(number, {});
    }
    void down(std::uint16_t number, const PluginEnd& end) {
        cluster_.run(promoted_,
                     cluster_.at(promoted_).node->on_plugin_down(number, cluster_.now(), end));
        remove_device(number);
    }
    // The session's device on the promoted node counts that.
    void count(std::uint16_t number, const Traffic& traffic) {
        const Ipv4Address client = session(number).facts.peer_address;
        auto& devices = devices_[promoted_];
        const auto found = std::find_if(devices.begin(), devices.end(),
                                        [&](const auto& each) { return each.client == client; });
        if (found == devices.end()) {
            devices.push_back({client, ++last_device_, traffic});
        } else {
            found->traffic += traffic;
        }
    }
    void remove_device(std::uint16_t number) {
        std::erase_if(devices_[promoted_], [&](const auto& each) {
            return each.client == session(number).facts.peer_address;
        });
    }
    void fail_over() {
        cluster_.kill(promoted_);
        devices_[promoted_].clear();
        const std::uint32_t dead = std::exchange(promoted_, promoted_ % 3 + 1);
        cluster_.pass(seconds(2));
        ASSERT_TRUE(cluster_.promote(promoted_).has_value());
        cluster_.start(dead);
    }
    // The devices of the demoted node stay, with what they have counted.
    void move_to(std::uint32_t node) {
        ASSERT_TRUE(cluster_.demote(promoted_).has_value());
        promoted_ = node;
        ASSERT_TRUE(cluster_.promote(promoted_).has_value());
    }
    void peer_hangs_up(std::uint16_t number) {
        const Bytes terminate{0xc0, 0x21, 5, 1, 0, 4};
        cluster_.run(promoted_, cluster_.at(promoted_).node->on_event(
                                    kGateway, SessionFrame{session_of(number).key, terminate},
                                    cluster_.now()));
        remove_device(number);
    }
    [[nodiscard]] keepers::AccountCounts counts() {
        return cluster_.at(promoted_)
            .node->find(kGateway)
            ->cores()
            .keepers.find<keepers::Accounts>()
            ->account_counts(cluster_.now());
    }
    const Received& only() {
        EXPECT_EQ(received_.size(), 1U);
        static const Received kNone;
        return received_.empty() ? kNone : received_.begin()->second;
    }

    const Bytes kClass{'v', 'i', 'p'};
    std::uint32_t interim_s_ = 0;  // Of the Access-Accept.
    FakeCluster cluster_{3};
    std::uint32_t promoted_ = 0;
    std::map<std::uint32_t, std::vector<DeviceTraffic>> devices_;
    std::uint32_t last_device_ = 0;
    std::map<std::uint16_t, std::uint64_t> began_;
    std::map<std::string, Received> received_;
    AccountingResult result_ = AccountingResult::answered;
    int sent_ = 0;
    int reads_ = 0;
    // Octets of the clients, by their addresses: of random traffic, and of what was read of it.
    std::map<Ipv4Address, std::uint64_t> carried_;
    std::map<Ipv4Address, std::uint64_t> read_;
};

TEST_F(AccountsTest, ASessionHasAStartInterimsAndAStop) {
    up(1);
    pass(seconds(1));
    count(1, {1000, 2000, 10, 20});
    pass(2 * kInterim);
    down(1, {EndCause::user_request, Traffic{1500, 2500, 15, 25}});
    pass(seconds(1));
    const Received& received = only();
    ASSERT_EQ(received.requests.size(), 4U);
    const AccountingRequest& start = received.requests[0];
    EXPECT_EQ(start.kind, Kind::start);
    EXPECT_EQ(start.user, "alice");
    EXPECT_THAT(start.classes, ElementsAre(kClass));
    EXPECT_EQ(to_string(start.address), "10.200.1.1");
    EXPECT_EQ(to_string(start.peer), "192.0.2.1");
    EXPECT_EQ(start.delay_s, 0U);
    for (const AccountingRequest& interim : {received.requests[1], received.requests[2]}) {
        EXPECT_EQ(interim.kind, Kind::interim);
        EXPECT_EQ(interim.traffic, (Traffic{1000, 2000, 10, 20}));
    }
    EXPECT_EQ(received.requests[2].seconds, 40U);
    const AccountingRequest& stop = received.requests[3];
    EXPECT_EQ(stop.kind, Kind::stop);
    EXPECT_EQ(stop.cause, EndCause::user_request);
    EXPECT_EQ(stop.traffic, (Traffic{1500, 2500, 15, 25}));
    EXPECT_EQ(stop.seconds, 41U);
    EXPECT_EQ(cluster_.replica(2).store().size_of(wire::RecordType::account), 0U);
}

TEST_F(AccountsTest, ServersLearnOfIpv6AtEachNode) {
    const RadiusPrefix prefix{RadiusPrefix::Kind::delegated,
                              parse_ip_prefix("2001:db8:51::/48").value_or(IpPrefix{})};
    const auto notify = [&](const std::optional<ppp::Ipv6Identifiers>& ipv6) {
        l2tp::SessionRecord record = session_of(1);
        record.facts.ipv6 = ipv6;
        cluster_.run(promoted_,
                     cluster_.at(promoted_).node->on_plugin_up(1, "l2tp", stock_session(record), "",
                                                               cluster_.now(), {{}, 0, {prefix}}));
    };
    notify(std::nullopt);
    pass(seconds(1));
    EXPECT_EQ(only().requests.back().identifier, 0U) << "IPv6CP opens later";
    notify(ppp::Ipv6Identifiers{1, 2});
    pass(kInterim);
    EXPECT_EQ(only().requests.back().identifier, 2U);
    fail_over();
    pass(kInterim);
    peer_hangs_up(1);
    pass(seconds(2));
    const Received& received = only();
    EXPECT_EQ(received.requests.back().kind, Kind::stop);
    EXPECT_EQ(received.requests.back().identifier, 2U);
    for (const AccountingRequest& each : received.requests) {
        EXPECT_THAT(each.prefixes, ElementsAre(prefix));
    }
}

TEST_F(AccountsTest, WhereAServerMayChooseItsIntervalCountsAtEachNode) {
    for (const bool may_choose : {false, true}) {
        received_.clear();
        began_.clear();
        cluster_.account_settings().servers_choose_interim = may_choose;
        restart_all();
        interim_s_ = 3 * static_cast<std::uint32_t>(kInterim.count()) / 2;
        up(1);
        pass(4 * kInterim + seconds(1));
        EXPECT_EQ(only().count(Kind::interim), may_choose ? 2 : 4);
        fail_over();
        pass(kInterim);
        EXPECT_EQ(only().count(Kind::interim), may_choose ? 3 : 5);
    }
}

TEST_F(AccountsTest, HowLongAnswersTookIsCounted) {
    up(1);
    pass(seconds(1));
    EXPECT_EQ(counts().took.sum(), Duration(kTook)) << "the Start's";
    result_ = AccountingResult::silent;
    pass(2 * kInterim);
    EXPECT_GT(counts().unanswered, 0U);
    EXPECT_EQ(counts().took.sum(), Duration(kTook));
    EXPECT_EQ(counts().took.counts().at(2), 1U) << "above 2 ms, and 5 ms at most";
}

TEST_F(AccountsTest, NobodyAccountsWhereItIsOff) {
    cluster_.account_settings() = {};
    fail_over();
    fail_over();
    fail_over();
    up(1);
    pass(seconds(5));
    EXPECT_EQ(reads_ + sent_, 0);
}

TEST_F(AccountsTest, AStartWaitsASecondForAStandby) {
    pass(seconds(1));
    cluster_.hold(true);
    up(1);
    pass(milliseconds(900));
    EXPECT_THAT(received_, IsEmpty());
    pass(milliseconds(500));
    EXPECT_EQ(only().count(Kind::start), 1);
}

TEST_F(AccountsTest, ContinueOverFailovers) {
    up(1);
    pass(seconds(2));
    for (int i = 0; i < 3; ++i) {
        count(1, {1000, 2000, 10, 20});
        pass(seconds(2));
        fail_over();
        pass(kInterim);
    }
    // Its echoes were not answered meanwhile; that costs it nothing here.
    ASSERT_NE(cluster_.replica(promoted_).store().size_of(wire::RecordType::l2tp_session), 0U);
    count(1, {1, 2, 1, 2});
    pass(seconds(2));
    peer_hangs_up(1);
    pass(seconds(2));
    const Received& received = only();
    EXPECT_EQ(received.count(Kind::start), 1);
    EXPECT_EQ(received.count(Kind::stop), 1);
    EXPECT_GE(received.count(Kind::interim), 3);
    EXPECT_EQ(received.requests.back().traffic, (Traffic{3001, 6002, 31, 62}));
    EXPECT_EQ(received.requests.back().cause, EndCause::user_request);
    EXPECT_THAT(received.requests.back().classes, ElementsAre(kClass));
}

// F5: each return counted the earlier tenures again.
TEST_F(AccountsTest, AMoveThereAndBackCountsNothingTwice) {
    up(1);
    count(1, {1000, 2000, 10, 20});
    pass(seconds(2));
    fail_over();
    const std::uint32_t b = promoted_;
    const std::uint32_t c = b % 3 + 1;
    for (const std::uint32_t node : {b, c, b, c, b}) {
        if (node != promoted_) {
            move_to(node);
        }
        // All nodes have a device for it, hot, and each node lists all its own.
        count(1, {100, 200, 1, 2});
        pass(kInterim + seconds(2));
    }
    peer_hangs_up(1);
    pass(seconds(2));
    EXPECT_EQ(only().requests.back().traffic, (Traffic{1500, 3000, 15, 30}));
}

// The TUN device of a call may have carried another one before.
TEST_F(AccountsTest, OfAResumedPptpCallTheDeviceCountsWhatItDidNotHaveBefore) {
    cluster_.have_pptp();
    restart_all();
    pptp::CallRecord record = pptp::test::sample_call();
    record.facts.established_unix_ms = cluster_.unix_ms();
    cluster_.run(promoted_, cluster_.at(promoted_).node->on_plugin_up(
                                1, "l2tp", stock_session(StockCall{record, {}}), "", cluster_.now(),
                                {{kClass}}));
    const std::array read{pptp::CallState{record.key, pptp::test::sample_numbers()}};
    cluster_.run(promoted_, cluster_.at(promoted_).node->on_event(kGateway, CallsRead{0, read},
                                                                  cluster_.now()));
    devices_[promoted_].push_back({record.facts.peer_address, 1, {1000, 2000, 10, 20}});
    pass(seconds(2));
    fail_over();
    Traffic counted = kTunBefore;
    counted += {1, 2, 3, 4};
    devices_[promoted_].push_back({record.facts.peer_address, kTunDevice, counted});
    pass(kInterim + seconds(2));
    ASSERT_EQ(only().requests.size(), 2U);
    EXPECT_EQ(only().requests.back().kind, Kind::interim);
    EXPECT_EQ(only().requests.back().traffic, (Traffic{1001, 2002, 13, 24}));
    EXPECT_EQ(only().requests.back().tunnel_type, 1U) << "PPTP";
}

TEST_F(AccountsTest, OfASessionThatWentWithItsNodeTheNextOneReportsTheEnd) {
    up(1, "compression");
    pass(seconds(2));
    fail_over();
    pass(seconds(6));
    EXPECT_EQ(only().count(Kind::stop), 1);
    EXPECT_EQ(only().requests.back().cause, EndCause::lost_service);
    EXPECT_EQ(only().requests.back().tunnel_type, 3U) << "L2TP";
}

TEST_F(AccountsTest, WhatNoServerAnswersIsKeptOverFailovers) {
    result_ = AccountingResult::silent;
    up(1);
    pass(seconds(2));
    down(1, {EndCause::idle_timeout, std::nullopt});
    pass(seconds(60));
    // It is asked seldom, and the loop does not turn.
    EXPECT_LE(sent_, 8);
    EXPECT_EQ(counts().waiting, 1U);
    EXPECT_GE(counts().oldest_s, 60U);
    EXPECT_TRUE(counts().silent);
    fail_over();
    result_ = AccountingResult::answered;
    pass(seconds(70));
    const Received& received = only();
    EXPECT_EQ(received.count(Kind::start), 1);
    EXPECT_EQ(received.count(Kind::stop), 1);
    EXPECT_EQ(received.requests.back().cause, EndCause::idle_timeout);
    EXPECT_EQ(received.requests.back().seconds, 2U);
    EXPECT_GE(received.requests.back().delay_s, 60U);
    EXPECT_EQ(counts().waiting, 0U);
}

TEST_F(AccountsTest, APluginThatReportsItsSessionAnewReportsNoNewOne) {
    up(1);
    pass(seconds(2));
    up(1);
    pass(seconds(2));
    began_.erase(1);
    up(1);  // pppd has negotiated anew.
    pass(seconds(2));
    ASSERT_EQ(received_.size(), 2U);
    EXPECT_EQ(received_.begin()->second.count(Kind::stop), 1);
    EXPECT_EQ(received_.rbegin()->second.count(Kind::stop), 0);
}

TEST_F(AccountsTest, WithoutTheLeaseNothingIsSent) {
    up(1);
    pass(seconds(2));
    const int before = sent_;
    cluster_.mute_leases({1});
    cluster_.pass(seconds(1));
    down(1, {EndCause::user_request, std::nullopt});
    pass(seconds(2));
    EXPECT_EQ(sent_, before);
    cluster_.mute_leases({});
    pass(seconds(10));
    EXPECT_EQ(only().count(Kind::stop), 1);
}

TEST_F(AccountsTest, WhoClaimsAnewHeedsTheAnswerToWhatIsUnderWay) {
    up(1);
    pass(seconds(2));
    const Epoch before = cluster_.replica(1).epoch();
    down(1, {EndCause::user_request, std::nullopt});
    cluster_.mute_leases({1});
    cluster_.pass(seconds(1));
    cluster_.mute_leases({});
    cluster_.pass(seconds(2));
    ASSERT_GT(cluster_.replica(1).epoch(), before);
    EXPECT_EQ(sends_under_way(), 1U);
    pass(seconds(10));
    EXPECT_EQ(only().count(Kind::stop), 1);
}

// They are lost with their node; their clients dial again.
TEST_F(AccountsTest, AfterAFailureThatLostSessionsTheStopsAreReportedAtARate) {
    cluster_.account_settings().requests_per_second = 20;
    restart_all();
    constexpr std::uint16_t kSessions = 60;
    for (std::uint16_t number = 1; number <= kSessions; ++number) {
        up(number, "compression");
    }
    pass(seconds(20));
    ASSERT_EQ(sent_, kSessions);
    fail_over();
    pass(seconds(2));
    began_.clear();
    const auto stops = [&](auto&& counts) {
        int count = 0;
        for (const auto& [id, received] : received_) {
            count += counts(received.requests.front()) ? received.count(Kind::stop) : 0;
        }
        return count;
    };
    const auto all = [](const AccountingRequest&) { return true; };
    sent_ = 0;
    up(kSessions);
    for (int i = 0; i < 100; ++i) {
        pass(milliseconds(10));  // Each answer comes so late at most.
    }
    EXPECT_GE(sent_, 15);
    EXPECT_LE(sent_, 21);
    EXPECT_LT(stops(all), kSessions) << "the others wait";
    ASSERT_EQ(received_.size(), kSessions + 1U) << "the new Start does not";
    EXPECT_EQ(stops([this](const AccountingRequest& start) {
                  return start.address == session(kSessions).facts.peer_address;
              }),
              1)
        << "its address was given anew";
    pass(seconds(30));
    EXPECT_EQ(stops(all), kSessions);
}

// A server that keeps addresses in a database would free it again after the new Start.
TEST_F(AccountsTest, AStartWaitsForTheStopUnderWayOfWhoHadTheAddress) {
    up(1);
    pass(seconds(2));
    down(1, {EndCause::user_request, std::nullopt});
    cluster_.pass(milliseconds(100));
    ASSERT_EQ(sends_under_way(), 1U);
    began_.erase(1);
    up(1);
    cluster_.pass(seconds(2));
    EXPECT_EQ(sends_under_way(), 1U) << "the Stop alone";
    pass(seconds(1));
    ASSERT_EQ(received_.size(), 2U);
    EXPECT_EQ(received_.begin()->second.count(Kind::stop), 1);
    EXPECT_EQ(received_.rbegin()->second.count(Kind::start), 1);
}

TEST_F(AccountsTest, EightSessionsAreReportedAtATime) {
    for (std::uint16_t number = 1; number <= 10; ++number) {
        up(number);
    }
    cluster_.pass(seconds(2));
    EXPECT_EQ(sends_under_way(), limits::kAccountsUnderWay);
    pass(seconds(1));
    EXPECT_EQ(received_.size(), 10U);
}

TEST_F(AccountsTest, TheOldestEndsAreGivenUpWhereNobodyAnswersForLong) {
    result_ = AccountingResult::silent;
    const auto dial_and_hang_up = [&] {
        began_.erase(1);
        up(1);
        down(1, {EndCause::user_request, std::nullopt});
    };
    dial_and_hang_up();
    pass(seconds(2));
    for (std::size_t i = 1; i < limits::kAccountsEndedMax; ++i) {
        dial_and_hang_up();
    }
    EXPECT_EQ(counts().dropped, 0U);
    EXPECT_EQ(counts().waiting, limits::kAccountsEndedMax);
    dial_and_hang_up();
    EXPECT_EQ(counts().dropped, 1U);
    EXPECT_EQ(counts().waiting, limits::kAccountsEndedMax);
    const replica::Store& store = cluster_.replica(1).store();
    EXPECT_EQ(store.size_of(wire::RecordType::account), limits::kAccountsEndedMax);
    for (const auto& [key, stored] : store.all(wire::RecordType::account)) {
        ASSERT_NE(keepers::parse_account(key, stored.payload).value().id.count, 1U);
    }
    EXPECT_THAT(cluster_.at(1).log, Contains(HasSubstr("event=accounting-dropped")));
}

// Random sessions, answers, failovers and moves.
class AnyAccounts : public AccountsTest, public ::testing::WithParamInterface<unsigned> {
  protected:
    unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }

    void dial() {
        const std::uint16_t number = ++last_number_;
        up(number, below(8) == 0 ? "compression" : "");
        stock_.insert(number);
    }
    void hang_up() {
        if (stock_.empty()) {
            return;
        }
        const std::uint16_t number = *stock_.begin();
        stock_.erase(stock_.begin());
        down(number, {EndCause::user_request, std::nullopt});
    }
    void make_traffic() {
        for (std::uint16_t number = 1; number <= last_number_; ++number) {
            if (is_alive(number)) {
                const std::uint64_t octets = below(1000);
                count(number, {octets, below(1000), below(10), below(10)});
                carried_[session(number).facts.peer_address] += octets;
            }
        }
    }
    // What the node's devices have counted since they were read: no other node will know it.
    void note_unread() {
        for (const auto& [client, octets] : carried_) {
            unread_[client] += octets - read_[client];
            read_[client] = octets;
        }
    }
    // Nor what was read just before the power cut.
    void note_unsent(const replica::Store& successor) {
        note_unread();
        for (const auto& [key, stored] : successor.all(wire::RecordType::account)) {
            const auto account = keepers::parse_account(key, stored.payload).value();
            unread_[account.address] = carried_[account.address] - account.total.octets_in;
        }
    }
    void take_over() {
        note_alone(cluster_.replica(promoted_ % 3 + 1).store());
        note_unsent(cluster_.replica(promoted_ % 3 + 1).store());
        fail_over();
        stock_.clear();
    }
    void move() {
        const std::uint32_t to = 1 + (promoted_ + below(2)) % 3;
        note_alone(cluster_.replica(to).store());
        note_unread();
        const std::uint32_t from = promoted_;
        move_to(to);
        cluster_.at(from).accounting.clear();  // No answer came before the move.
        stock_.clear();
    }
    // The promoted node goes before its successor has the account, or a server the Start.
    void note_alone(const replica::Store& successor) {
        std::set<Ipv4Address> known;
        for (const auto& [key, stored] : successor.all(wire::RecordType::account)) {
            known.insert(keepers::parse_account(key, stored.payload).value().address);
        }
        for (const auto& [id, received] : received_) {
            known.insert(received.requests.front().address);
        }
        for (std::uint16_t number = 1; number <= last_number_; ++number) {
            if (!known.contains(session(number).facts.peer_address)) {
                alone_.insert(number);
            }
        }
    }
    void check() {
        for (const auto& [id, received] : received_) {
            ASSERT_LE(received.count(Kind::start), 1) << id;
            ASSERT_LE(received.count(Kind::stop), 1) << id;
            ASSERT_EQ(received.requests.front().kind, Kind::start) << id;
            for (std::size_t i = 1; i < received.requests.size(); ++i) {
                const AccountingRequest& before = received.requests[i - 1];
                const AccountingRequest& after = received.requests[i];
                ASSERT_NE(before.kind, Kind::stop) << id;
                ASSERT_EQ(before.user, after.user);
                ASSERT_EQ(before.classes, after.classes);
                ASSERT_LE(before.seconds, after.seconds) << id;
                ASSERT_LE(before.traffic.octets_in, after.traffic.octets_in) << id;
                ASSERT_LE(before.traffic.packets_out, after.traffic.packets_out) << id;
            }
            const AccountingRequest& last = received.requests.back();
            ASSERT_LE(last.traffic.octets_in, carried_[last.address]) << id << ": counted twice";
        }
    }

    std::mt19937 random_{GetParam()};
    std::set<std::uint16_t> stock_;
    std::set<std::uint16_t> alone_;  // Their accounts may have gone with their node.
    std::map<Ipv4Address, std::uint64_t> unread_;
    std::uint16_t last_number_ = 0;
};

TEST_P(AnyAccounts, HaveOneStartAndOneStop) {
    for (int step = 0; step < 200 && !HasFatalFailure(); ++step) {
        switch (below(10)) {
            case 0:
                if (below(2) == 0) {
                    take_over();
                } else {
                    move();
                }
                break;
            case 1:
                result_ = AccountingResult{static_cast<std::uint8_t>(below(3))};
                break;
            case 2:
            case 3:
                hang_up();
                break;
            case 4:
            case 5:
                make_traffic();
                pass(seconds(below(30)));
                break;
            default:
                dial();
                pass(milliseconds(below(500)));
        }
        check();
    }
    result_ = AccountingResult::answered;
    while (!stock_.empty()) {
        hang_up();
    }
    // Nobody answers what resumed tunnels ask: they give their clients up.
    pass(seconds(400));
    check();
    std::map<Ipv4Address, int> accounts;
    std::uint64_t carried = 0;
    std::uint64_t notified = 0;
    for (const auto& [id, received] : received_) {
        EXPECT_EQ(received.count(Kind::start), 1) << id;
        EXPECT_EQ(received.count(Kind::stop), 1) << id;
        const AccountingRequest& stop = received.requests.back();
        EXPECT_GE(stop.traffic.octets_in + unread_[stop.address], read_[stop.address]) << id;
        carried += carried_[stop.address];
        notified += stop.traffic.octets_in;
        ++accounts[stop.address];
    }
    EXPECT_GT(notified, carried / 4 * 3);
    EXPECT_GT(carried, 10'000U);
    for (std::uint16_t number = 1; number <= last_number_; ++number) {
        const int least = alone_.contains(number) ? 0 : 1;
        const int found = accounts[session(number).facts.peer_address];
        EXPECT_TRUE(found == 1 || found == least) << "session " << number << ": " << found;
    }
    EXPECT_LT(alone_.size(), last_number_ / 4U);
    EXPECT_EQ(cluster_.replica(promoted_).store().size_of(wire::RecordType::account), 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyAccounts, ::testing::Range(1U, 21U));

}  // namespace accounts_test
}  // namespace vpnha::node
