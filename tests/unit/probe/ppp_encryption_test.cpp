// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/ppp_encryption.hpp"

#include <gmock/gmock.h>

#include "base/internet_checksum.hpp"

namespace vpnha::probe {
namespace ppp_encryption_test {

using ppp::Code;
using ::testing::SizeIs;

const MppeKeys kKeys{.send = mppe::Key({1, 2, 3}), .receive = mppe::Key({4, 5, 6})};
const Bytes k128{18, 6, 1, 0, 0, 0x40};

// An IPv4 packet behind its protocol number.
Bytes ip_frame(std::uint8_t last) {
    ByteWriter header;
    header.u8(0x45).u8(0).u16(21).u16(1).u16(0).u8(64).u8(1).u16(0).u32(0x0ac80001).u32(0x0ac80105);
    header.patch_u16(10, internet_checksum(0, header.view()));
    ByteWriter frame;
    frame.u16(0x0021).bytes(header.view()).u8(last);
    return std::move(frame).take();
}

PppEncryption agreed(const Bytes& options = k128) {
    PppEncryption encryption;
    encryption.set_keys(kKeys);
    EXPECT_EQ(encryption.answer(options)->code, Code::configure_ack);
    encryption.begin();
    return encryption;
}

TEST(PppEncryptionTest, TakesOneStrengthWithoutState) {
    PppEncryption encryption;
    encryption.set_keys(kKeys);
    const struct {
        std::uint32_t bits;
        Code code;
        std::uint32_t answer;
    } cases[] = {
        {0x0100'0040, Code::configure_ack, 0x0100'0040},
        {0x0100'0080, Code::configure_ack, 0x0100'0080},
        {0x0100'0020, Code::configure_ack, 0x0100'0020},
        {0x0100'00e0, Code::configure_nak, 0x0100'0040},
        {0x0000'0040, Code::configure_nak, 0x0100'0040},  // With state.
        {0x0100'0061, Code::configure_nak, 0x0100'0040},  // With MPPC.
    };
    for (const auto& each : cases) {
        ByteWriter option;
        option.u8(18).u8(6).u32(each.bits);
        const auto answer = encryption.answer(option.view());
        ASSERT_TRUE(answer) << each.bits;
        EXPECT_EQ(answer->code, each.code) << each.bits;
        ByteWriter expected;
        expected.u8(18).u8(6).u32(each.answer);
        EXPECT_EQ(to_hex(answer->options), to_hex(expected.view())) << each.bits;
        EXPECT_EQ(to_hex(encryption.wish()), to_hex(expected.view()));
    }
}

TEST(PppEncryptionTest, WhatIsNoMppeIsNotForIt) {
    PppEncryption encryption;
    EXPECT_FALSE(encryption.answer(k128)) << "without MS-CHAPv2 there are no keys";
    encryption.set_keys(kKeys);
    for (const Bytes& options : {Bytes{}, Bytes{26, 4, 0x78, 0}, Bytes{18, 6, 1, 0, 0, 0},
                                 Bytes{18, 5, 1, 0, 0x40}, Bytes{18, 6, 1}, Bytes{18, 0}}) {
        EXPECT_FALSE(encryption.answer(options)) << to_hex(options);
    }
    const auto beside = encryption.answer(Bytes{26, 4, 0x78, 0, 18, 6, 1, 0, 0, 0x40});
    ASSERT_TRUE(beside);
    EXPECT_EQ(beside->code, Code::configure_reject);
    EXPECT_EQ(beside->options, (Bytes{26, 4, 0x78, 0}));
}

TEST(PppEncryptionTest, GoesByANakThatNamesAStrength) {
    PppEncryption encryption;
    encryption.set_keys(kKeys);
    static_cast<void>(encryption.answer(k128));
    EXPECT_TRUE(encryption.take_nak(Bytes{18, 6, 1, 0, 0, 0x20}));
    EXPECT_EQ(encryption.wish(), (Bytes{18, 6, 1, 0, 0, 0x20}));
    EXPECT_FALSE(encryption.take_nak(Bytes{18, 6, 1, 0, 0, 0}));
    EXPECT_FALSE(encryption.take_nak(Bytes{}));
}

TEST(PppEncryptionTest, SealsForTheServerAndOpensWhatItSeals) {
    for (const std::uint8_t strength : Bytes{0x40, 0x80, 0x20}) {
        const auto bits = strength == 0x40   ? mppe::Strength::bits128
                          : strength == 0x80 ? mppe::Strength::bits56
                                             : mppe::Strength::bits40;
        PppEncryption encryption = agreed({18, 6, 1, 0, 0, strength});
        mppe::ReceiverCounters counters;
        mppe::Receiver server(mppe::KeyChain(bits, kKeys.send), counters, false);
        mppe::Sender sender(mppe::KeyChain(bits, kKeys.receive));
        for (std::uint8_t i = 1; i < 4; ++i) {
            const Bytes plain = ip_frame(i);
            const Bytes sealed = encryption.seal(plain);
            ASSERT_EQ(to_hex(ByteView(sealed).first(2)), "00fd");
            Bytes opened(sealed.size());
            const auto packet =
                server.open(ByteView(sealed).subspan(2), i, TimePoint{}, opened.data());
            ASSERT_TRUE(packet) << i;
            EXPECT_EQ(to_hex(*packet), to_hex(ByteView(plain).subspan(2)));
            Bytes from_server(plain.size() + mppe::kHeaderBytes);
            sender.seal(plain, from_server.data());
            const auto here = encryption.open(from_server);
            ASSERT_TRUE(here) << i;
            EXPECT_EQ(to_hex(*here), to_hex(ByteView(plain).subspan(2)));
            sender.skip_to(sender.index() + 3);  // Lost ones.
        }
    }
}

TEST(PppEncryptionTest, WhatIsNotTheServersIsNotOpened) {
    PppEncryption encryption = agreed();
    EXPECT_FALSE(encryption.open(Bytes{}));
    EXPECT_FALSE(encryption.open(Bytes(40, 0x90)));
    PppEncryption before;
    before.set_keys(kKeys);
    before.begin();
    before.forget();
    EXPECT_FALSE(before.is_on());
    EXPECT_FALSE(before.open(Bytes(40, 0x90)));
}

TEST(PppEncryptionTest, ARequestThatIsRepeatedChangesNothing) {
    PppEncryption encryption = agreed();
    const Bytes first = encryption.seal(ip_frame(1));
    EXPECT_EQ(encryption.answer(k128)->code, Code::configure_ack);
    encryption.begin();
    EXPECT_NE(encryption.seal(ip_frame(1)), first) << "no key encrypts two packets";
    EXPECT_EQ(encryption.answer(Bytes{18, 6, 1, 0, 0, 0x20})->code, Code::configure_nak);
}

}  // namespace ppp_encryption_test
}  // namespace vpnha::probe
