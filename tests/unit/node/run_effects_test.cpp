// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/run_effects.hpp"

#include <gmock/gmock.h>

#include <string>

namespace vpnha::node {
namespace run_effects_test {

using ::testing::ElementsAre;

Effect line(const std::string& text) {
    return Log{Level::info, text};
}

Effect message(const std::string& text) {
    return SendToGroup{Bytes(text.begin(), text.end())};
}

std::string text_of(const Effect& effect) {
    const auto* sent = std::get_if<SendToGroup>(&effect);
    return sent != nullptr ? std::string(sent->message.begin(), sent->message.end())
                           : std::get<Log>(effect).text;
}

class RunEffectsTest : public ::testing::Test {
  protected:
    // What a step leads to comes at once; nothing is done behind the "end".
    void run(Effects effects) {
        run_effects(
            std::move(effects),
            [this](const Effect& effect) {
                const std::string text = text_of(effect);
                done_.push_back(text);
                over_ = text == "end";
                return text == "step" ? Effects{line("next"), line("last")}
                       : text == "step that tells"
                           ? Effects{line("next"), message("made after"), line("last")}
                           : Effects{};
            },
            [this] { return over_; });
    }

    std::vector<std::string> done_;
    bool over_ = false;
};

TEST_F(RunEffectsTest, WhatAnEffectLeadsToComesBeforeWhatWasBehindIt) {
    run({line("first"), line("step"), line("behind")});
    EXPECT_THAT(done_, ElementsAre("first", "step", "next", "last", "behind"));
}

// The last hello that others hear is the newest one.
TEST_F(RunEffectsTest, MessagesToTheGroupKeepTheOrderInWhichTheyWereMade) {
    run({line("first"), line("step that tells"), line("behind"), message("made before")});
    EXPECT_THAT(done_, ElementsAre("first", "step that tells", "next", "made before", "made after",
                                   "last", "behind"));
}

TEST_F(RunEffectsTest, NothingIsDoneBehindTheEnd) {
    run({line("first"), line("end"), line("behind")});
    EXPECT_THAT(done_, ElementsAre("first", "end"));
}

}  // namespace run_effects_test
}  // namespace vpnha::node
