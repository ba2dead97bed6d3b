// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include "unit/host/addresses/two_hosts.hpp"

extern "C" {
#include "device.h"
}

namespace vpnha {
namespace device_test {

using ::testing::ElementsAre;
using testing::ip_command;
using ::testing::IsEmpty;
using testing::output_of;
using ::testing::UnorderedElementsAre;

// out0 stands for the link's device: pppd has set both its addresses.
class PppdDeviceTest : public testing::TwoHosts {
  protected:
    void SetUp() override {
        TwoHosts::SetUp();
        ASSERT_TRUE(ip_command("address flush dev out0"));
        ASSERT_TRUE(ip_command("address add 10.200.0.1 peer 10.200.1.10/32 dev out0"));
        session_.our_ppp_address = 0x0ac80001;
        session_.peer_ppp_address = 0x0ac8010a;
    }
    std::uint32_t reasons() {
        session_.not_resumable = 0;
        vpnha_read_device("out0", &session_);
        return session_.not_resumable;
    }
    std::vector<std::string> proxied() {
        static_cast<void>(reasons());
        std::vector<std::string> found;
        for (unsigned i = 0; i < session_.proxied_count; ++i) {
            const vpnha_proxied& each = session_.proxied[i];
            const auto address = ip_address_of(ByteView(each.octets, each.octet_count));
            found.push_back(to_string(address.value_or(IpAddress())) + " " + each.interface);
        }
        return found;
    }
    vpnha_session session_{};
};

TEST_F(PppdDeviceTest, WhatPppHasNegotiatedIsNoReason) {
    ASSERT_TRUE(ip_command("address add fe80::1 peer fe80::2 dev out0"));
    EXPECT_EQ(reasons(), 0U);
    EXPECT_THAT(proxied(), IsEmpty());
}

TEST_F(PppdDeviceTest, AnAddressOfAScriptIs) {
    for (const char* const address :
         {"10.99.0.1/24", "10.200.0.1 peer 10.200.1.11/32", "2001:db8:51::1/64"}) {
        ASSERT_TRUE(ip_command(std::string("address add ") + address + " dev out0"));
        EXPECT_EQ(reasons(), std::uint32_t{VPNHA_NOT_ADDRESSES}) << address;
        ASSERT_TRUE(ip_command(std::string("address delete ") + address + " dev out0"));
        EXPECT_EQ(reasons(), 0U) << address;
    }
}

TEST_F(PppdDeviceTest, AQueueingDisciplineOfAScriptIs) {
    for (const auto& [place, qdisc] : {std::pair{"root", " tbf rate 1mbit burst 10k latency 50ms"},
                                       std::pair{"root", " pfifo"}, std::pair{"ingress", ""}}) {
        EXPECT_EQ(output_of(std::string("tc qdisc add dev out0 ") + place + qdisc + " 2>&1"), "");
        EXPECT_EQ(reasons(), std::uint32_t{VPNHA_NOT_QUEUE}) << place << qdisc;
        EXPECT_EQ(output_of(std::string("tc qdisc delete dev out0 ") + place + " 2>&1"), "");
        EXPECT_EQ(reasons(), 0U) << place << qdisc;
    }
}

// A session with a rate has it on the next node as well.
TEST_F(PppdDeviceTest, VpnhadsOwnIsNone) {
    EXPECT_EQ(output_of("tc qdisc add dev out0 root handle 7670: tbf rate 1mbit burst 10k latency "
                        "50ms 2>&1; tc qdisc add dev out0 ingress 2>&1"),
              "");
    EXPECT_EQ(reasons(), 0U);
    EXPECT_EQ(output_of("tc qdisc delete dev out0 root 2>&1"), "");
    EXPECT_EQ(reasons(), std::uint32_t{VPNHA_NOT_QUEUE}) << "the ingress is somebody else's";
}

TEST_F(PppdDeviceTest, NamesWhatTheNodeAnswersForInTheClientsPlace) {
    session_.route_count = 2;
    session_.routes[0] = {.octet_count = 4, .octets = {10, 99, 48}, .length = 20};
    session_.routes[1] = {
        .octet_count = 16, .octets = {0x20, 0x01, 0x0d, 0xb8, 0, 51}, .length = 48};
    for (const char* const entry :
         {"10.200.1.10 dev in0", "10.99.51.7 dev in0", "10.99.64.7 dev in0", "10.200.1.11 dev in0",
          "2001:db8:33::7 dev in0", "2001:db8:34::7 dev in0"}) {
        ASSERT_TRUE(ip_command(std::string("neighbour add proxy ") + entry)) << entry;
    }
    EXPECT_THAT(proxied(),
                UnorderedElementsAre("10.200.1.10 in0", "10.99.51.7 in0", "2001:db8:33::7 in0"));
    EXPECT_EQ(reasons(), 0U);
    ASSERT_TRUE(ip_command("neighbour delete proxy 10.99.51.7 dev in0"));
    ASSERT_TRUE(ip_command("-6 neighbour delete proxy 2001:db8:33::7 dev in0"));
    EXPECT_THAT(proxied(), ElementsAre("10.200.1.10 in0"));
}

TEST_F(PppdDeviceTest, MoreThanARecordTakesAreAReason) {
    session_.route_count = 1;
    session_.routes[0] = {.octet_count = 4, .octets = {10, 99, 51}, .length = 24};
    for (int i = 0; i < VPNHA_PROXIED_MAX + 1; ++i) {
        ASSERT_TRUE(
            ip_command("neighbour add proxy 10.99.51." + std::to_string(1 + i) + " dev in0"));
    }
    EXPECT_EQ(reasons(), std::uint32_t{VPNHA_NOT_PROXIED});
    EXPECT_EQ(proxied().size(), std::size_t{VPNHA_PROXIED_MAX});
}

TEST_F(PppdDeviceTest, ADeviceThatIsGoneHasNothing) {
    session_.proxied_count = 3;
    vpnha_read_device("gone0", &session_);
    EXPECT_EQ(session_.not_resumable, 0U);
    EXPECT_EQ(session_.proxied_count, 0U);
}

}  // namespace device_test
}  // namespace vpnha
