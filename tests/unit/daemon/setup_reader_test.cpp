// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/setup_reader.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "protocols/l2tp/table.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::runtime {
namespace setup_reader_test {

class SetupReaderTest : public ::testing::Test {
  protected:
    void SetUp() override {
        config::Gateway gateway;
        gateway.name = "dialin";
        gateway.id = GatewayId{1};
        gateway.protocols.serve<l2tp::Table>();
        gateway.protocols.get<l2tp::Table>()->secrets = {secrets_};
        gateway.protocols.get<l2tp::Table>()->ppp_options = "/nonexistent/options";
        config_.gateways = {gateway};
        std::ofstream(key_) << "a key of the cluster";
        std::ofstream(secrets_) << "alice * one *\n";
    }
    void TearDown() override {
        ::unlink(key_.c_str());
        ::unlink(secrets_.c_str());
    }
    // The item of the file with secrets; 0: there is none.
    std::uint64_t hash_of_secrets() {
        for (const wire::Setup& setup : reader_.read()) {
            for (const wire::Fingerprint& item : setup.items) {
                if (item.name == "secrets " + secrets_) {
                    return item.hash;
                }
            }
        }
        return 0;
    }

    std::string key_ = temporary_path("authkey");
    std::string secrets_ = temporary_path("chap-secrets");
    config::Config config_;
    SetupReader reader_{config_, key_};
};

TEST_F(SetupReaderTest, SeesAFileChangeAndGo) {
    const std::uint64_t before = hash_of_secrets();
    EXPECT_NE(before, 0U);
    EXPECT_EQ(hash_of_secrets(), before);
    std::ofstream(secrets_) << "# a comment\nalice * one *\n";
    EXPECT_EQ(hash_of_secrets(), before);
    std::ofstream(secrets_) << "alice * two *\n";
    const std::uint64_t changed = hash_of_secrets();
    EXPECT_NE(changed, before);
    ::unlink(secrets_.c_str());
    EXPECT_NE(hash_of_secrets(), changed);
    EXPECT_NE(hash_of_secrets(), before);
}

TEST_F(SetupReaderTest, NodesWithTheSameKeyAndFilesAgree) {
    SetupReader other(config_, key_);
    EXPECT_EQ(other.read(), reader_.read());
    std::ofstream(key_) << "another key";
    EXPECT_NE(SetupReader(config_, "/nonexistent/authkey").read(), reader_.read());
}

TEST_F(SetupReaderTest, WithoutTheClustersKeySecretsAreNotCompared) {
    ::unlink(key_.c_str());
    EXPECT_EQ(hash_of_secrets(), 0U);
}

TEST_F(SetupReaderTest, AFileThatCannotBeReadKeepsItsLastHash) {
    const std::uint64_t before = hash_of_secrets();
    ASSERT_EQ(::truncate(secrets_.c_str(), off_t{1} << 30), 0);
    EXPECT_EQ(hash_of_secrets(), before);
}

}  // namespace setup_reader_test
}  // namespace vpnha::runtime
