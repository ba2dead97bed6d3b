// SPDX-License-Identifier: GPL-2.0-or-later
// Programs that take the place of pppd: what they are started with, and that their end is told.
#include "protocols/l2tp/backend/call_pppds.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "support/l2tp_builder.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace call_pppds_test {

using test::kTunnel;
using ::testing::HasSubstr;

class CallPppdsTest : public ::testing::Test {
  protected:
    void SetUp() override {
        std::filesystem::remove_all(root_);
        std::filesystem::create_directories(root_ + "/xl2tpd/dialin");
        gateway_.name = "dialin";
        gateway_.id = GatewayId{1};
        std::ofstream(root_ + "/xl2tpd/dialin/started")
            << "argument=/usr/sbin/xl2tpd\nargument=-c\nargument=" << root_ << "/xl2tpd.conf\n";
        configure("ip range = 10.0.0.2-10.0.0.9\n");
        std::array<int, 2> ends{};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
        session_.reset(ends[0]);
        far_.reset(ends[1]);
    }
    void TearDown() override {
        pppds_.reset();
        std::filesystem::remove_all(root_);
    }
    void configure(const std::string& options) const {
        std::ofstream(root_ + "/xl2tpd.conf")
            << "[global]\nlisten-addr = 192.0.2.100\n[lns default]\npppoptfile = /etc/ppp/a\n"
            << options;
    }
    // `script` is what the program does.
    void make(const std::string& script) {
        const std::string program = root_ + "/pppd";
        std::ofstream(program) << "#!/bin/sh\n" << script;
        std::filesystem::permissions(program, std::filesystem::perms::owner_all);
        auto made = CallPppds::create(
            loop_,
            [this](GatewayId, const l2tp::SessionKey& call, const std::string& why) {
                over_.emplace_back(call, why);
                loop_.stop();
            },
            program, root_);
        ASSERT_TRUE(made.has_value());
        pppds_ = std::move(*made);
    }
    [[nodiscard]] static l2tp::SessionKey call(std::uint16_t id) {
        return test::session_record(id).key;
    }
    // What the program wrote to the session's socket, up to its end.
    std::string output() {
        session_.reset();
        std::string text;
        std::array<char, 4096> block{};
        for (ssize_t got = 0; (got = ::read(far_.get(), block.data(), block.size())) > 0;) {
            text.append(block.data(), static_cast<std::size_t>(got));
        }
        return text;
    }

    std::string root_ = temporary_path("call_pppds");
    config::Gateway gateway_;
    QbLoop loop_;
    UniqueFd session_;
    UniqueFd far_;
    std::unique_ptr<CallPppds> pppds_;
    std::vector<std::pair<l2tp::SessionKey, std::string>> over_;
};

TEST_F(CallPppdsTest, ItHasTheSocketAndTheArgumentsOfXl2tpds) {
    make("echo \"$@\" >&3\n");
    ASSERT_TRUE(pppds_->start(gateway_, call(7), session_, {}).has_value());
    EXPECT_EQ(output(),
              "plugin pppol2tp.so pppol2tp 3 pppol2tp_lns_mode pppol2tp_tunnel_id 4369 "
              "pppol2tp_session_id 7 passive nodetach :10.0.0.9 file /etc/ppp/a\n");
    loop_.run();
    EXPECT_EQ(over_[0].first, call(7));
    EXPECT_EQ(over_[0].second, "its pppd ended with 0");
    EXPECT_FALSE(pppds_->end(call(7)));
}

TEST_F(CallPppdsTest, NoTwoClientsHaveOneAddress) {
    make("echo \"${12}\" >&3\nread line <&3\n");
    for (const std::uint16_t id : {std::uint16_t{1}, std::uint16_t{2}}) {
        ASSERT_TRUE(
            pppds_->start(gateway_, call(id), session_, {Ipv4Address{0x0a000009}}).has_value());
        std::array<char, 64> block{};
        ASSERT_GT(::read(far_.get(), block.data(), block.size()), 0);
        EXPECT_STREQ(block.data(), id == 1 ? ":10.0.0.8\n" : ":10.0.0.7\n");
    }
}

TEST_F(CallPppdsTest, WhereVpnhadGivesAddressesItIsGivenNone) {
    gateway_.common_pool = {host_prefix(IpAddress(Ipv4Address{0x0a0000ff}))};
    configure("local ip = 10.0.0.1\n");
    make("echo \"$@\" >&3\n");
    ASSERT_TRUE(pppds_->start(gateway_, call(7), session_, {}).has_value());
    EXPECT_THAT(output(), HasSubstr(" 10.0.0.1: file"));
}

TEST_F(CallPppdsTest, WhatCannotBeStartedIsAnError) {
    make("");
    configure("");
    EXPECT_EQ(pppds_->start(gateway_, call(7), session_, {}).error().code, Errc::limit);
    configure("assign ip = no\n");
    std::filesystem::remove(root_ + "/pppd");
    EXPECT_FALSE(pppds_->start(gateway_, call(7), session_, {}).has_value());
    std::filesystem::remove(root_ + "/xl2tpd/dialin/started");
    EXPECT_EQ(pppds_->start(gateway_, call(7), session_, {}).error().code, Errc::not_found);
}

TEST_F(CallPppdsTest, ItIsAskedToEnd) {
    make("echo ready >&3\nread line <&3\n");
    ASSERT_TRUE(pppds_->start(gateway_, call(7), session_, {}).has_value());
    std::array<char, 64> block{};
    ASSERT_GT(::read(far_.get(), block.data(), block.size()), 0);
    EXPECT_TRUE(pppds_->end(call(7)));
    loop_.run();
    EXPECT_EQ(over_[0].second, "its pppd was killed by signal 15");
}

}  // namespace call_pppds_test
}  // namespace vpnha::adapters
