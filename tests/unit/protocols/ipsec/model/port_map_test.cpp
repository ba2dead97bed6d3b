// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/model/port_map.hpp"

#include <gmock/gmock.h>

#include "support/ha_builder.hpp"

namespace vpnha::ipsec {
namespace port_map_test {

using test::IkeSample;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const IpAddress kVip = parse_ip("192.0.2.100").value_or(IpAddress{});
const IpAddress kNat = parse_ip("198.51.100.7").value_or(IpAddress{});

class PortMapTest : public ::testing::Test {
  protected:
    void child(std::uint32_t spi, std::uint64_t order, std::uint16_t port, std::uint16_t own) {
        ChildSa child{spi, spi + 1, one_.id.key, one_.id.key, order, one_.l2tp(spi, spi + 1, own)};
        child.port = port;
        sas_.put(std::move(child));
    }
    void sa(std::uint32_t spi, std::uint32_t mark) {
        SaCounters& in = listed_.emplace_back();
        in.id = {kNat, kVip, spi};
        in.output_mark = mark;
        SaCounters& out = listed_.emplace_back();
        out.id = {kVip, kNat, spi + 1};
        out.mark = mark;
    }

    const IkeSample one_{test::ike_id(1, 1)};
    SaSet sas_;
    std::vector<SaCounters> listed_;
};

TEST_F(PortMapTest, AClientIsAnsweredByItsLatestSa) {
    child(7, 1, 20000, 1701);
    child(9, 3, 20001, 5555);
    child(11, 2, 20001, 5555);
    sa(9, 3);
    sa(11, 4);
    sa(7, 1);
    EXPECT_THAT(map_ports(listed_, sas_), ElementsAre(PortMapping{kNat, 20000, 1701, 1, true},
                                                      PortMapping{kNat, 20001, 5555, 3, true},
                                                      PortMapping{kNat, 20001, 5555, 4, false}));
    EXPECT_FALSE(misses_ports(listed_, sas_));
}

TEST_F(PortMapTest, AClientOfAnyPortHasThatOfL2tp) {
    child(7, 1, 20000, 0);
    sa(7, 1);
    EXPECT_EQ(map_ports(listed_, sas_).at(0).peer_port, 1701U);
}

TEST_F(PortMapTest, NothingIsMappedWithoutAMarkOrAPortOrAnSa) {
    child(7, 1, 20000, 1701);
    EXPECT_TRUE(misses_ports(listed_, sas_));
    sa(7, 0);
    sa(21, 5);
    EXPECT_THAT(map_ports(listed_, sas_), IsEmpty());
    EXPECT_FALSE(misses_ports(listed_, sas_)) << "charon marks nothing";
    child(9, 2, 0, 5555);
    EXPECT_FALSE(misses_ports(listed_, sas_)) << "no L2TP";
    sa(9, 6);
    EXPECT_THAT(map_ports(listed_, sas_), IsEmpty());
}

}  // namespace port_map_test
}  // namespace vpnha::ipsec
