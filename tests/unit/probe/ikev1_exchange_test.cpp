// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/ikev1_exchange.hpp"

#include <gmock/gmock.h>

#include "probe/ike_message.hpp"

namespace vpnha::probe {
namespace ikev1_exchange_test {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint64_t kOurs = 0x1122334455667788;
constexpr std::uint64_t kTheirs = 0x99;
constexpr std::uint8_t kSa = 1;
constexpr std::uint8_t kNotify = 11;
constexpr std::uint8_t kInformational = 5;

IkeHeader answer(std::uint8_t exchange = 2) {
    return {
        .initiator = kOurs, .responder = kTheirs, .version = kIkev1Version, .exchange = exchange};
}
const Bytes kNoProposal{0, 0, 0, 1, 1, 0, 0, 14};

TEST(Ikev1ExchangeTest, IsOverWithAChosenProposalAndGivesItUp) {
    Ikev1Exchange exchange(kOurs);
    const auto request = parse_ike_message(exchange.request());
    ASSERT_TRUE(request);
    ASSERT_THAT(request->payloads, SizeIs(1));
    EXPECT_EQ(request->payloads[0].type, kSa);
    // The transforms that its proposal states.
    EXPECT_EQ(request->payloads[0].body[15], 30);
    EXPECT_LE(exchange.request().size(), 1400U);
    EXPECT_THAT(exchange.closing_message(), IsEmpty());
    ASSERT_TRUE(exchange.on_datagram(encode_ike_message(answer(), {{kSa, {}}})));
    EXPECT_TRUE(exchange.is_over());
    const Bytes octets = exchange.closing_message();
    const auto last = parse_ike_message(octets);
    ASSERT_TRUE(last);
    EXPECT_EQ(last->header.responder, kTheirs);
    ASSERT_THAT(last->payloads, SizeIs(1));
    EXPECT_EQ(last->payloads[0].type, 10) << "a nonce, and no public value";
}

TEST(Ikev1ExchangeTest, NoConnectionIsARefusal) {
    Ikev1Exchange exchange(kOurs);
    const auto refused =
        exchange.on_datagram(encode_ike_message(answer(kInformational), {{kNotify, kNoProposal}}));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().detail, HasSubstr("NO_PROPOSAL_CHOSEN"));
}

TEST(Ikev1ExchangeTest, AnswersToOthersChangeNothing) {
    Ikev1Exchange exchange(kOurs);
    IkeHeader other = answer();
    other.initiator += 1;
    ASSERT_TRUE(exchange.on_datagram(encode_ike_message(other, {{kSa, {}}})));
    other = answer();
    other.version = kIkev2Version;
    ASSERT_TRUE(exchange.on_datagram(encode_ike_message(other, {{kSa, {}}})));
    // Its own request, in which nobody has answered.
    ASSERT_TRUE(exchange.on_datagram(exchange.request()));
    ASSERT_TRUE(exchange.on_datagram(encode_ike_message(answer(kInformational), {{kSa, {}}})));
    // A status, as of a vendor.
    ASSERT_TRUE(exchange.on_datagram(
        encode_ike_message(answer(kInformational), {{kNotify, Bytes{0, 0, 0, 1, 1, 0, 0x60, 0}}})));
    ASSERT_TRUE(exchange.on_datagram({}));
    EXPECT_FALSE(exchange.is_over());
}

}  // namespace ikev1_exchange_test
}  // namespace vpnha::probe
