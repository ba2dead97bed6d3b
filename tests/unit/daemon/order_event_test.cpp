// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/order_event.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace vpnha::runtime {
namespace order_event_test {

using nlohmann::json;

std::string line(const std::string& verb, const json& arguments,
                 const Caller& caller = {.uid = 0, .process = 812}) {
    config::Config config;
    config.gateways.emplace_back().name = "dialin";
    return order_line({.verb = verb, .arguments = arguments}, caller, config);
}

bool is_order(const std::string& verb, const json& arguments) {
    return runtime::is_order({.verb = verb, .arguments = arguments});
}

TEST(OrderEventTest, NamesWhoHasOrderedWhat) {
    EXPECT_EQ(line("drain", {{"gateway", "dialin"}},
                   {.uid = 0, .process = 812, .login = 1000, .program = "vpnha"}),
              "drain was ordered event=ordered verb=drain gateway=dialin uid=0 login=1000 "
              "process=812 program=vpnha");
    EXPECT_EQ(line("session_end", {{"id", "1a2b"}}),
              "session_end was ordered event=ordered verb=session_end uid=0 process=812");
}

TEST(OrderEventTest, NamesNoGatewayThatIsNotThere) {
    EXPECT_EQ(line("undrain", {{"gateway", "x event=forged"}}),
              "undrain was ordered event=ordered verb=undrain uid=0 process=812");
}

TEST(OrderEventTest, LooksMovesAskedForAgainAndAgentsAreNoOrders) {
    EXPECT_FALSE(is_order("status", json::object()));
    EXPECT_FALSE(is_order("monitor", {{"gateway", "dialin"}}));
    EXPECT_FALSE(is_order("promote", {{"gateway", "dialin"}}));
    EXPECT_FALSE(is_order("fence", {{"node", "gw2"}}));
    EXPECT_TRUE(is_order("switchover", {{"gateway", "dialin"}}));
    EXPECT_FALSE(is_order("switchover", {{"gateway", "dialin"}, {"dry_run", true}}));
    EXPECT_FALSE(is_order("switchover", {{"gateway", "dialin"}, {"to", "2"}, {"epoch", "3.1"}}));
}

TEST(OrderEventTest, TheKernelKnowsTheCaller) {
    const Caller caller = caller_of({.uid = 33, .process = ::getpid()});
    EXPECT_EQ(caller.uid, 33U);
    EXPECT_EQ(caller.process, ::getpid());
    EXPECT_EQ(caller.program, "daemon_test");
    EXPECT_EQ(caller_of({.process = -1}).program, "");
}

}  // namespace order_event_test
}  // namespace vpnha::runtime
