// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/rebalance/moves.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace vpnha::cli::rebalance {
namespace moves_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::vector<std::string> kNodes{"gw1", "gw2", "gw3"};

// Each other node can have it.
Served served(const char* name, const char* node, std::uint64_t sessions = 0) {
    Served gateway{.name = name, .node = node, .standbys = kNodes, .sessions = sessions};
    std::erase(gateway.standbys, gateway.node);
    return gateway;
}

// By node: how many gateways it has after the moves.
std::map<std::string, int> counts_after(const std::vector<Served>& gateways,
                                        const std::vector<Move>& moves) {
    std::map<std::string, int> counts;
    for (const std::string& node : kNodes) {
        counts[node] = 0;
    }
    for (const Served& gateway : gateways) {
        ++counts[gateway.node];
    }
    for (const Move& move : moves) {
        --counts[move.from];
        ++counts[move.to];
    }
    return counts;
}

TEST(MovesTest, WithoutGatewaysOrWhereAllIsEvenThereIsNone) {
    EXPECT_THAT(moves_to_even({}, kNodes), IsEmpty());
    EXPECT_THAT(moves_to_even({served("a", "gw1")}, kNodes), IsEmpty());
    EXPECT_THAT(moves_to_even({served("a", "gw1"), served("b", "gw3")}, kNodes), IsEmpty());
    EXPECT_THAT(moves_to_even({served("a", "gw1"), served("b", "gw2"), served("c", "gw3"),
                               served("d", "gw3")},
                              kNodes),
                IsEmpty());
}

TEST(MovesTest, OfTwoGatewaysOnANodeTheOneWithFewerSessionsMoves) {
    EXPECT_THAT(moves_to_even({served("a", "gw1", 40), served("b", "gw1", 2)}, {"gw1", "gw2"}),
                ElementsAre(Move{"b", "gw1", "gw2", 2}));
    EXPECT_THAT(moves_to_even({served("a", "gw1", 2), served("b", "gw1", 40)}, {"gw1", "gw2"}),
                ElementsAre(Move{"a", "gw1", "gw2", 2}));
}

TEST(MovesTest, SessionsDecideOnlyBetweenAsFewMoves) {
    // The only one that can move has the most sessions.
    Served a = served("a", "gw1", 1);
    a.standbys.clear();
    EXPECT_THAT(moves_to_even({a, served("b", "gw1", 5'000'000)}, {"gw1", "gw2"}),
                ElementsAre(Move{"b", "gw1", "gw2", 5'000'000}));
}

TEST(MovesTest, TheyComeInTheOrderOfTheirSessions) {
    EXPECT_THAT(moves_to_even({served("a", "gw1", 9), served("b", "gw1", 7), served("c", "gw1", 8)},
                              kNodes),
                ElementsAre(Move{"b", "gw1", "gw2", 7}, Move{"c", "gw1", "gw3", 8}));
}

TEST(MovesTest, TheOrderOfTheInputDoesNotMatter) {
    std::vector<Served> gateways{served("a", "gw1"), served("b", "gw1"), served("c", "gw1"),
                                 served("d", "gw2")};
    const std::vector<Move> moves = moves_to_even(gateways, kNodes);
    EXPECT_THAT(moves, SizeIs(1));
    std::ranges::reverse(gateways);
    EXPECT_EQ(moves_to_even(gateways, {"gw3", "gw1", "gw2"}), moves);
}

TEST(MovesTest, AGatewayMakesRoomForOneThatCanGoNowhereElse) {
    Served a = served("a", "gw1");
    a.standbys = {"gw2"};
    Served b = served("b", "gw1");
    b.standbys = {};
    Served c = served("c", "gw2");
    c.standbys = {"gw3"};
    EXPECT_THAT(moves_to_even({a, b, c}, kNodes),
                ElementsAre(Move{"a", "gw1", "gw2", 0}, Move{"c", "gw2", "gw3", 0}));
}

TEST(MovesTest, ANodeThatDoesNotCountIsLeftAlone) {
    EXPECT_THAT(
        moves_to_even({served("a", "gw3"), served("b", "gw3"), served("c", "gw1")}, {"gw1", "gw2"}),
        IsEmpty());
    EXPECT_THAT(
        moves_to_even({served("a", "gw1"), served("b", "gw1"), served("c", "gw1")}, {"gw1"}),
        IsEmpty());
}

TEST(MovesTest, WhoNobodyCanTakeStays) {
    Served a = served("a", "gw1");
    Served b = served("b", "gw1");
    a.standbys.clear();
    b.standbys.clear();
    EXPECT_THAT(moves_to_even({a, b}, kNodes), IsEmpty());
}

// The sum of squares of the counts, the moves, the sessions that move: of the best way of all.
using Worth = std::tuple<int, int, std::uint64_t>;

Worth best_of_all(const std::vector<Served>& gateways) {
    Worth best{1'000'000, 0, 0};
    std::size_t ways = 1;
    for (std::size_t i = 0; i < gateways.size(); ++i) {
        ways *= kNodes.size();
    }
    for (std::size_t way = 0; way < ways; ++way) {
        std::map<std::string, int> counts;
        int moves = 0;
        std::uint64_t sessions = 0;
        bool is_possible = true;
        std::size_t rest = way;
        for (const Served& gateway : gateways) {
            const std::string& node = kNodes[rest % kNodes.size()];
            rest /= kNodes.size();
            ++counts[node];
            if (node != gateway.node) {
                ++moves;
                sessions += gateway.sessions;
                is_possible = is_possible &&
                              std::ranges::find(gateway.standbys, node) != gateway.standbys.end();
            }
        }
        int squares = 0;
        for (const auto& [node, count] : counts) {
            squares += count * count;
        }
        if (is_possible) {
            best = std::min(best, Worth{squares, moves, sessions});
        }
    }
    return best;
}

TEST(MovesTest, NoOtherWayIsBetter) {
    std::uint32_t state = 1;
    const auto draw = [&state](std::uint32_t below) {
        state = state * 1664525U + 1013904223U;
        return (state >> 16U) % below;
    };
    for (int round = 0; round < 300; ++round) {
        std::vector<Served> gateways;
        for (const char* name : {"a", "b", "c", "d", "e"}) {
            Served gateway = served(name, kNodes[draw(3)].c_str(), draw(5));
            std::erase_if(gateway.standbys, [&](const std::string&) { return draw(3) == 0; });
            gateways.push_back(gateway);
        }
        const std::vector<Move> moves = moves_to_even(gateways, kNodes);
        int squares = 0;
        for (const auto& [node, count] : counts_after(gateways, moves)) {
            squares += count * count;
        }
        std::uint64_t sessions = 0;
        for (const Move& move : moves) {
            sessions += move.sessions;
            const auto moved = std::ranges::find(gateways, move.gateway, &Served::name);
            ASSERT_NE(moved, gateways.end());
            EXPECT_THAT(moved->standbys, ::testing::Contains(move.to)) << round;
            EXPECT_EQ(moved->node, move.from) << round;
        }
        EXPECT_EQ(Worth(squares, static_cast<int>(moves.size()), sessions), best_of_all(gateways))
            << round;
    }
}

}  // namespace moves_test
}  // namespace vpnha::cli::rebalance
