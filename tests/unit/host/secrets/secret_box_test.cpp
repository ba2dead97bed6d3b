// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/secrets/secret_box.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/limits.hpp"

namespace vpnha::adapters {
namespace secret_box_test {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kPlain = "the shared key of two charons";

SecretBox box_of(std::string_view cluster_key = "the key of the cluster") {
    auto box = SecretBox::make(cluster_key);
    EXPECT_TRUE(box);
    return std::move(*box);
}

Bytes sealed_by(const SecretBox& box, std::string_view context, std::string_view plain) {
    const auto sealed = box.seal(to_bytes(context), to_bytes(plain));
    EXPECT_TRUE(sealed);
    return sealed ? *sealed : Bytes{};
}

// As text, or what kept it from opening.
std::string opened_by(const SecretBox& box, std::string_view context, ByteView sealed) {
    auto plain = SecretBytes::with_room(limits::kSecretBytesMax);
    EXPECT_TRUE(plain);
    const auto opened = box.open(to_bytes(context), sealed, *plain);
    if (!opened) {
        EXPECT_TRUE(plain->view().empty());
        return std::string(to_string(opened.error().code));
    }
    return to_text(plain->view());
}

TEST(SecretBoxTest, OpensWhatItSealed) {
    const SecretBox box = box_of();
    for (const std::size_t size : {0UL, 1UL, 16UL, 300UL, limits::kSecretBytesMax}) {
        const std::string plain(size, 's');
        const Bytes sealed = sealed_by(box, "context", plain);
        EXPECT_EQ(sealed.size(), size + SecretBox::kOverhead);
        EXPECT_EQ(opened_by(box, "context", sealed), plain);
    }
}

TEST(SecretBoxTest, ASealedSecretDoesNotShowIt) {
    EXPECT_THAT(to_text(sealed_by(box_of(), "context", kPlain)), Not(HasSubstr("key")));
}

TEST(SecretBoxTest, AnotherNodeOfTheClusterOpensIt) {
    EXPECT_EQ(opened_by(box_of(), "context", sealed_by(box_of(), "context", kPlain)), kPlain);
}

TEST(SecretBoxTest, TheSameSecretIsSealedToTheSameOctets) {
    EXPECT_EQ(sealed_by(box_of(), "context", kPlain), sealed_by(box_of(), "context", kPlain));
}

TEST(SecretBoxTest, OtherSecretsContextsAndKeysHaveOtherNonces) {
    const auto nonce_of = [](const Bytes& sealed) {
        return Bytes(sealed.begin(), sealed.begin() + 24);
    };
    const Bytes nonce = nonce_of(sealed_by(box_of(), "context", kPlain));
    EXPECT_NE(nonce_of(sealed_by(box_of(), "context", "another")), nonce);
    EXPECT_NE(nonce_of(sealed_by(box_of(), "another", kPlain)), nonce);
    EXPECT_NE(nonce_of(sealed_by(box_of("another"), "context", kPlain)), nonce);
    // Where one ends and the other begins.
    EXPECT_NE(nonce_of(sealed_by(box_of(), "ab", "c")), nonce_of(sealed_by(box_of(), "a", "bc")));
}

TEST(SecretBoxTest, AnotherContextIsRefused) {
    const Bytes sealed = sealed_by(box_of(), "context", kPlain);
    EXPECT_EQ(opened_by(box_of(), "another", sealed), "permission");
    EXPECT_EQ(opened_by(box_of(), "", sealed), "permission");
}

TEST(SecretBoxTest, AnotherClustersKeyIsRefused) {
    EXPECT_EQ(opened_by(box_of("another"), "context", sealed_by(box_of(), "context", kPlain)),
              "permission");
}

TEST(SecretBoxTest, EachFlippedBitIsRefused) {
    const SecretBox box = box_of();
    const Bytes sealed = sealed_by(box, "context", "secret");
    for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
        Bytes flipped = sealed;
        flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ 1 << bit % 8);
        EXPECT_EQ(opened_by(box, "context", flipped), "permission") << bit;
    }
}

TEST(SecretBoxTest, EachOtherLengthIsRefused) {
    const SecretBox box = box_of();
    Bytes sealed = sealed_by(box, "context", "secret");
    for (std::size_t size = 0; size < sealed.size(); ++size) {
        EXPECT_EQ(opened_by(box, "context", ByteView(sealed).first(size)),
                  size < SecretBox::kOverhead ? "malformed" : "permission");
    }
    sealed.push_back(0);
    EXPECT_EQ(opened_by(box, "context", sealed), "permission");
}

TEST(SecretBoxTest, LongerThanTheBoundIsRefusedAtBothEnds) {
    const SecretBox box = box_of();
    const Bytes plain(limits::kSecretBytesMax + 1);
    const auto sealed = box.seal({}, plain);
    ASSERT_FALSE(sealed);
    EXPECT_EQ(sealed.error().code, Errc::limit);
    EXPECT_EQ(opened_by(box, "", Bytes(plain.size() + SecretBox::kOverhead)), "malformed");
}

TEST(SecretBoxTest, SecretsAreAppendedAsFarAsThereIsRoom) {
    const SecretBox box = box_of();
    auto plain = SecretBytes::with_room(8);
    ASSERT_TRUE(plain);
    ASSERT_TRUE(plain->append(to_bytes("1 ")));
    ASSERT_TRUE(box.open(to_bytes("context"), sealed_by(box, "context", "2 34"), *plain));
    EXPECT_EQ(to_text(plain->view()), "1 2 34");
    const auto opened = box.open(to_bytes("context"), sealed_by(box, "context", "567"), *plain);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::limit);
    EXPECT_EQ(to_text(plain->view()), "1 2 34");
}

// What one release sealed, the next one opens. Computed by Python's hashlib and libsodium.
TEST(SecretBoxTest, SealsAsOtherReleasesDo) {
    EXPECT_EQ(to_hex(sealed_by(box_of(), "context", "secret")),
              "b46ea65a88db7cb5f2581640b67617f0ac93ca2ba24f5fa7"  // Nonce.
              "27f57c08b3dc"                                      // Ciphertext.
              "3cab848eebfb57354246f32472e7ae1e");                // Tag.
}

}  // namespace secret_box_test
}  // namespace vpnha::adapters
