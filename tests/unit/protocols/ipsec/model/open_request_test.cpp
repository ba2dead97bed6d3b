// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/model/open_request.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace vpnha::ipsec {
namespace open_request_test {

// A datagram of IKE, at port 500 or behind the marker of port 4500.
Bytes datagram(const IkeKey& key, std::uint32_t mid, bool behind_nat, std::size_t more = 2) {
    ByteWriter out;
    if (behind_nat) {
        out.u32(0);
    }
    out.u64(key.spi_i).u64(key.spi_r).u8(46).u8(0x20).u8(37).u8(0).u32(mid);
    return std::move(out.u32(30).bytes(Bytes(more, 0xee))).take();
}

const IkeKey kKey{2, 0x0102030405060708, 0x1112131415161718};

TEST(OpenRequestTest, ARecordHasTheDocumentedBytes) {
    const OpenRequest request{kKey, 5, datagram(kKey, 5, true)};
    EXPECT_EQ(to_hex(encode_id(request)), "020102030405060708111213141516171800000005");
    EXPECT_EQ(to_hex(encode_record(request)),
              "01"    // Version.
              "0022"  // The datagram.
              "00000000"
              "01020304050607081112131415161718"
              "2e202500000000050000001eeeee");
    const auto parsed = parse_open_request(encode_id(request), encode_record(request));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, request);
}

TEST(OpenRequestTest, ItIsAboutItsOwnSaAndNumber) {
    const auto parses = [](const IkeKey& key, std::uint32_t mid, const Bytes& octets) {
        const Bytes payload = encode_record({key, mid, octets});
        return parse_open_request(encode_id({key, mid, {}}), payload).has_value();
    };
    EXPECT_TRUE(parses(kKey, 5, datagram(kKey, 5, false)));
    EXPECT_FALSE(parses(kKey, 6, datagram(kKey, 5, false)));
    EXPECT_FALSE(parses(kKey, 6, datagram(kKey, 5, true)));
    EXPECT_FALSE(parses({2, kKey.spi_i, 7}, 5, datagram(kKey, 5, false)));
    EXPECT_FALSE(parses({1, kKey.spi_i, kKey.spi_r}, 5, datagram(kKey, 5, false))) << "IKEv1";
    EXPECT_FALSE(parses(kKey, 5, Bytes(10)));
    EXPECT_FALSE(parses(kKey, 5, datagram(kKey, 5, false, limits::kIkeRequestBytesMax - 27)));
}

TEST(OpenRequestTest, OctetsThatAreMissingOrLeftOverAreNone) {
    const Bytes id = encode_id({kKey, 5, {}});
    Bytes payload = encode_record({kKey, 5, datagram(kKey, 5, false)});
    for (std::size_t size = 0; size < payload.size(); ++size) {
        EXPECT_FALSE(parse_open_request(id, ByteView(payload).first(size))) << size;
    }
    EXPECT_FALSE(parse_open_request(ByteView(id).first(id.size() - 1), payload));
    payload.push_back(0);
    EXPECT_FALSE(parse_open_request(id, payload));
    payload.pop_back();
    payload.front() = 2;
    const auto newer = parse_open_request(id, payload);
    ASSERT_FALSE(newer);
    EXPECT_EQ(newer.error().code, Errc::unsupported);
}

}  // namespace open_request_test
}  // namespace vpnha::ipsec
