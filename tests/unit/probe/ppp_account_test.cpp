// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/ppp_account.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "support/temporary_path.hpp"

namespace vpnha::probe {
namespace ppp_account_test {

using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string file_with(const std::string& text, mode_t mode = 0600) {
    const std::string path = temporary_path("ppp_account");
    std::ofstream(path, std::ios::trunc) << text;
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
}

TEST(PppAccountTest, TheFirstLineOfWordsIsTheAccount) {
    const struct {
        const char* text;
        const char* name;
        const char* secret;
    } cases[] = {
        {"probe * secret\n", "probe", "secret"},
        {"# Of the probe\n\n  \"AD\\\\probe\" vpn 'a \"b\" c' 10.0.0.9\nalice * other\n",
         "AD\\probe", "a \"b\" c"},
        {"probe\t*\tse\\ cret", "probe", "se cret"},
    };
    for (const auto& each : cases) {
        const auto account = read_ppp_account(file_with(each.text));
        ASSERT_TRUE(account) << account.error().detail;
        EXPECT_EQ(account->name, each.name);
        EXPECT_EQ(to_text(account->secret.view()), each.secret);
    }
}

TEST(PppAccountTest, WhatIsNoAccountIsRefusedWithoutItsSecret) {
    for (const std::string text : {"", "# probe * hidden\n", "probe * \n", "probe * \"hidden\n",
                                   "\"\" * hidden", "probe *", "probe"}) {
        const auto account = read_ppp_account(file_with(text));
        ASSERT_FALSE(account) << text;
        EXPECT_EQ(account.error().code, Errc::invalid_config);
        EXPECT_THAT(account.error().detail, ::testing::Not(HasSubstr("hidden")));
    }
    EXPECT_FALSE(read_ppp_account(file_with("probe * " + std::string(256, 's'))));
    EXPECT_TRUE(read_ppp_account(file_with("probe * " + std::string(255, 's'))));
    EXPECT_FALSE(read_ppp_account(file_with(std::string(256, 'n') + " * secret")));
    EXPECT_EQ(read_ppp_account(file_with("probe * secret", 0640)).error().code, Errc::permission);
    EXPECT_EQ(read_ppp_account("/nowhere").error().code, Errc::not_found);
}

TEST(PppAccountTest, AnswersAChallengeOfChap) {
    const auto account = read_ppp_account(file_with("User * clientPass"));
    const Bytes challenge{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    EXPECT_EQ(to_hex(answer_md5(*account, 7, challenge)), "7be366c6c674e0bfcf9e8f4b9ef7e82a");
}

// RFC 2759 9.2.
TEST(PppAccountTest, AnswersAChallengeOfMsChapV2) {
    const MsChallenge challenge{0x5b, 0x5d, 0x7c, 0x7d, 0x7b, 0x3f, 0x2f, 0x3e,
                                0x3c, 0x2c, 0x60, 0x21, 0x32, 0x26, 0x26, 0x28};
    const MsChallenge own{0x21, 0x40, 0x23, 0x24, 0x25, 0x5e, 0x26, 0x2a,
                          0x28, 0x29, 0x5f, 0x2b, 0x3a, 0x33, 0x7c, 0x7e};
    for (const char* const line : {"User * clientPass", "\"AD\\\\User\" * clientPass"}) {
        const auto account = read_ppp_account(file_with(line));
        const Bytes value = answer_ms_chap_v2(*account, challenge, own);
        ASSERT_THAT(value, SizeIs(49));
        EXPECT_EQ(to_hex(value), to_hex(own) + "0000000000000000" +
                                     "82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df" + "00");
    }
}

// RFC 3079 3.5.3, of the server's side.
TEST(PppAccountTest, ALoginByMsChapV2GivesKeys) {
    const auto account = read_ppp_account(file_with("User * clientPass"));
    const MsChallenge challenge{0x5b, 0x5d, 0x7c, 0x7d, 0x7b, 0x3f, 0x2f, 0x3e,
                                0x3c, 0x2c, 0x60, 0x21, 0x32, 0x26, 0x26, 0x28};
    const MsChallenge own{0x21, 0x40, 0x23, 0x24, 0x25, 0x5e, 0x26, 0x2a,
                          0x28, 0x29, 0x5f, 0x2b, 0x3a, 0x33, 0x7c, 0x7e};
    const MppeKeys keys = mppe_keys_of(*account, answer_ms_chap_v2(*account, challenge, own));
    EXPECT_EQ(to_hex(ByteView(keys.receive.data(), 16)), "8b7cdc149b993a1ba118cb153f56dccb");
    EXPECT_EQ(to_hex(ByteView(keys.send.data(), 16)), "d5f0e9521e3ea9589645e86051c82226");
}

}  // namespace ppp_account_test
}  // namespace vpnha::probe
