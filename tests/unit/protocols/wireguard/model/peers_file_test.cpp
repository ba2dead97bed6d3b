// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/model/peers_file.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <string>

#include "base/limits.hpp"
#include "protocols/wireguard/model/key_text.hpp"
#include "protocols/wireguard/model/limits.hpp"
#include "support/sample_peer.hpp"

namespace vpnha::wireguard {
namespace peers_file_test {

using test::endpoint;
using test::net;
using test::sample_key;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::string key_text(std::uint32_t number) {
    return to_string(sample_key(number));
}

bool equal(const std::optional<SecretKey>& found, std::uint32_t number) {
    return found && std::ranges::equal(*found, sample_key(number).octets);
}

std::string errors_of(const std::string& text) {
    const auto file = parse_peers_file(text, "peers.conf");
    if (file) {
        return "";
    }
    EXPECT_EQ(file.error().code, Errc::invalid_config);
    return file.error().detail;
}

// The error at the line of "[Peer]" plus two.
std::string error_of(const std::string& line) {
    return errors_of("[Peer]\nPublicKey = " + key_text(1) + "\n" + line + "\n");
}

TEST(PeersFileTest, AFileAsWgWritesItIsRead) {
    const auto file = parse_peers_file(
        "[Interface]\n"
        "ListenPort = 51820\n"
        "FwMark = 0xca6c\n"
        "PrivateKey = " +
            key_text(9) +
            "\n"
            "\n"
            "[Peer]\n"
            "PublicKey = " +
            key_text(1) +
            "\n"
            "PresharedKey = " +
            key_text(8) +
            "\n"
            "AllowedIPs = 10.200.9.7/32, 2001:db8:9::/64\n"
            "Endpoint = 192.0.2.51:40123\n"
            "PersistentKeepalive = 25\n"
            "\n"
            "[Peer]\n"
            "PublicKey = " +
            key_text(2) +
            "\n"
            "AllowedIPs = 10.200.9.8\n"
            "AllowedIPs = 192.0.2.9/24\n"
            "Endpoint = [2001:db8::51]:51820\n",
        "peers.conf");
    ASSERT_TRUE(file) << file.error().detail;
    EXPECT_EQ(file->listen_port, 51820);
    EXPECT_EQ(file->mark, 0xca6cU);
    EXPECT_TRUE(equal(file->private_key, 9));
    ASSERT_THAT(file->peers, SizeIs(2));
    const FilePeer& first = file->peers[0];
    EXPECT_EQ(first.peer.key, sample_key(1));
    EXPECT_TRUE(equal(first.preshared, 8));
    EXPECT_THAT(first.peer.sealed_preshared, IsEmpty());
    EXPECT_THAT(first.peer.allowed, ElementsAre(net("10.200.9.7/32"), net("2001:db8:9::/64")));
    EXPECT_EQ(first.peer.endpoint, endpoint("192.0.2.51", 40123));
    EXPECT_EQ(first.peer.keepalive_s, 25);
    const FilePeer& second = file->peers[1];
    EXPECT_FALSE(second.preshared);
    EXPECT_THAT(second.peer.allowed, ElementsAre(net("10.200.9.8/32"), net("192.0.2.0/24")));
    EXPECT_EQ(second.peer.endpoint, endpoint("2001:db8::51", 51820));
    EXPECT_EQ(second.peer.keepalive_s, 0);
}

TEST(PeersFileTest, BlanksCommentsAndCaseDoNotCount) {
    const auto file = parse_peers_file(
        "# of the office\r\n\t[PEER] # the first\r\n publickey=" + key_text(1) +
            "\r\nallowedips =\r\nPERSISTENTKEEPALIVE = Off\r\n[interface]\nfwmark=off",
        "peers.conf");
    ASSERT_TRUE(file) << file.error().detail;
    ASSERT_THAT(file->peers, SizeIs(1));
    EXPECT_THAT(file->peers[0].peer.allowed, IsEmpty());
    EXPECT_EQ(file->mark, 0U);
    EXPECT_FALSE(file->listen_port);
}

TEST(PeersFileTest, AnEmptyFileHasNoPeers) {
    const auto file = parse_peers_file("", "peers.conf");
    ASSERT_TRUE(file);
    EXPECT_THAT(file->peers, IsEmpty());
}

TEST(PeersFileTest, AllErrorsAreNamedAtOnceInTheFilesOrder) {
    EXPECT_EQ(errors_of("ListenPort = 1\n"
                        "[Interface]\n"
                        "ListenPort = 65536\n"
                        "Address = 10.0.0.1/24\n"
                        "[Peer]\n"
                        "AllowedIPs = 10.0.0.0/33\n"
                        "[Peers]\n"
                        "PublicKey = x\n"),
              "peers.conf:1: key 'ListenPort' stands before any section; write [Interface] or "
              "[Peer] above it\n"
              "peers.conf:3: ListenPort '65536' is no UDP port; give a number from 0 to 65535, "
              "like 51820\n"
              "peers.conf:4: 'Address' is a key of wg-quick(8); leave it out, as 'wg-quick strip' "
              "does\n"
              "peers.conf:5: this [Peer] has no PublicKey; add it\n"
              "peers.conf:6: AllowedIPs '10.0.0.0/33' is no net; give nets with commas between "
              "them, like 10.200.9.7/32, 2001:db8:9::7/128\n"
              "peers.conf:7: there is no section '[Peers]'; write [Interface] or [Peer]");
}

TEST(PeersFileTest, EachMistakeHasItsWords) {
    EXPECT_THAT(error_of("Endpoint = vpn.example.org:51820"),
                HasSubstr("peers.conf:3: Endpoint 'vpn.example.org:51820' is no address"));
    for (const char* const wrong : {"192.0.2.1", "192.0.2.1:0", "192.0.2.1:65536", "[192.0.2.1]:1",
                                    "2001:db8::1:1", "[fe80::1]:1", "224.0.0.1:1", ":1", "[]:1"}) {
        EXPECT_THAT(error_of("Endpoint = " + std::string(wrong)), HasSubstr("is no address"))
            << wrong;
    }
    EXPECT_THAT(error_of("PersistentKeepalive = 65536"), HasSubstr("is no pause"));
    EXPECT_THAT(error_of("AllowedIPs = 10.0.0.0/8,,"), HasSubstr("AllowedIPs '' is no net"));
    EXPECT_THAT(error_of("AllowedIPs = +10.0.0.0/8"), HasSubstr("is no net"));
    EXPECT_THAT(error_of("Colour = red"), HasSubstr("[Peer] has no key 'Colour'; it has Pub"));
    EXPECT_THAT(error_of("PublicKey = " + key_text(2)), HasSubstr("has a PublicKey already"));
    EXPECT_THAT(error_of("nonsense"), HasSubstr("this is no 'KEY = VALUE'"));
    EXPECT_THAT(errors_of("[Interface]\nColour = red"), HasSubstr("it has ListenPort, FwMark"));
    EXPECT_THAT(errors_of("[Interface]\nFwMark = 0x"), HasSubstr("FwMark '0x' is no mark"));
    EXPECT_THAT(errors_of("[Peer]\nPublicKey = x"), HasSubstr("PublicKey 'x' is no key"));
}

TEST(PeersFileTest, APeerOrAnAllowedIpThatIsThereTwiceIsAnError) {
    const std::string first =
        "[Peer]\nPublicKey = " + key_text(1) + "\nAllowedIPs = 10.0.0.1/32, 10.0.0.1\n";
    EXPECT_EQ(errors_of(first), "") << "twice of one peer is once";
    EXPECT_EQ(errors_of(first + "[Peer]\nPublicKey = " + key_text(1) + "\n"),
              "peers.conf:5: this peer is there already, at line 2; keep one of them");
    EXPECT_EQ(errors_of(first + "[Peer]\nPublicKey = " + key_text(2) + "\nAllowedIPs = 10.0.0.1\n"),
              "peers.conf:6: 10.0.0.1/32 is another peer's already, at line 3; the kernel sends to "
              "one of them, so leave it out of one");
}

TEST(PeersFileTest, NoErrorQuotesASecret) {
    const std::string wrong = "Sesame" + key_text(3);
    for (const std::string& text :
         {error_of("PresharedKey = " + wrong), errors_of("[Interface]\nPrivateKey = " + wrong)}) {
        EXPECT_THAT(text, HasSubstr("is no key; give the 44 characters that 'wg gen"));
        EXPECT_THAT(text, Not(HasSubstr("Sesame")));
    }
}

TEST(PeersFileTest, WhatIsQuotedIsShortAndPrintable) {
    const std::string text = error_of("Endpoint = \x1b[2J" + std::string(1000, 'x'));
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_LT(text.size(), 300U);
}

TEST(PeersFileTest, NotMoreErrorsThanCanBeReadAreListed) {
    std::string text = "[Peer]\nPublicKey = " + key_text(1) + "\n";
    for (std::size_t i = 0; i < limits::kConfigErrorsMax + 3; ++i) {
        text += "nonsense\n";
    }
    EXPECT_THAT(errors_of(text), HasSubstr("\npeers.conf: 3 more errors; correct these first"));
}

TEST(PeersFileTest, NetsHaveABound) {
    std::string nets = "10.0.0.0";
    for (std::size_t i = 1; i <= limits::kWireguardAllowedIpsMax; ++i) {
        nets += fmt::format(", 10.0.{}.{}", i / 256, i % 256);
    }
    EXPECT_THAT(error_of("AllowedIPs = " + nets),
                HasSubstr("peers.conf:1: this [Peer] has 257 allowed IPs; give 256 at most"));
}

}  // namespace peers_file_test
}  // namespace vpnha::wireguard
