// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/peers_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/cli/sample.hpp"

namespace vpnha::cli {
namespace peers_view_test {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

TEST(PeersViewTest, ShowsWhoDoesWhat) {
    EXPECT_EQ(
        render_peers(sample_status(), false),
        "ID  NODE             WIRE VERSION  INSTANCE          PROMOTED FOR  STANDBY FOR  DIFFERS "
        "IN\n"
        "1   gw1 (this node)  1             00000000000000a1  dialin\n"
        "2   gw2              1 to 2        00000000000000a2                dialin       0 items\n"
        "3   gw3              1             00000000000000a3                dialin       0 items\n"
        "\n"
        "Witness wit1: answered 0.1 s ago, 1.2 ms.\n"
        "\n"
        "Rounds of the leases that this node has held:\n"
        "GATEWAY  ROUNDS  LATE BY (MEAN)  WORST OF A DAY  LOST WHEN LATER THAN  LEASE\n"
        "dialin   945     1.6 ms          30 ms           200 ms                300 ms, which gw2 "
        "(2) needs\n");
}

TEST(PeersViewTest, AWorstRoundOfMoreThanHalfOfTheSlackIsRed) {
    json status = sample_status();
    json& rounds = status["gateways"][0]["lease"]["rounds"];
    rounds["worst_of_day_ms"] = 100;
    EXPECT_THAT(render_peers(status, true), Not(HasSubstr("\x1b[31m100 ms")));
    rounds["worst_of_day_ms"] = 101;
    EXPECT_THAT(render_peers(status, true), HasSubstr("\x1b[31m101 ms"));
    rounds["late"] = json::array({0, 0});
    EXPECT_THAT(render_peers(status, false), Not(HasSubstr("Rounds"))) << "it has held none";
}

TEST(PeersViewTest, ListsWhatDiffers) {
    json status = sample_status();
    status["differences"] = {
        {{"node", 2}, {"gateway", "dialin"}, {"item", "pools"}, {"weight", "session"}},
        {{"node", 2}, {"gateway", nullptr}, {"item", "daemon.log_level"}, {"weight", "note"}}};
    const std::string shown = render_peers(status, false);
    EXPECT_THAT(shown, HasSubstr("2 items\n"));
    EXPECT_THAT(shown, HasSubstr("Differences from this node:\n"
                                 "NODE     GATEWAY  ITEM              MEANS\n"
                                 "gw2 (2)  dialin   pools             sessions would not continue\n"
                                 "gw2 (2)  (all)    daemon.log_level  note\n"));
    EXPECT_THAT(render_peers(sample_status(), false), Not(HasSubstr("Differences")));
}

TEST(PeersViewTest, AMemberThatHasNotSpokenIsShownAsSuch) {
    json status = sample_status();
    for (const char* name : {"name", "wire_version", "wire_version_min", "instance"}) {
        status["members"][2][name] = nullptr;
    }
    EXPECT_THAT(render_peers(status, false), HasSubstr("3   unknown          unknown"));
}

}  // namespace peers_view_test
}  // namespace vpnha::cli
