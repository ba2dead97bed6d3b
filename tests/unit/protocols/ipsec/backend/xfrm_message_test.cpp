// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/backend/xfrm_message.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/xfrm.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <memory>

#include "support/flow_builder.hpp"

namespace vpnha::adapters {
namespace xfrm_message_test {

using ipsec::SaCounters;
using test::address;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::SizeIs;

SaCounters sa(std::uint32_t mark = 0) {
    SaCounters sa;
    sa.id = {address("192.0.2.1"), address("198.51.100.9"), 0xc0ffee01};
    sa.mark = mark;
    return sa;
}

// A message as the kernel would send it.
class Message {
  public:
    explicit Message(std::uint16_t type) {
        mnl_nlmsg_put_header(buffer_.data());
        get()->nlmsg_type = type;
    }
    [[nodiscard]] nlmsghdr* get() { return reinterpret_cast<nlmsghdr*>(buffer_.data()); }
    template <class Header>
    Header& extra() {
        return *static_cast<Header*>(mnl_nlmsg_put_extra_header(get(), sizeof(Header)));
    }
    Message& put(std::uint16_t type, std::size_t size, const void* data) {
        mnl_attr_put(get(), type, size, data);
        return *this;
    }
    Message& put_words(std::uint16_t type, const std::vector<std::uint32_t>& words) {
        return put(type, 4 * words.size(), words.data());
    }

  private:
    alignas(nlmsghdr) std::array<char, 2048> buffer_{};
};

Message without_cipher(std::uint8_t window = 32, std::uint8_t flags = 0) {
    Message message(XFRM_MSG_NEWSA);
    auto& info = message.extra<xfrm_usersa_info>();
    info.family = AF_INET;
    info.id.proto = IPPROTO_ESP;
    info.id.spi = htonl(0xc0ffee01);
    inet_pton(AF_INET, "192.0.2.1", &info.saddr);
    inet_pton(AF_INET, "198.51.100.9", &info.id.daddr);
    info.replay_window = window;
    info.flags = flags;
    return message;
}

Message listed(std::uint8_t window = 32, std::uint8_t flags = 0) {
    Message message = without_cipher(window, flags);
    const std::array<char, 32> key{'k', 'e', 'y'};
    message.put(XFRMA_ALG_CRYPT, key.size(), key.data());
    return message;
}

std::string hex(const nlmsghdr* message) {
    return to_hex({reinterpret_cast<const std::uint8_t*>(message), message->nlmsg_len});
}

TEST(XfrmMessageTest, AnSaOfThirtyTwoBitsIsRead) {
    Message message = listed();
    const auto read = parse_sa(message.put_words(XFRMA_REPLAY_VAL, {7, 9, 0xff}).get());
    ASSERT_TRUE(read);
    EXPECT_EQ(*read,
              (SaCounters{.id = sa().id, .window = 32, .oseq = 7, .seq = 9, .bitmap = {0xff}}));
}

TEST(XfrmMessageTest, AnSaOfSixtyFourBitsWithAMarkIsRead) {
    Message message = listed(0, XFRM_STATE_ESN);
    message.put_words(XFRMA_REPLAY_ESN_VAL, {2, 7, 9, 1, 3, 64, 0xa, 0xb});
    const auto read = parse_sa(message.put_words(XFRMA_MARK, {5, 0xffffffff}).get());
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, (SaCounters{.id = sa().id,
                                 .mark = 5,
                                 .window = 64,
                                 .esn = true,
                                 .oseq = (1ULL << 32) + 7,
                                 .seq = (3ULL << 32) + 9,
                                 .bitmap = {0xa, 0xb}}));
}

TEST(XfrmMessageTest, TheMarkOfWhatAnSaDecryptsIsRead) {
    Message message = listed();
    message.put_words(XFRMA_REPLAY_VAL, {7, 9, 0xff});
    const auto read = parse_sa(message.put_words(XFRMA_SET_MARK, {6}).get());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->output_mark, 6U);
    EXPECT_EQ(read->mark, 0U) << "it is found without one";
}

TEST(XfrmMessageTest, WhatAnSaHasCarriedIsRead) {
    Message message = listed();
    auto& info = *static_cast<xfrm_usersa_info*>(mnl_nlmsg_get_payload(message.get()));
    info.curlft.bytes = (1ULL << 32) + 5;
    info.curlft.packets = 6;
    const auto read = parse_sa(message.put_words(XFRMA_REPLAY_VAL, {7, 9, 0xff}).get());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->octets, (1ULL << 32) + 5);
    EXPECT_EQ(read->packets, 6U);
}

TEST(XfrmMessageTest, ThePortOfEspInUdpIsRead) {
    Message message = listed();
    message.put_words(XFRMA_REPLAY_VAL, {7, 9, 0xff});
    xfrm_encap_tmpl encapsulation{};
    encapsulation.encap_type = 2;
    encapsulation.encap_sport = htons(40001);
    encapsulation.encap_dport = htons(4500);
    message.put(XFRMA_ENCAP, sizeof encapsulation, &encapsulation);
    const auto read = parse_sa(message.get());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->udp_source, 40001);
}

TEST(XfrmMessageTest, AnSaThatADeviceEncryptsIsSeen) {
    Message message = listed();
    message.put_words(XFRMA_REPLAY_VAL, {1, 0, 0});
    EXPECT_FALSE(parse_sa(message.get())->is_offloaded);
    const xfrm_user_offload offload{.ifindex = 7, .flags = XFRM_OFFLOAD_INBOUND};
    message.put(XFRMA_OFFLOAD_DEV, sizeof offload, &offload);
    EXPECT_TRUE(parse_sa(message.get())->is_offloaded);
}

TEST(XfrmMessageTest, AnSaOfIpv6IsRead) {
    Message message = listed();
    auto& info = *static_cast<xfrm_usersa_info*>(mnl_nlmsg_get_payload(message.get()));
    info.family = AF_INET6;
    inet_pton(AF_INET6, "2001:db8::1", &info.saddr);
    inet_pton(AF_INET6, "2001:db8::2", &info.id.daddr);
    const auto read = parse_sa(message.put_words(XFRMA_REPLAY_VAL, {1, 0, 0}).get());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->id.source, address("2001:db8::1"));
    EXPECT_EQ(read->id.destination, address("2001:db8::2"));
}

TEST(XfrmMessageTest, WhatTheKernelAsksForIsNoSaYet) {
    EXPECT_FALSE(parse_sa(without_cipher().put_words(XFRMA_REPLAY_VAL, {0, 0, 0}).get()));
    Message aead = without_cipher();
    const std::array<char, 32> key{'k', 'e', 'y'};
    aead.put(XFRMA_ALG_AEAD, key.size(), key.data());
    EXPECT_TRUE(parse_sa(aead.put_words(XFRMA_REPLAY_VAL, {0, 0, 0}).get()));
}

TEST(XfrmMessageTest, WhatIsNoEspSaWithNumbersIsNone) {
    EXPECT_FALSE(parse_sa(listed().get())) << "no numbers";
    Message ah = listed();
    static_cast<xfrm_usersa_info*>(mnl_nlmsg_get_payload(ah.get()))->id.proto = IPPROTO_AH;
    EXPECT_FALSE(parse_sa(ah.put_words(XFRMA_REPLAY_VAL, {1, 0, 0}).get()));
    Message other = listed();
    other.get()->nlmsg_type = XFRM_MSG_NEWPOLICY;
    EXPECT_FALSE(parse_sa(other.put_words(XFRMA_REPLAY_VAL, {1, 0, 0}).get()));
    Message family = listed();
    static_cast<xfrm_usersa_info*>(mnl_nlmsg_get_payload(family.get()))->family = AF_UNIX;
    EXPECT_FALSE(parse_sa(family.put_words(XFRMA_REPLAY_VAL, {1, 0, 0}).get()));
    EXPECT_FALSE(parse_sa(listed().put_words(XFRMA_REPLAY_VAL, {1, 0}).get())) << "cut short";
    EXPECT_FALSE(parse_sa(listed().put_words(XFRMA_REPLAY_ESN_VAL, {2, 7, 9, 1, 3, 64, 0xa}).get()))
        << "a word of the window is missing";
    EXPECT_FALSE(
        parse_sa(listed().put_words(XFRMA_REPLAY_ESN_VAL, {0x40000001, 7, 9, 1, 3, 64, 0xa}).get()))
        << "four times its length is 4";
    Message none(XFRM_MSG_NEWSA);
    EXPECT_FALSE(parse_sa(none.get()));
}

TEST(XfrmMessageTest, RequestsAreWrittenAsTheKernelReadsThem) {
    // XFRM_MSG_GETSA, NLM_F_REQUEST | NLM_F_DUMP; XFRMA_PROTO: ESP.
    EXPECT_EQ(hex(put_sa_listing(std::array<char, kXfrmRequestBytesMax>{}.data())).substr(8),
              "12000103"
              "00000000"
              "00000000"
              "05001900"
              "32000000");
    // The address in 16 octets, SPI, family, protocol and padding; the source in 16, flags, reqid.
    const std::string id =
        "c6336409"
        "00000000"
        "00000000"
        "00000000"
        "c0ffee01"
        "02003200";
    const std::string from =
        "c0000201"
        "00000000"
        "00000000"
        "00000000"
        "00000000"
        "00000000";
    const std::string mark =
        "0c001500"
        "05000000"
        "ffffffff";
    std::array<char, kXfrmRequestBytesMax> buffer{};
    // XFRM_MSG_GETAE.
    EXPECT_EQ(hex(put_replay_question(buffer.data(), sa())),
              "40000000"
              "1f000100"
              "00000000"
              "00000000" +
                  id + from);
    // XFRM_MSG_NEWAE, NLM_F_REPLACE; XFRMA_REPLAY_VAL.
    EXPECT_EQ(hex(put_replay(buffer.data(), sa(), {.oseq = 7, .seq = 9, .bitmap = {0xff}})),
              "50000000"
              "1e000101"
              "00000000"
              "00000000" +
                  id + from +
                  "10000a00"
                  "07000000"
                  "09000000"
                  "ff000000");
    // The same with a mark; XFRMA_REPLAY_ESN_VAL.
    EXPECT_EQ(hex(put_replay(buffer.data(), sa(5),
                             {.extended = true,
                              .window = 64,
                              .oseq = (1ULL << 32) + 7,
                              .seq = (3ULL << 32) + 9,
                              .bitmap = {0xa, 0xb}})),
              "70000000"
              "1e000101"
              "00000000"
              "00000000" +
                  id + from + mark +
                  "24001700"
                  "02000000"
                  "07000000"
                  "09000000"
                  "01000000"
                  "03000000"
                  "40000000"
                  "0a000000"
                  "0b000000");
    // XFRM_MSG_DELSA.
    EXPECT_EQ(hex(put_sa_removal(buffer.data(), sa(5))),
              "34000000"
              "11000100"
              "00000000"
              "00000000" +
                  id + mark);
}

TEST(XfrmMessageTest, WhatWasWrittenIsReadBack) {
    std::array<char, kXfrmRequestBytesMax> buffer{};
    const SaReplay largest{.extended = true,
                           .window = 4096,
                           .oseq = ~0ULL,
                           .seq = 1ULL << 63,
                           .bitmap = std::vector<std::uint32_t>(128, 0x12345678)};
    for (const SaReplay& replay : {largest, SaReplay{.oseq = 1, .seq = 2, .bitmap = {3}}}) {
        EXPECT_EQ(parse_replay(put_replay(buffer.data(), sa(5), replay)), replay);
    }
}

TEST(XfrmMessageTest, NoNumberGoesBack) {
    const SaReplay now{.oseq = 100, .seq = 50, .bitmap = {0xf}};
    SaCounters wanted = sa();
    wanted.bitmap = {0xff};
    wanted.oseq = 99;
    wanted.seq = 49;
    EXPECT_EQ(advanced(now, wanted), now);
    wanted.oseq = 101;
    wanted.seq = 51;
    EXPECT_EQ(advanced(now, wanted), (SaReplay{.oseq = 101, .seq = 51, .bitmap = {0xff}}));
    wanted.seq = 50;
    wanted.bitmap = {0x30};
    EXPECT_EQ(advanced(now, wanted), (SaReplay{.oseq = 101, .seq = 50, .bitmap = {0x3f}}));
}

TEST(XfrmMessageTest, AWindowOfAnotherSizeCountsAsFull) {
    const SaReplay now{.extended = true, .window = 64, .seq = 50, .bitmap = {0xf, 0}};
    SaCounters wanted = sa();
    wanted.window = 128;
    wanted.seq = 51;
    wanted.bitmap = {1, 0, 0, 0};
    EXPECT_THAT(advanced(now, wanted).bitmap, Each(0xffffffff));
    EXPECT_THAT(advanced(now, wanted).bitmap, SizeIs(2));
    wanted.seq = 50;
    EXPECT_EQ(advanced(now, wanted), now) << "its own window is right for that number";
    wanted.window = 32;
    wanted.bitmap = {1, 0};
    wanted.seq = 51;
    EXPECT_THAT(advanced(now, wanted).bitmap, Each(0xffffffff))
        << "as many words, but other places in them";
}

TEST(XfrmMessageTest, AnSaOfThirtyTwoBitsEndsAtItsLastNumber) {
    SaCounters wanted = sa();
    wanted.oseq = (1ULL << 32) + 5;
    EXPECT_EQ(advanced({.oseq = 7, .bitmap = {0}}, wanted).oseq, 0xffffffffU);
    wanted.esn = true;
    EXPECT_EQ(advanced({.oseq = 7, .bitmap = {0}}, wanted).oseq, (1ULL << 32) + 5);
}

}  // namespace xfrm_message_test
}  // namespace vpnha::adapters
