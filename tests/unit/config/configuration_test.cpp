// SPDX-License-Identifier: GPL-2.0-or-later
#include "vpnha/configuration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/contents_of.hpp"
#include "support/temporary_path.hpp"
#include "unit/config/sample.hpp"

namespace vpnha {
namespace configuration_test {

using testing::HasSubstr;

// What is in force when vpnha.toml holds `text`.
Result<std::string> effective(const std::string& text) {
    const std::string path = temporary_path("vpnha.toml");
    std::ofstream(path) << text;
    Result<std::string> shown = effective_configuration(path);
    ::unlink(path.c_str());
    return shown;
}

TEST(ConfigurationTest, ExampleIsAGoodFileWithEveryKey) {
    const std::string example = configuration_example();
    EXPECT_EQ(config::error_of(example), "");
    for (const ConfigurationKey& key : configuration_keys()) {
        EXPECT_THAT(example, HasSubstr(key.name + " = "));
    }
}

TEST(ConfigurationTest, ExampleStaysGoodWhenItsDefaultsAreSpelledOut) {
    std::string example = configuration_example();
    for (std::size_t at = 0; (at = example.find("\n#", at)) != std::string::npos;) {
        if (example[at + 2] != ' ') {
            example.erase(at + 1, 1);
        }
        ++at;
    }
    EXPECT_EQ(config::error_of(example), "");
}

TEST(ConfigurationTest, WhatIsShownParsesToTheSame) {
    const Result<std::string> once = effective(config::kSample + config::kSecond);
    ASSERT_TRUE(once.has_value()) << once.error().detail;
    EXPECT_THAT(*once, HasSubstr("[gateway.other.l2tp]\nport = 1701\n"));
    const Result<std::string> twice = effective(*once);
    ASSERT_TRUE(twice.has_value()) << twice.error().detail;
    EXPECT_EQ(*once, *twice);
}

std::vector<std::string> notes(const std::string& text) {
    const std::string path = temporary_path("vpnha.toml");
    std::ofstream(path) << text;
    auto found = configuration_notes(path).value_or(std::vector<std::string>{"an error"});
    ::unlink(path.c_str());
    return found;
}

TEST(ConfigurationTest, ThatClientsOfIpv6AreOutOfReachAtASuccessorIsReported) {
    const std::string ipv6 =
        config::changed(config::kSample, "pools = [", "pools = [\"2001:db8:51::/48\", ");
    EXPECT_THAT(notes(ipv6), ::testing::ElementsAre(HasSubstr("inside no IPv6 address")));
    EXPECT_THAT(notes(config::changed(ipv6, "[\"198.51.100.100/24\"",
                                      "[\"198.51.100.100/24\", \"2001:db8::100/64\"")),
                ::testing::IsEmpty());
}

TEST(ConfigurationTest, WhatWaitingForPacemakerCostsIsANote) {
    EXPECT_THAT(notes(config::kSample), ::testing::IsEmpty());
    std::string waits = config::kSample;
    waits.insert(waits.find("id = 1") + 6, "\nstand_in = false");
    EXPECT_THAT(notes(waits), ::testing::ElementsAre(HasSubstr("stand_in = false: after the")));
}

TEST(ConfigurationTest, DocumentsAreThoseThatTheKeysGenerate) {
    EXPECT_EQ(contents_of(VPNHA_DOCS_DIR "/reference/vpnha.toml.example"), configuration_example())
        << "run: vpnha config example > docs/reference/vpnha.toml.example";
    EXPECT_THAT(contents_of(VPNHA_DOCS_DIR "/man/vpnha.toml.5"), HasSubstr(configuration_manual()))
        << "replace the section KEYS by the output of: vpnha config keys --roff";
}

}  // namespace configuration_test
}  // namespace vpnha
