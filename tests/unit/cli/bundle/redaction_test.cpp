// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/bundle/redaction.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/os/text_file.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::cli::bundle {
namespace redaction_test {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string redacted(std::string_view text) {
    return Redaction().text(text);
}

std::string redacted_by(const std::string& file, Form form, std::string_view text) {
    const std::string path = temporary_path("secrets");
    EXPECT_TRUE(adapters::write_text(path, file));
    auto read = adapters::SecretFile::read(path);
    EXPECT_TRUE(read && *read);
    Redaction redaction;
    redaction.learn(std::move(**read), form);
    return redaction.text(text);
}

TEST(RedactionTest, WhatIsNamedASecretGoes) {
    for (const auto& [text, left] : std::vector<std::pair<std::string, std::string>>{
             {"secret = \"hush, you\"", "secret = \"[removed]\"\n"},
             {"  radius_secret=hush port=1813", "  radius_secret=[removed] port=1813\n"},
             {"PresharedKey = a b c", "PresharedKey = [removed]\n"},
             {R"({"password": "a\"b", "user": "al"})", R"({"password": "[removed]", "user": "al"})"
                                                       "\n"},
             {"psk: word", "psk: [removed]\n"},
             {"key=hush", "key=[removed]\n"},
             {"20:00:00 gw1: password=hush", "20:00:00 gw1: password=[removed]\n"},
             {"mppe_send_key=0badcafe", "mppe_send_key=[removed]\n"}}) {
        EXPECT_EQ(redacted(text), left);
    }
}

TEST(RedactionTest, PathsFingerprintsAndAddressesStay) {
    for (const std::string text :
         {"secret_file = \"/etc/vpnha/radius.secret\"",
          "secrets = [\"/etc/ppp/chap-secrets\", \"/etc/ppp/pap-secrets\"]",
          "replicate_secrets_unencrypted = false",
          "item=totem.keyfile old=0123456789abcdef new=fedcba9876543210",
          "peer=2001:0db8:0000:0000:0000:0000:0000:0051", "lladdr 02:00:00:00:00:51",
          "uuid 01234567-89ab-cdef-0123-456789abcdef"}) {
        EXPECT_EQ(redacted(text), text + "\n");
    }
}

TEST(RedactionTest, WhatHasTheFormOfAKeyGoes) {
    EXPECT_EQ(redacted("sends 0x00112233445566778899aabbccddeeff now"), "sends 0x[removed] now\n");
    EXPECT_EQ(redacted("(00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff)"), "([removed])\n");
    EXPECT_EQ(redacted("peer:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=."), "peer:[removed].\n");
}

TEST(RedactionTest, ValuesOfTheFilesOfSecretsGoWhereverTheyStand) {
    EXPECT_EQ(redacted_by("# client server secret\nal * \"open sesame\" *\nbo l2tpd s3cr,et;1 *\n",
                          Form::third_word, "al dials with open sesame, bo with s3cr,et;1."),
              "al dials with [removed], bo with [removed].\n");
    EXPECT_EQ(redacted_by("192.0.2.1 testing123\n", Form::second_word, "asks with testing123!"),
              "asks with [removed]!\n");
    EXPECT_EQ(redacted_by("a whole line \n", Form::whole_line, "<a whole line>"), "<[removed]>\n");
    EXPECT_EQ(redacted_by("eap-bob {\n  secret = walrus1\n  id = bob\n}\n", Form::named,
                          "bob has walrus1"),
              "bob has [removed]\n");
}

TEST(RedactionTest, TheLongestValueThatFitsGoes) {
    EXPECT_EQ(redacted_by("a * secret *\nb * secret2 *\n", Form::third_word, "<secret2>"),
              "<[removed]>\n");
}

TEST(RedactionTest, AShortValueMayBeAnyWord) {
    EXPECT_EQ(redacted_by("al * link *\n", Form::third_word, "link lost"), "link lost\n");
}

TEST(RedactionTest, ACibKeepsWhatIsNoSecret) {
    const std::string cib =
        "<cib epoch='7'><!-- password=hush --><nvpair id=\"f-passwd\" name=\"passwd\" "
        "value=\"a&quot;b\"/><nvpair name=\"ip\" value=\"192.0.2.9\"/>"
        "<acl_user id=\"x\" secret=\"hush\"/><nvpair name=\"options\" value=\"-a password=hush\"/>"
        "</cib>";
    const auto left = Redaction().xml(cib);
    ASSERT_TRUE(left);
    EXPECT_THAT(*left, AllOf(HasSubstr("<nvpair id=\"f-passwd\" name=\"passwd\" "
                                       "value=\"[removed]\">"),
                             HasSubstr("value=\"192.0.2.9\""), HasSubstr("secret=\"[removed]\""),
                             HasSubstr("value=\"-a password=[removed]\""), Not(HasSubstr("hush"))));
    EXPECT_TRUE(Redaction().xml(*left)) << *left;
    EXPECT_FALSE(Redaction().xml("<cib password=hush>"));
}

}  // namespace redaction_test
}  // namespace vpnha::cli::bundle
