// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/executor.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "services/flows/work.hpp"
#include "services/scripts/backend/scripts.hpp"
#include "services/scripts/work.hpp"
#include "support/no_ports.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::runtime {
namespace executor_test {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr GatewayId kGateway{1};
constexpr GatewayId kOther{2};

struct FakeGate final : ports::Gate {
    Result<void> attach(GatewayId) override { return {}; }
    Result<void> open_until(GatewayId, TimePoint until) override {
        opened_until = until;
        ++opened;
        return result;
    }
    Result<void> shut(GatewayId) override {
        opened_until = {};
        return result;
    }
    Result<void> leave(GatewayId, const ports::GateLeave& leave) override {
        opened_until = leave.shut_at;
        return can_leave;
    }
    Result<void> hold(GatewayId, const ports::GateHold&) override { return {}; }
    Result<void> release(GatewayId, ports::HoldQueue) override {
        ++released;
        on_release();
        return {};
    }
    Result<void> hold_esp(GatewayId, const std::vector<std::uint32_t>&, bool) override {
        return {};
    }
    Result<void> drain(GatewayId, bool) override { return {}; }
    [[nodiscard]] Result<std::optional<TimePoint>> deadline(GatewayId) const override {
        return std::nullopt;
    }
    [[nodiscard]] Result<ports::GateCounters> counters(GatewayId) const override {
        return ports::GateCounters{};
    }

    TimePoint opened_until{};
    Result<void> result;  // Of every call.
    Result<void> can_leave;
    int opened = 0;
    int released = 0;
    std::function<void()> on_release = [] {};
};
struct NoLeases final : ports::Leases {
    void save(GatewayId, lease::Durable, std::uint64_t, Done done) override {
        saves.push_back(std::move(done));
    }

    std::vector<Done> saves;
};
struct NoLeaseLinks final : ports::LeaseLinks {
    void send(GatewayId, NodeId, const lease::Message&) override {}
    void ask_for_echo(NodeId) override {}
    void set_voters(const std::vector<NodeId>& nodes) override { voters = nodes; }

    std::vector<NodeId> voters;
};
struct CountingBackend final : ports::Backend {
    [[nodiscard]] bool execute(effects::ProtocolWork& work) override {
        if (work.get<node::FlowWork>() == nullptr) {
            return false;
        }
        calls.push_back("execute");
        return true;
    }
    void hold(GatewayId) override { calls.push_back("hold"); }
    void let_go(GatewayId) override { calls.push_back("let_go"); }
    void announce(GatewayId) override { calls.push_back("announce"); }
    void detach(GatewayId) override { calls.push_back("detach"); }
    void finish() override { calls.push_back("finish"); }

    std::vector<std::string> calls;
};

class ExecutorTest : public ::testing::Test {
  protected:
    static node::Settings settings() {
        node::Settings settings;
        settings.self = NodeId{1};
        for (const GatewayId id : {kGateway, kOther}) {
            node::GatewaySettings& gateway = settings.gateways.emplace_back();
            gateway.id = id;
            gateway.lease.self = {NodeId{1}, {}, lease::Instance{1}};
            gateway.lease.voters = {NodeId{1}};
        }
        return settings;
    }

    // What waits is on the disk, and what it leads to is, too.
    void finish_saves() {
        while (!leases_.saves.empty()) {
            const NoLeases::Done done = leases_.saves.front();
            leases_.saves.erase(leases_.saves.begin());
            done({});
        }
    }

    adapters::QbLoop loop_;
    node::Node node_{settings()};
    FakeGate gate_;
    test::NoNetwork network_;
    test::NoNeighbours neighbours_;
    test::NoServices services_;
    CountingBackend backend_;
    NoLeases leases_;
    NoLeaseLinks lease_links_;
    int idle_ = 0;
    int answered_ = 0;
    std::function<void()> on_request_ = [] {};
    std::vector<std::string> broken_;
    Executor executor_{
        loop_,
        node_,
        {gate_, network_, neighbours_, services_, leases_, lease_links_, {&backend_}},
        {.request =
             [this](const effects::AnswerRequest&) {
                 ++answered_;
                 on_request_();
             },
         .plugin = {},
         .end_plugin = {},
         .change_plugin = {},
         .address = {},
         .score = [](const effects::WriteScore&) {},
         .idle = [this] { ++idle_; },
         .fenced = {},
         .broken = [this](const Error& error) { broken_.push_back(error.detail); }}};
};

// The node has ordered the deadline before it handles the event: the gate is to stay shut.
TEST_F(ExecutorTest, WhatFollowsFromAnEventWithinAnEffectIsDoneBehindOlderEffects) {
    on_request_ = [this] { executor_.run({effects::SetGate{kGateway, {}}}); };
    executor_.run({effects::AnswerRequest{1, {}},
                   effects::SetGate{kGateway, loop_.now() + std::chrono::seconds(1)}});
    EXPECT_EQ(gate_.opened, 1);
    EXPECT_EQ(gate_.opened_until, TimePoint{});
}

// Hundreds of thousands of flows take longer than a lease.
TEST_F(ExecutorTest, AGatewayThatIsDetachedHoldsUpNoOtherForItsFlows) {
    executor_.run(node_.attach(1, kOther, "checkpoint", loop_.now()));
    executor_.run({effects::Detached{kGateway}});
    EXPECT_THAT(backend_.calls, ElementsAre("detach"));
    EXPECT_EQ(idle_, 0);
}

TEST_F(ExecutorTest, AGateThatRestsOnASaveOpensWhenItIsSaved) {
    executor_.run(node_.on_members({NodeId{1}}, true, loop_.now()));
    executor_.run(node_.attach(1, kGateway, "checkpoint", loop_.now()));
    executor_.run(node_.promote(2, kGateway, loop_.now()));
    ASSERT_EQ(leases_.saves.size(), 1U);
    EXPECT_EQ(gate_.opened, 0);
    finish_saves();
    EXPECT_EQ(gate_.opened, 1);
}

// The links hear a voter until no list has it.
TEST_F(ExecutorTest, TheLinksFollowTheListsOfVoters) {
    executor_.run(node_.on_members({NodeId{1}}, true, loop_.now()));
    executor_.run(node_.attach(1, kGateway, "checkpoint", loop_.now()));
    executor_.run(node_.promote(2, kGateway, loop_.now()));
    finish_saves();
    const lease::Voters& lists = node_.find(kGateway)->cores().lease.engine().state().voters;
    const lease::Voters newer{{{{9, NodeId{2}}, 0}, {NodeId{1}, NodeId{2}}}, std::nullopt};
    lease::Round round;
    round.id = {{9, NodeId{2}}, lease::Instance{2}, 1};
    round.voters = newer;
    executor_.run(
        node_.on_lease_message(kGateway, {NodeId{2}, {}, lease::Instance{2}}, round, loop_.now()));
    ASSERT_EQ(lists, newer);
    EXPECT_EQ(lease_links_.voters, (std::vector{NodeId{1}, NodeId{2}}));
    const lease::Voters newest{{{{10, NodeId{2}}, 0}, {NodeId{1}}}, std::nullopt};
    round.id.epoch.number = 10;
    round.voters = newest;
    executor_.run(
        node_.on_lease_message(kGateway, {NodeId{2}, {}, lease::Instance{2}}, round, loop_.now()));
    ASSERT_EQ(lists, newest);
    EXPECT_EQ(lease_links_.voters, std::vector{NodeId{1}});
}

TEST_F(ExecutorTest, ASaveThatFailsOpensNothingAndEndsNothing) {
    executor_.run(node_.on_members({NodeId{1}}, true, loop_.now()));
    executor_.run(node_.attach(1, kGateway, "checkpoint", loop_.now()));
    executor_.run(node_.promote(2, kGateway, loop_.now()));
    ASSERT_EQ(leases_.saves.size(), 1U);
    leases_.saves.front()(fail(Errc::system, "No space left on device"));
    EXPECT_EQ(gate_.opened, 0);
    EXPECT_TRUE(broken_.empty());
}

// What a keeper wants of the scripts is done by those who know the session's interface.
TEST_F(ExecutorTest, ScriptsReceiveTheInterfaceThatTheKernelGaveTheSession) {
    const std::string directory = temporary_path("executor");
    std::filesystem::create_directory(directory);
    for (const char* const name : {"ip-up", "ip-down"}) {
        const std::string path = directory + "/" + name;
        std::ofstream(path) << "#!/bin/sh\necho \"${0##*/} $1\" >>" << directory << "/log\n";
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    }
    Scripts scripts(loop_, [](const wire::RecordKey&) { return "vpnha5"; },
                    {directory, std::chrono::seconds(10)});
    Executor executor(
        loop_, node_,
        {gate_, network_, neighbours_, services_, leases_, lease_links_, {&backend_, &scripts}},
        {});
    const wire::RecordKey l2tp{wire::RecordType::l2tp_session, {}};
    const wire::RecordKey pptp{wire::RecordType::pptp_call, {}};
    // The number of lo; a call of PPTP has a device of its own.
    executor.run({node::ScriptWork(node::RunUpScripts{kGateway, l2tp, {}}),
                  node::ScriptWork(node::RunDownScripts{kGateway, l2tp})});
    node::ScriptFacts facts;
    facts.device = 1;
    scripts.complete([&] {
        executor.run({node::ScriptWork(node::RunUpScripts{kGateway, pptp, facts})});
        scripts.complete([this] { loop_.stop(); });
    });
    loop_.run();
    std::vector<std::string> lines;
    std::ifstream log(directory + "/log");
    for (std::string line; std::getline(log, line);) {
        lines.push_back(line);
    }
    std::filesystem::remove_all(directory);
    EXPECT_THAT(lines, ElementsAre("ip-up vpnha5", "ip-down vpnha5", "ip-up lo"));
}

TEST_F(ExecutorTest, WithTheLastOneAllIsDoneBeforeTheEnd) {
    executor_.run({effects::Detached{kGateway}});
    EXPECT_THAT(backend_.calls, ElementsAre("detach", "finish"));
    EXPECT_EQ(idle_, 1);
}

TEST_F(ExecutorTest, WorkGoesToTheBackendOfItsProtocol) {
    Scripts scripts(loop_, [](const wire::RecordKey&) { return std::string(); });
    Executor executor(
        loop_, node_,
        {gate_, network_, neighbours_, services_, leases_, lease_links_, {&scripts, &backend_}},
        {});
    executor.run({node::ListFlows{kGateway}, effects::Announce{kGateway}});
    EXPECT_THAT(backend_.calls, ElementsAre("execute", "announce"));
}

// A session of a stock daemon may still be in the kernel.
TEST_F(ExecutorTest, BackendsInstallNothingWhileStockDaemonsEnd) {
    executor_.run(node_.on_members({NodeId{1}}, true, loop_.now()));
    executor_.run(node_.attach(1, kGateway, "checkpoint", loop_.now()));
    executor_.run(node_.promote(2, kGateway, loop_.now()));
    finish_saves();
    backend_.calls.clear();
    executor_.run(node_.demote(3, kGateway, loop_.now()));
    finish_saves();
    executor_.run(node_.on_time(loop_.now() + std::chrono::seconds(3)));
    ASSERT_THAT(backend_.calls, Contains("hold"));
    EXPECT_THAT(backend_.calls, Not(Contains("let_go")));
    services_.done({});
    EXPECT_THAT(backend_.calls, Contains("let_go"));
}

// Who cannot be silenced must not live, and says nothing more.
TEST_F(ExecutorTest, AGateThatCannotBeSetEndsTheDaemon) {
    for (const TimePoint deadline : {TimePoint{}, loop_.now() + std::chrono::seconds(1)}) {
        broken_.clear();
        gate_.result = fail(Errc::system, "no such map");
        Executor executor(
            loop_, node_, {gate_, network_, neighbours_, services_, leases_, lease_links_},
            {.request = [this](const effects::AnswerRequest&) { ++answered_; },
             .plugin = {},
             .end_plugin = {},
             .change_plugin = {},
             .address = {},
             .score = {},
             .idle = {},
             .fenced = {},
             .broken = [this](const Error& error) { broken_.push_back(error.detail); }});
        executor.run({effects::SetGate{kGateway, deadline}, effects::AnswerRequest{1, {}}});
        EXPECT_THAT(broken_, ElementsAre("no such map"));
        EXPECT_EQ(answered_, 0) << "nothing behind it is done";
    }
}

TEST_F(ExecutorTest, AGateThatCannotSendOnIsShut) {
    const TimePoint now = loop_.now();
    const effects::LeaveGate leave{kGateway,
                                   now + std::chrono::milliseconds(200),
                                   now + std::chrono::seconds(1),
                                   now + std::chrono::milliseconds(1),
                                   {}};
    executor_.run({leave});
    EXPECT_EQ(gate_.opened_until, leave.shut_at);
    gate_.can_leave = fail(Errc::system, "no such map");
    executor_.run({leave});
    EXPECT_EQ(gate_.opened_until, TimePoint{});
    EXPECT_THAT(broken_, IsEmpty());
}

TEST_F(ExecutorTest, APromotionOpensTheGateForItsLeaseAndNoLonger) {
    const TimePoint deadline = loop_.now() + std::chrono::milliseconds(250);
    executor_.run({effects::SetGate{kGateway, deadline - std::chrono::milliseconds(50)}});
    EXPECT_EQ(gate_.opened_until, deadline - std::chrono::milliseconds(50));
    static_cast<void>(node_.attach(1, kGateway, "checkpoint", loop_.now()));
    executor_.run(node_.on_members({NodeId{1}}, true, loop_.now()));
    gate_.on_release = [this, before = gate_.opened] { EXPECT_GT(gate_.opened, before); };
    executor_.run(node_.promote(2, kGateway, loop_.now()));
    finish_saves();
    ASSERT_EQ(node_.find(kGateway)->view().state(), takeover::State::promoted);
    EXPECT_EQ(gate_.opened_until,
              node_.find(kGateway)->cores().lease.engine().holder().state().deadline);
    EXPECT_EQ(gate_.released, 1) << "behind the opening";
}

}  // namespace executor_test
}  // namespace vpnha::runtime
