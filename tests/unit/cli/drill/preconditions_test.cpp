// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/preconditions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/cli/drill/sample_facts.hpp"

namespace vpnha::cli::drill {
namespace preconditions_test {

using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Why a healthy cluster in which `change` is amiss is refused.
template <class Change>
std::vector<std::string> refusals(Change change) {
    Facts facts = sample_facts();
    change(facts);
    return unhealthy(facts, "dialin");
}

TEST(PreconditionsTest, AHealthyClusterMayBeDrilled) {
    EXPECT_THAT(unhealthy(sample_facts(), "dialin"), IsEmpty());
    EXPECT_THAT(unhealthy(sample_facts_of_standby(), "dialin"), IsEmpty());
    EXPECT_THAT(notes(sample_facts()), IsEmpty());
}

TEST(PreconditionsTest, AllReasonsComeAtOnceEachWithWhatToDo) {
    const auto reasons = refusals([](Facts& facts) {
        facts.cluster->nodes[2].amiss = "offline";
        facts.cluster->fencing_enabled = false;
        facts.cluster->in_maintenance = true;
        facts.status["gateways"][0]["drained"] = true;
    });
    ASSERT_THAT(reasons, SizeIs(4));
    EXPECT_THAT(reasons, Contains(HasSubstr("vpnha undrain dialin")));
    EXPECT_THAT(reasons, Contains(HasSubstr("gw3 is offline: bring it back")));
    EXPECT_THAT(reasons, Contains(HasSubstr("stonith-enabled=true")));
    EXPECT_THAT(reasons, Contains(HasSubstr("maintenance-mode --delete")));
}

TEST(PreconditionsTest, AStandbyHasToBeInSync) {
    EXPECT_THAT(
        refusals([](Facts& facts) { facts.status["gateways"][0]["standbys"] = json::array({1}); }),
        ElementsAre(HasSubstr("no standby of dialin is in sync")));
}

TEST(PreconditionsTest, SessionsThatWouldBeLostAreNotRisked) {
    const auto unprotected = [](Facts& facts) {
        facts.status["gateways"][0]["sessions"]["protected"] = 1;
    };
    EXPECT_THAT(refusals(unprotected), ElementsAre(HasSubstr("1 of 2 sessions")));
    Facts standby = sample_facts_of_standby();
    unprotected(standby);  // It does not know.
    EXPECT_THAT(unhealthy(standby, "dialin"), IsEmpty());
}

TEST(PreconditionsTest, WhatVpnhaStatusCallsCriticalIsARefusalAndTheRestANote) {
    EXPECT_THAT(refusals([](Facts& facts) { facts.status["quorate"] = false; }),
                ElementsAre(HasSubstr("no quorum")));
    Facts facts = sample_facts();
    facts.status["real_time"] = false;
    EXPECT_THAT(unhealthy(facts, "dialin"), IsEmpty());
    EXPECT_THAT(notes(facts), ElementsAre(HasSubstr("real time")));
}

TEST(PreconditionsTest, AGatewayOnItsWayIsLeftAlone) {
    for (const char* role : {"standing-in", "draining"}) {
        EXPECT_THAT(refusals([&](Facts& facts) {
                        facts.status["gateways"][0]["role"] = role;
                        facts.status["gateways"][0]["standing_in_ms"] = 5;
                    }),
                    Contains(HasSubstr("on its way to another node")));
    }
}

TEST(PreconditionsTest, PacemakerHasToAnswerAndToBeCalm) {
    EXPECT_THAT(refusals([](Facts& facts) { facts.cluster = fail(Errc::timeout, "no answer"); }),
                ElementsAre(HasSubstr("Pacemaker does not answer (no answer)")));
    EXPECT_THAT(refusals([](Facts& facts) { facts.cluster->has_fencing = false; }),
                ElementsAre(HasSubstr("no fencing device is started")));
    EXPECT_THAT(refusals([](Facts& facts) {
                    facts.cluster->unmanaged = {"a", "b"};
                }),
                ElementsAre(HasSubstr("does not manage a, b")));
    EXPECT_THAT(refusals([](Facts& facts) { facts.cluster->failures = {"x on gw2"}; }),
                ElementsAre(HasSubstr("crm_resource --cleanup")));
    EXPECT_THAT(refusals([](Facts& facts) { facts.constraints = {"cli-ban-x: remove it"}; }),
                ElementsAre("cli-ban-x: remove it"));
}

TEST(PreconditionsTest, AGatewayThatThereIsNotIsNamed) {
    EXPECT_THAT(unhealthy(sample_facts(), "nowhere"), ElementsAre(HasSubstr("nowhere")));
    EXPECT_THAT(unfit(sample_facts(), {.kind = Kind::daemon, .gateway = "nowhere"}), IsEmpty());
}

Order order_of(Kind kind) {
    return {.kind = kind, .gateway = "dialin", .service = "dialler", .stays_off = true};
}

TEST(PreconditionsTest, EachDrillHasItsPlace) {
    for (const KindOf& kind : kKinds) {
        const auto here = unfit(sample_facts(), order_of(kind.kind));
        const auto elsewhere = unfit(sample_facts_of_standby(), order_of(kind.kind));
        EXPECT_EQ(here.empty(), kind.where != Where::elsewhere) << kind.name;
        EXPECT_EQ(elsewhere.empty(), kind.where != Where::there) << kind.name;
    }
    EXPECT_THAT(unfit(sample_facts_of_standby(), order_of(Kind::daemon)),
                ElementsAre(HasSubstr("run it on gw1")));
}

TEST(PreconditionsTest, TheNodeThatServesDoesNotWatchItself) {
    Order order = order_of(Kind::switchover);
    order.watch = "192.0.2.100";
    EXPECT_THAT(unfit(sample_facts(), order), ElementsAre(HasSubstr("vpnha drill watch")));
    EXPECT_THAT(unfit(sample_facts_of_standby(), order), IsEmpty());
}

TEST(PreconditionsTest, AServiceHasToRunAndToBeProbed) {
    Facts facts = sample_facts();
    facts.is_probed = false;
    facts.service_runs = false;
    EXPECT_THAT(unfit(facts, order_of(Kind::service)),
                ElementsAre(HasSubstr("no program of the name dialler"),
                            HasSubstr("cib-templates/probe.crm")));
}

TEST(PreconditionsTest, ALinkIsNoneOfCorosyncsAndCanBePutBack) {
    Facts facts = sample_facts();
    facts.outside.addresses.emplace_back("10.77.2.1");
    facts.outside.trouble = "a route of several ways";
    EXPECT_THAT(unfit(facts, order_of(Kind::link)),
                ElementsAre(HasSubstr("a route of several ways"),
                            HasSubstr("Corosync's link 10.77.2.1 runs over eth1")));
}

TEST(PreconditionsTest, APartitionThatLeavesTheNodeOffWantsAPromise) {
    Order order = order_of(Kind::partition);
    order.stays_off = false;
    EXPECT_THAT(unfit(sample_facts(), order), ElementsAre(HasSubstr("--stays-off")));
    Facts facts = sample_facts();
    facts.stonith_action = "";
    EXPECT_THAT(unfit(facts, order), IsEmpty());
    facts.links.clear();
    EXPECT_THAT(unfit(facts, order), ElementsAre(HasSubstr("corosync-cfgtool -n")));
}

}  // namespace preconditions_test
}  // namespace vpnha::cli::drill
