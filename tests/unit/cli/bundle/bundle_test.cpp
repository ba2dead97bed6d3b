// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/bundle/bundle.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "host/os/text_file.hpp"
#include "support/contents_of.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::cli::bundle {
namespace bundle_test {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

// A secret of each kind, as its file has it, and what a line of a log would show.
struct Planted {
    const char* file;
    std::string content;
    std::string secret;
};
const std::vector<Planted>& planted() {
    static const std::vector<Planted> kPlanted{
        {"swanctl/conf.d/clients.conf", "secrets {\n ike-1 {\n  secret = \"psk of all\"\n }\n}\n",
         "psk of all"},
        {"vpnha/radius.secret", "accounting-secret\n", "accounting-secret"},
        {"radiusclient/servers", "# server key\n192.0.2.9 login-secret\n", "login-secret"},
        {"strongswan.d/vpnha.conf", "eap-radius {\n secret = eap-radius-secret\n}\n",
         "eap-radius-secret"},
        {"ppp/chap-secrets", "al\tl2tpd\t'chap secret'\t*\n", "chap secret"},
        {"vpnha/wireguard.key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
         "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
        {"vpnha/cluster.crm", "primitive f1 stonith:fence_ipmilan params passwd=fence-pass\n",
         "fence-pass"},
    };
    return kPlanted;
}
// Those that are in no file: keys of MPPE, and the cluster's.
constexpr const char* kMppeKey = "00112233445566778899aabbccddeeff";
constexpr const char* kClusterKey =
    "ff:ee:dd:cc:bb:aa:99:88:77:66:55:44:33:22:11:00:ff:ee:dd:cc:bb:aa:99:88";

std::vector<SecretPlace> places() {
    const fs::path root = temporary_path("etc");
    for (const Planted& each : planted()) {
        fs::create_directories((root / each.file).parent_path());
        EXPECT_TRUE(adapters::write_text(root / each.file, each.content));
    }
    return {{root}};
}

std::string all_of(const fs::path& directory) {
    std::string text;
    for (const auto& each : fs::directory_iterator(directory)) {
        text += contents_of(each.path());
    }
    return text;
}

TEST(BundleTest, NoSecretOfAnyKindIsInIt) {
    const auto redaction = learn(places());
    ASSERT_TRUE(redaction) << redaction.error().detail;
    std::string journal = fmt::format("gw1 vpnhad: MPPE {}, cluster {}\n", kMppeKey, kClusterKey);
    std::string cib = "<cib>";
    std::string lines;
    for (const Planted& each : planted()) {
        journal += "gw1 vpnhad: the peer sent " + each.secret + ", which is odd\n";
        lines += each.content;
        cib += fmt::format("<op id='a' exit-reason='bad answer to {}'/>", each.secret);
    }
    cib +=
        "<nvpair name='password' value='cib-pass'/><nvpair name='shared_secret' "
        "value='cib-secret'/></cib>";
    const fs::path directory = temporary_path("report");
    ASSERT_TRUE(write_parts(directory,
                            {{"journal.txt", journal},
                             {"vpnha.toml", lines},
                             {"status.json", "{\n  \"reason\": \"psk of all\"\n}\n"},
                             {"cib.xml", cib},
                             {"gate.json", fail(Errc::unreachable, "no answer to chap secret")}},
                            *redaction));
    const std::string bundle = all_of(directory);
    EXPECT_THAT(bundle, HasSubstr("the peer sent [removed], which is odd"));
    EXPECT_THAT(bundle, HasSubstr("gate.json: no answer to [removed]"));
    for (const Planted& each : planted()) {
        EXPECT_THAT(bundle, Not(HasSubstr(each.secret))) << each.file;
    }
    for (const char* const secret : {kMppeKey, kClusterKey, "cib-pass", "cib-secret"}) {
        EXPECT_THAT(bundle, Not(HasSubstr(secret)));
    }
    struct stat found {};
    ASSERT_EQ(::stat(directory.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0700U);
}

TEST(BundleTest, WhatIsNoXmlIsLeftOut) {
    const fs::path directory = temporary_path("no-xml");
    ASSERT_TRUE(write_parts(directory, {{"cib.xml", "<nvpair password=hush>"}}, Redaction()));
    EXPECT_FALSE(fs::exists(directory / "cib.xml"));
    EXPECT_THAT(contents_of(directory / "missing.txt"), HasSubstr("cib.xml: "));
}

TEST(BundleTest, ADirectoryThatIsThereIsLeftAlone) {
    const fs::path directory = temporary_path("there");
    fs::create_directory(directory);
    const auto written = write_parts(directory, {{"a.txt", "a"}}, Redaction());
    ASSERT_FALSE(written);
    EXPECT_THAT(written.error().detail, HasSubstr("File exists"));
    EXPECT_TRUE(fs::is_empty(directory));
}

TEST(BundleTest, AFileOfSecretsThatCannotBeReadRefusesTheReport) {
    EXPECT_TRUE(learn({{temporary_path("absent")}}));
    EXPECT_FALSE(learn({{"/dev/null"}}));
}

}  // namespace bundle_test
}  // namespace vpnha::cli::bundle
