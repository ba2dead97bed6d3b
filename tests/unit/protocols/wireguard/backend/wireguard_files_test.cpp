// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/backend/wireguard_files.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "protocols/wireguard/model/key_text.hpp"
#include "support/sample_peer.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace wireguard_files_test {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using wireguard::test::sample_key;

std::string text_of(std::uint32_t number) {
    return to_string(sample_key(number));
}

class WireguardFilesTest : public ::testing::Test {
  protected:
    WireguardFilesTest() {
        write(files_.private_key, text_of(9) + "\n");
        write(files_.peers, "[Peer]\nPublicKey = " + text_of(1) + "\nPresharedKey = " + text_of(8) +
                                "\n[Peer]\nPublicKey = " + text_of(2) + "\n");
    }
    static void write(const std::string& path, const std::string& text) {
        std::ofstream(path) << text;
    }
    [[nodiscard]] auto peers() const { return read_peers(files_, 51820, box_); }
    [[nodiscard]] std::string error() const {
        const auto read = peers();
        return read ? "" : read.error().detail;
    }

    WireguardFiles files_{temporary_path("wireguard.key"), temporary_path("peers.conf")};
    SecretBox box_ = SecretBox::make("the cluster's key").value();
};

TEST_F(WireguardFilesTest, APresharedKeyIsSealedAndOpensWithItsPeerAlone) {
    const auto read = peers();
    ASSERT_TRUE(read) << read.error().detail;
    ASSERT_THAT(*read, SizeIs(2));
    wireguard::Peer peer = (*read)[0];
    EXPECT_THAT(peer.sealed_preshared, SizeIs(wireguard::kKeyBytes + SecretBox::kOverhead));
    EXPECT_THAT((*read)[1].sealed_preshared, SizeIs(0));
    EXPECT_EQ(peers().value(), *read) << "a file that did not change makes no other record";
    auto plain = SecretBytes::with_room(2 * wireguard::kKeyBytes);
    ASSERT_TRUE(plain);
    ASSERT_TRUE(open_preshared(box_, peer, *plain));
    EXPECT_EQ(to_hex(plain->view()), to_hex(sample_key(8).octets));
    peer.key = sample_key(2);
    EXPECT_FALSE(open_preshared(box_, peer, *plain));
}

TEST_F(WireguardFilesTest, APresharedKeyHasItsLength) {
    wireguard::Peer peer{.key = sample_key(1)};
    peer.sealed_preshared = box_.seal(wireguard::seal_context(peer.key), Bytes(31)).value();
    auto plain = SecretBytes::with_room(64);
    EXPECT_FALSE(open_preshared(box_, peer, *plain));
}

TEST_F(WireguardFilesTest, ThePrivateKeyIsTheFile) {
    const auto key = read_private_key(files_.private_key);
    ASSERT_TRUE(key) << key.error().detail;
    EXPECT_TRUE(std::ranges::equal(*key, sample_key(9).octets));
    EXPECT_EQ(read_private_key(temporary_path("nowhere")).error().code, Errc::not_found);
    write(files_.private_key, "Sesame" + text_of(9));
    const auto wrong = read_private_key(files_.private_key);
    ASSERT_FALSE(wrong);
    EXPECT_THAT(wrong.error().detail, HasSubstr("'wg genkey'"));
    EXPECT_THAT(wrong.error().detail, Not(HasSubstr("Sesame")));
}

TEST_F(WireguardFilesTest, WhatIsOfTheDeviceMayStandThereWhereItIsTheSame) {
    const auto with = [this](const std::string& line) {
        write(files_.peers, "[Interface]\n" + line + "\n[Peer]\nPublicKey = " + text_of(1) + "\n");
        return error();
    };
    EXPECT_EQ(with("ListenPort = 51820"), "");
    EXPECT_THAT(with("ListenPort = 51821"), HasSubstr("vpnha.toml has listen_port 51820"));
    EXPECT_EQ(with("PrivateKey = " + text_of(9)), "");
    EXPECT_THAT(with("PrivateKey = " + text_of(7)), HasSubstr("is another one than in "));
}

TEST_F(WireguardFilesTest, AFileWithoutPeersIsAMistake) {
    write(files_.peers, "");
    EXPECT_THAT(error(), HasSubstr("has no [Peer]"));
    files_.peers = temporary_path("nowhere");
    EXPECT_THAT(error(), HasSubstr("there is no "));
}

TEST_F(WireguardFilesTest, MistakesHaveTheirLines) {
    write(files_.peers, "nonsense\n");
    EXPECT_THAT(error(), HasSubstr(files_.peers + ":1: "));
}

}  // namespace wireguard_files_test
}  // namespace vpnha::adapters
