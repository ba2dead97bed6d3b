// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/effects/run_effects.hpp"

#include <gmock/gmock.h>

#include <string>

namespace vpnha::effects {
namespace run_effects_test {

using ::testing::ElementsAre;

Effect line(const std::string& text) {
    return Log{LogLevel::info, text};
}

class RunEffectsTest : public ::testing::Test {
  protected:
    // What a step leads to comes at once; nothing is done behind the "end".
    void run(Effects effects) {
        run_effects(
            std::move(effects),
            [this](const Effect& effect) {
                const std::string& text = std::get<Log>(effect).text;
                done_.push_back(text);
                over_ = text == "end";
                return text == "step" ? Effects{line("next"), line("last")} : Effects{};
            },
            [this] { return over_; });
    }

    std::vector<std::string> done_;
    bool over_ = false;
};

// An older hello, score or gate is never the last one.
TEST_F(RunEffectsTest, EffectsTakePlaceInTheOrderInWhichTheNodeMadeThem) {
    run({line("first"), line("step"), line("behind")});
    EXPECT_THAT(done_, ElementsAre("first", "step", "behind", "next", "last"));
}

TEST_F(RunEffectsTest, NothingIsDoneBehindTheEnd) {
    run({line("first"), line("end"), line("behind")});
    EXPECT_THAT(done_, ElementsAre("first", "end"));
}

}  // namespace run_effects_test
}  // namespace vpnha::effects
