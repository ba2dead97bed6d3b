// SPDX-License-Identifier: GPL-2.0-or-later
#include "witness/options.hpp"

#include <gmock/gmock.h>

namespace vpnha::witness {
namespace options_test {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Words = std::vector<std::string>;

std::string error_of(const Words& words) {
    const Result<Options> options = parse_options(words);
    return options ? "no error" : options.error().detail;
}

TEST(OptionsTest, AWitnessNeedsAKeyAndAState) {
    const auto options = parse_options({"--key-file", "k", "--state=s"});
    ASSERT_TRUE(options) << options.error().detail;
    EXPECT_EQ(options->verb, Options::Verb::run);
    EXPECT_EQ(options->key_file, "k");
    EXPECT_EQ(options->state, "s");
    EXPECT_THAT(options->listen, IsEmpty());
    EXPECT_EQ(options->timing, lease::Timing{});
}

TEST(OptionsTest, ItListensOnSeveralAddressesAndHasTheNodesClockBounds) {
    const auto options =
        parse_options({"--listen", "192.0.2.1:1", "--listen=[::1]:2", "--clock-rate-ppm", "200000",
                       "--clock-grain-ms=20", "--key-file", "k", "--state", "s"});
    ASSERT_TRUE(options) << options.error().detail;
    ASSERT_THAT(options->listen, SizeIs(2));
    EXPECT_EQ(to_text(options->listen[1]), "[::1]:2");
    EXPECT_EQ(options->timing.rate_ppm, 200'000);
    EXPECT_EQ(options->timing.grain, std::chrono::milliseconds(20));
    EXPECT_TRUE(options->timing.validate());
}

TEST(OptionsTest, EnrolmentHasAKeyFileAlone) {
    EXPECT_EQ(parse_options({"enrol", "--key-file", "k"})->verb, Options::Verb::enrol);
    EXPECT_EQ(error_of({"enrol", "--key-file", "k", "--state", "s"}), "enrol takes no --state");
    EXPECT_EQ(error_of({"enrol"}), "--key-file FILE is missing");
}

TEST(OptionsTest, HelpAndVersionNeedNothing) {
    EXPECT_EQ(parse_options({"--help"})->verb, Options::Verb::help);
    EXPECT_EQ(parse_options({"--version"})->verb, Options::Verb::version);
    for (const char* option :
         {"--key-file", "--state", "--listen", "--clock-rate-ppm", "--clock-grain-ms", "enrol"}) {
        EXPECT_THAT(std::string(usage()), HasSubstr(option));
    }
}

TEST(OptionsTest, AllMistakesAreNamedAtOnce) {
    EXPECT_EQ(error_of({"--listen", "here", "--clock-rate-ppm", "0", "--frob", "--state", "a",
                        "--state", "b", "--clock-grain-ms", "9999", "x"}),
              "--listen here: it is a numeric address and a port, as 192.0.2.1:5421 or "
              "[2001:db8::1]:5421\n"
              "--clock-rate-ppm 0: it is a number from 1000 to 1000000\n"
              "there is no option '--frob'; see vpnha-witness --help\n"
              "--state is given twice; one process serves one cluster\n"
              "--clock-grain-ms 9999: it is a number from 10 to 200\n"
              "there is no option 'x'; see vpnha-witness --help\n"
              "--key-file FILE is missing");
    EXPECT_EQ(error_of({"--key-file", "--state", ""}),
              "--key-file needs a value\n--state needs a value that is not empty");
    EXPECT_EQ(error_of({"--key-file", "k", "--state"}), "--state needs a value");
}

TEST(OptionsTest, AddressesAreBounded) {
    Words words{"--key-file", "k", "--state", "s"};
    for (int i = 0; i < 17; ++i) {
        words.push_back("--listen=192.0.2.1:" + std::to_string(i + 1));
    }
    EXPECT_EQ(error_of(words), "--listen 192.0.2.1:17: it may be given 16 times");
}

}  // namespace options_test
}  // namespace vpnha::witness
