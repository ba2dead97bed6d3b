// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/lease/witness_key.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace vpnha::lease {
namespace witness_key_test {

using ::testing::HasSubstr;

LeaseKey::Octets octets() {
    LeaseKey::Octets key;
    for (std::size_t i = 0; i < key.size(); ++i) {
        key[i] = static_cast<std::uint8_t>(i * 8 + 1);
    }
    return key;
}
std::string line_of(const std::string& cluster, const std::string& name) {
    return std::string(WitnessKeyLine({cluster, name, octets()}).view());
}

TEST(WitnessKeyTest, TheLineIsAsDocumented) {
    EXPECT_EQ(line_of("site-1", "wit1"),
              "vpnha-witness-key 1 site-1 wit1 "
              "0109111921293139414951596169717981899199a1a9b1b9c1c9d1d9e1e9f1f9\n");
}

TEST(WitnessKeyTest, NamesComeBackWhateverIsInThem) {
    const std::string odd("\0 \n%/\xc3\xa4~", 8);
    for (const std::string& cluster :
         {std::string(), std::string("a b"), odd, std::string(kWitnessNameMax, '\xff')}) {
        const auto key = parse_witness_key(line_of(cluster, "w" + cluster.substr(0, 200)));
        ASSERT_TRUE(key) << key.error().detail;
        EXPECT_EQ(key->cluster, cluster);
        EXPECT_EQ(key->name, "w" + cluster.substr(0, 200));
        EXPECT_TRUE(std::equal(key->octets.begin(), key->octets.end(), octets().begin()));
    }
}

TEST(WitnessKeyTest, LongerNamesAreCut) {
    const std::string longer(kWitnessNameMax + 1, 'a');
    EXPECT_EQ(parse_witness_key(line_of(longer, "w"))->cluster.size(), kWitnessNameMax);
}

TEST(WitnessKeyTest, BlanksAroundItAreNoHarm) {
    EXPECT_TRUE(parse_witness_key("  " + line_of("c", "w") + "\r\n\n"));
}

TEST(WitnessKeyTest, EachMistakeHasAnErrorWithoutTheKey) {
    const std::string line = line_of("c", "w");
    const std::string hex = line.substr(line.size() - 65, 64);
    const std::string begin = "vpnha-witness-key 1 c w ";
    for (const auto& [text, why] :
         {std::pair<std::string, std::string>{"", "does not begin with vpnha-witness-key"},
          {"key 1 c w " + hex, "does not begin with vpnha-witness-key"},
          {"vpnha-witness-key 2 c w " + hex, "another release"},
          {"vpnha-witness-key 1 c% w " + hex, "a name in it is damaged"},
          {"vpnha-witness-key 1 %4g w " + hex, "a name in it is damaged"},
          {"vpnha-witness-key 1 c a/b " + hex, "a name in it is damaged"},
          {"vpnha-witness-key 1 c " + std::string(256, 'a') + " " + hex, "a name"},
          {"vpnha-witness-key 1 c w", "64 hexadecimal digits"},
          {begin + hex.substr(1), "64 hexadecimal digits"},
          {begin + hex + "0", "64 hexadecimal digits"},
          {begin + "g" + hex.substr(1), "64 hexadecimal digits"},
          {begin + hex + " x", "something follows"}}) {
        const auto key = parse_witness_key(text);
        ASSERT_FALSE(key) << text;
        EXPECT_THAT(key.error().detail, HasSubstr(why)) << text;
        EXPECT_THAT(key.error().detail, ::testing::Not(HasSubstr(hex.substr(8, 16))));
    }
}

TEST(WitnessKeyTest, KeysAreCompared) {
    WitnessKey one{"c", "w", octets()};
    WitnessKey other = one;
    EXPECT_TRUE(is_same_key(one, other));
    other.octets[31] ^= 1;
    EXPECT_FALSE(is_same_key(one, other));
}

}  // namespace witness_key_test
}  // namespace vpnha::lease
