// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/secret_octets.hpp"

#include <gmock/gmock.h>

#include <new>
#include <utility>

namespace vpnha {
namespace secret_octets_test {

using ::testing::Each;
using ::testing::ElementsAre;

using Four = SecretOctets<4>;

std::array<std::uint8_t, 4> octets_of(const Four& secret) {
    return {secret[0], secret[1], secret[2], secret[3]};
}

const std::array<std::uint8_t, 4> kSecret{1, 2, 3, 4};

TEST(SecretOctetsTest, AreWipedWhenTheyGo) {
    alignas(Four) std::array<std::uint8_t, sizeof(Four)> place{};
    auto* const secret = new (place.data()) Four(kSecret);
    ASSERT_THAT(place, ElementsAre(1, 2, 3, 4));
    secret->~Four();
    EXPECT_THAT(place, Each(0));
}

TEST(SecretOctetsTest, AreWipedWhereTheyAreMovedFrom) {
    Four first(kSecret);
    Four second(std::move(first));
    EXPECT_THAT(octets_of(second), ElementsAre(1, 2, 3, 4));
    EXPECT_THAT(octets_of(first), Each(0));  // NOLINT(bugprone-use-after-move)
    Four third;
    third = std::move(second);
    EXPECT_THAT(octets_of(third), ElementsAre(1, 2, 3, 4));
    EXPECT_THAT(octets_of(second), Each(0));  // NOLINT(bugprone-use-after-move)
}

TEST(SecretOctetsTest, ACopyLeavesThem) {
    const Four first(kSecret);
    Four second;
    second = first;
    EXPECT_THAT(octets_of(first), ElementsAre(1, 2, 3, 4));
    EXPECT_THAT(octets_of(second), ElementsAre(1, 2, 3, 4));
}

}  // namespace secret_octets_test
}  // namespace vpnha
