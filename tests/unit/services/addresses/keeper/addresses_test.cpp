// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses that a gateway gives, on whole nodes: none is given twice.
#include <gmock/gmock.h>

#include <random>

#include "base/limits.hpp"
#include "protocols/l2tp/work.hpp"
#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::node {
namespace addresses_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr seconds kHold{10};

// A client that believes to be connected, by its plugin's token.
struct Client {
    std::string user;
    Ipv4Address address;
    std::uint16_t number = 0;  // Of its session.
    std::uint32_t node = 0;    // Where its pppd lives; 0: it was taken over.
    bool is_up = false;
    bool is_resumable = true;
};

class AddressesTest : public ::testing::Test {
  protected:
    void start(const char* pool, keepers::AddressSettings limits, std::uint32_t nodes = 3) {
        limits.pool = {parse_ip_prefix(pool).value()};
        limits.hold = kHold;
        cluster_.address_settings() = limits;
        for (std::uint32_t node = 1; node <= 3; ++node) {
            cluster_.kill(node);
        }
        for (std::uint32_t node = 1; node <= nodes; ++node) {
            cluster_.start(node);
        }
        ASSERT_TRUE(cluster_.promote(1).has_value());
        promoted_ = 1;
    }
    void start(const char* pool, std::uint32_t nodes = 3) { start(pool, {}, nodes); }

    // What it is answered; nothing: not yet.
    std::optional<AnswerAddress> ask(PluginToken plugin, const std::string& user) {
        cluster_.run(promoted_, cluster_.at(promoted_).node->on_plugin_asks(plugin, "l2tp", user,
                                                                            cluster_.now()));
        return answer(plugin);
    }
    std::optional<AnswerAddress> answer(PluginToken plugin) {
        const auto& answers = cluster_.at(promoted_).addresses;
        const auto found = answers.find(plugin);
        return found == answers.end() ? std::nullopt : std::optional(found->second);
    }
    Ipv4Address given(PluginToken plugin, const std::string& user) {
        const auto answered = ask(plugin, user);
        EXPECT_TRUE(answered && answered->refusal.empty());
        return answered ? answered->address : Ipv4Address{};
    }
    static l2tp::SessionRecord session_of(const Client& client) {
        l2tp::SessionRecord record = session(client.number);
        record.facts.user = client.user;
        record.facts.peer_address = client.address;
        return record;
    }
    void up(PluginToken plugin, const Client& client) {
        cluster_.run(promoted_, cluster_.at(promoted_).node->on_plugin_up(
                                    plugin, "l2tp", stock_session(session_of(client)),
                                    client.is_resumable ? "" : "compression", cluster_.now()));
    }
    void down(PluginToken plugin) {
        cluster_.run(promoted_,
                     cluster_.at(promoted_).node->on_plugin_down(plugin, cluster_.now()));
    }
    void fail_over() {
        cluster_.kill(promoted_);
        const std::uint32_t dead = std::exchange(promoted_, promoted_ % 3 + 1);
        cluster_.pass(seconds(2));
        ASSERT_TRUE(cluster_.promote(promoted_).has_value());
        cluster_.start(dead);
        cluster_.pass(seconds(1));
    }
    [[nodiscard]] keepers::AddressCounts counts(std::uint32_t node) {
        return cluster_.at(node)
            .node->find(kGateway)
            ->cores()
            .keepers.find<keepers::Addresses>()
            ->address_counts();
    }

    FakeCluster cluster_{3};
    std::uint32_t promoted_ = 0;
};

TEST_F(AddressesTest, AreOfTheNodeWhereThereIsNoPool) {
    ASSERT_TRUE(cluster_.promote(1).has_value());
    promoted_ = 1;
    const auto own = ask(7, "alice");
    ASSERT_TRUE(own.has_value());
    EXPECT_EQ(own->address, Ipv4Address{});
    EXPECT_EQ(own->refusal, "");
}

TEST_F(AddressesTest, AreGivenUpToTheLimitsOfAllAndOfAUser) {
    start("10.200.16.0/24", {.sessions_max = 3, .sessions_per_user_max = 2});
    (void)given(1, "alice");
    (void)given(2, "alice");
    EXPECT_THAT(ask(3, "alice")->refusal, HasSubstr("the user has 2 sessions"));
    (void)given(4, "bob");
    EXPECT_THAT(ask(5, "carol")->refusal, HasSubstr("there are 3 sessions"));
    EXPECT_EQ(counts(1).over_limit, 1U);
    EXPECT_EQ(counts(1).over_own_limit, 1U);
    EXPECT_EQ(counts(1).refused, 0U);
    down(1);
    EXPECT_EQ(ask(6, "carol")->refusal, "") << "what is held for a while is not in use";
}

TEST_F(AddressesTest, AreCountedOverAFailover) {
    start("10.200.16.0/24", {.sessions_per_user_max = 1});
    const Client alice{.user = "alice", .address = given(1, "alice"), .number = 1};
    up(1, alice);
    cluster_.pass(seconds(1));
    fail_over();
    EXPECT_THAT(ask(2, "alice")->refusal, HasSubstr("the user has 1 sessions"));
    EXPECT_EQ(ask(3, "bob")->refusal, "");
}

TEST_F(AddressesTest, AreOnAllNodesBeforeTheClientLearnsOfOne) {
    start("10.200.16.0/24");
    cluster_.hold(true);
    EXPECT_FALSE(ask(7, "alice").has_value());
    cluster_.hold(false);
    ASSERT_TRUE(answer(7).has_value());
    EXPECT_EQ(counts(2).in_use, 1U);
    EXPECT_EQ(counts(3).in_use, 1U);
}

TEST_F(AddressesTest, AreGivenAfterASecondWhileARingIsFormed) {
    start("10.200.16.0/24");
    cluster_.hold(true);
    ask(7, "alice");
    cluster_.pass(milliseconds(900));
    EXPECT_FALSE(answer(7).has_value());
    cluster_.pass(milliseconds(150));
    EXPECT_TRUE(answer(7).has_value());
}

TEST_F(AddressesTest, AreGivenAtOnceByANodeThatIsAlone) {
    start("10.200.16.0/24");
    cluster_.kill(2);
    cluster_.kill(3);
    EXPECT_TRUE(ask(7, "alice").has_value());
}

TEST_F(AddressesTest, AreGivenByThePromotedNodeOnly) {
    start("10.200.16.0/24");
    promoted_ = 2;
    EXPECT_FALSE(ask(7, "alice").has_value());
    cluster_.pass(limits::kAddressWait);
    ASSERT_TRUE(answer(7).has_value());
    EXPECT_THAT(answer(7)->refusal, HasSubstr("not promoted"));
}

TEST_F(AddressesTest, AUserFindsItsOwnAgainOnAnotherNode) {
    start("10.200.16.0/24");
    Client alice{"alice", given(7, "alice"), 1, 1, true, true};
    up(7, alice);
    EXPECT_EQ(given(7, "alice"), alice.address);  // IPCP begins anew.
    // A second session of the user gets another one.
    EXPECT_NE(given(8, "alice"), alice.address);
    down(8);
    down(7);
    fail_over();
    EXPECT_EQ(counts(promoted_).held, 2U);
    EXPECT_EQ(counts(promoted_).in_use, 0U);
    const std::set<Ipv4Address> own{given(9, "alice"), given(10, "alice")};
    EXPECT_THAT(own, Contains(alice.address));
    EXPECT_EQ(counts(promoted_).held, 0U);
}

TEST_F(AddressesTest, AreHeldForTheirUserAndThenFree) {
    start("10.200.16.0/30");  // Two.
    const Ipv4Address first = given(7, "alice");
    given(8, "bob");
    down(7);
    auto refused = ask(9, "carol");
    ASSERT_TRUE(refused.has_value());
    EXPECT_THAT(refused->refusal, HasSubstr("all 2 addresses"));
    EXPECT_THAT(cluster_.at(1).log, Contains(HasSubstr("event=no-address")));
    EXPECT_EQ(counts(1).refused, 1U);
    cluster_.pass(kHold + seconds(1));
    EXPECT_EQ(given(10, "carol"), first);
}

TEST_F(AddressesTest, OfAResumedSessionStaysItsOwnUntilItEnds) {
    start("10.200.16.0/30");
    Client alice{"alice", given(7, "alice"), 1, 1, true, true};
    up(7, alice);
    for (int i = 0; i < 3; ++i) {
        fail_over();
        cluster_.pass(2 * kHold);
        EXPECT_EQ(counts(promoted_).in_use, 1U);
        EXPECT_EQ(counts(promoted_).held, 0U);
    }
    cluster_.run(promoted_, cluster_.at(promoted_).node->on_event(
                                kGateway, SessionGone{session_of(alice).key}, cluster_.now()));
    cluster_.pass(seconds(1));
    EXPECT_EQ(counts(promoted_).held, 1U);
    cluster_.pass(kHold);
    EXPECT_EQ(counts(promoted_).held, 0U);
}

TEST_F(AddressesTest, ASecondSessionWithOneIsEnded) {
    start("10.200.16.0/24");
    Client alice{"alice", given(7, "alice"), 1, 1, true, true};
    up(7, alice);
    Client bob{"bob", alice.address, 2, 1, true, true};
    up(8, bob);
    ASSERT_TRUE(answer(8).has_value());
    EXPECT_THAT(answer(8)->refusal, HasSubstr("another session's"));
    EXPECT_EQ(counts(1).clashes, 1U);
    EXPECT_THAT(cluster_.at(1).log, Contains(HasSubstr("event=address-clash")));
    down(8);
    EXPECT_EQ(counts(1).in_use, 1U);
}

TEST_F(AddressesTest, OfANodesOwnRangeIsKnownFromThenOn) {
    start("10.200.16.0/30");
    // vpnhad was away when these two dialled.
    Client alice{"alice", Ipv4Address{0x0ac81001}, 1, 1, true, true};
    Client bob{"bob", Ipv4Address{0x0ac80107}, 2, 1, true, true};  // Not of the pool.
    up(7, alice);
    up(8, bob);
    EXPECT_EQ(counts(1).in_use, 1U);
    EXPECT_NE(given(9, "carol"), alice.address);
    down(8);
    EXPECT_EQ(counts(1).in_use, 2U);
}

TEST_F(AddressesTest, OfSessionsFromBeforeThereWasAPoolAreNotGiven) {
    ASSERT_TRUE(cluster_.promote(1).has_value());
    promoted_ = 1;
    Client alice{"alice", Ipv4Address{0x0ac81001}, 1, 1, true, true};
    up(7, alice);
    cluster_.address_settings() = {{parse_ip_prefix("10.200.16.0/30").value()}, kHold};
    for (const std::uint32_t node : {2U, 3U}) {
        cluster_.kill(node);
        cluster_.start(node);
    }
    cluster_.pass(seconds(1));
    fail_over();
    EXPECT_EQ(given(8, "bob"), Ipv4Address{0x0ac81002});
    EXPECT_NE(ask(9, "carol")->refusal, "");
}

// Random dials, hang-ups and failovers.
class AnyAddresses : public AddressesTest, public ::testing::WithParamInterface<unsigned> {
  protected:
    unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }

    void dial() {
        const PluginToken plugin = ++last_token_;
        Client client;
        client.user = "user" + std::to_string(below(20));
        client.number = ++last_number_;
        client.node = promoted_;
        client.is_resumable = below(8) != 0;
        const auto answered = ask(plugin, client.user);
        ASSERT_TRUE(answered.has_value());
        if (!answered->refusal.empty()) {
            // The small pool is used up: with those whose hold is not over.
            ASSERT_EQ(counts(promoted_).in_use + counts(promoted_).held, 14U);
            down(plugin);
            return;
        }
        client.address = answered->address;
        for (const auto& [token, other] : clients_) {
            ASSERT_NE(client.address, other.address)
                << to_string(client.address) << " of " << other.user << " is given to "
                << client.user;
        }
        client.is_up = below(10) != 0;
        if (client.is_up) {
            up(plugin, client);
        }
        clients_[plugin] = client;
    }
    void hang_up() {
        if (clients_.empty()) {
            return;
        }
        auto at = clients_.begin();
        std::advance(at, below(static_cast<unsigned>(clients_.size())));
        if (at->second.node != 0) {
            down(at->first);
        } else {
            cluster_.run(promoted_,
                         cluster_.at(promoted_).node->on_event(
                             kGateway, SessionGone{session_of(at->second).key}, cluster_.now()));
        }
        clients_.erase(at);
    }
    // What nobody can continue with is over, and its client knows nothing of it yet: such an
    // address may be given again, after its hold.
    void take_over() {
        fail_over();
        std::erase_if(clients_, [](const auto& each) {
            return each.second.node != 0 && (!each.second.is_up || !each.second.is_resumable);
        });
        for (auto& [plugin, client] : clients_) {
            client.node = 0;
        }
    }

    // Nobody answers what a resumed tunnel asks: after some time it gives its client up.
    void forget_given_up() {
        const replica::Store& store = cluster_.replica(promoted_).store();
        std::erase_if(clients_, [&](const auto& each) {
            const wire::RecordKey key{
                wire::RecordType::l2tp_session,
                wire::RecordId(l2tp::encode_key(session_of(each.second).key))};
            return each.second.node == 0 && store.find(key) == nullptr;
        });
    }

    std::mt19937 random_{GetParam()};
    std::map<PluginToken, Client> clients_;
    PluginToken last_token_ = 100;
    std::uint16_t last_number_ = 100;
};

TEST_P(AnyAddresses, NoneIsGivenTwice) {
    start("10.200.16.0/28");
    for (int step = 0; step < 300 && !HasFatalFailure(); ++step) {
        forget_given_up();
        switch (below(10)) {
            case 0:
                take_over();
                break;
            case 1:
            case 2:
            case 3:
                hang_up();
                break;
            case 4:
                cluster_.pass(seconds(below(8)));
                break;
            default:
                dial();
        }
    }
    forget_given_up();
    while (!clients_.empty()) {
        hang_up();
    }
    cluster_.pass(kHold + seconds(1));
    for (std::uint32_t node = 1; node <= 3; ++node) {
        EXPECT_EQ(counts(node).in_use + counts(node).held, 0U) << "node " << node;
        EXPECT_EQ(counts(node).clashes, 0U);
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyAddresses, ::testing::Range(1U, 21U));

}  // namespace addresses_test
}  // namespace vpnha::node
