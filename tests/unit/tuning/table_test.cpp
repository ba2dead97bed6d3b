// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/table.hpp"

#include <gmock/gmock.h>

#include <limits>

#include "protocols/tables.hpp"
#include "protocols/wireguard/table.hpp"

namespace vpnha::tuning {
namespace table_test {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

Demand everything() {
    return {.needs = {"dialled", "ESP over IPv6", "flows", "IPv6", "ipsec", "l2tp", "pptp",
                      "wireguard"},
            .daemons = {"xl2tpd", "pptpd"},
            .clients = 500,
            .tasks = 750,
            .lease_port = 5420,
            .devices = {"inside", "outside.7"}};
}

Machine::Device device(const std::string& name) {
    return {.name = name,
            .lro = false,
            .gro = true,
            .tso = true,
            .is_hardware = true,
            .receive_queues = 4,
            .steers_by_processor = false};
}

// What the file of sysctl.d makes of a Debian 12 with its packages.
Machine good() {
    return {.sysctls = {{"net.ipv4.ip_forward", "1"},
                        {"net.ipv6.conf.all.forwarding", "1"},
                        {"net.ipv4.ip_nonlocal_bind", "1"},
                        {"net.ipv4.ip_local_port_range", "32768 60999"},
                        {"net.ipv4.tcp_syncookies", "1"},
                        {"net.ipv4.tcp_max_syn_backlog", "512"},
                        {"net.core.somaxconn", "4096"},
                        {"net.netfilter.nf_conntrack_udp_timeout", "30"},
                        {"net.netfilter.nf_conntrack_udp_timeout_stream", "120"}},
            .rp_filters = {{"all", "0"}, {"default", "0"}, {"inside", "0"}, {"outside.7", "2"}},
            .devices = {device("inside"), device("outside.7")},
            .absent_devices = {},
            .daemons = {{"vpnhad", 1'048'576, 1000},
                        {"xl2tpd", 1024, std::numeric_limits<std::uint64_t>::max()},
                        {"pptpd", 1024, 1262}},
            .processors = 4,
            .balances_interrupts = true,
            .present = {{"module esp4", true},
                        {"module esp6", true},
                        {"module l2tp_ppp", true},
                        {"module ppp_generic", true},
                        {"module ppp_mppe", true},
                        {"module tun", true},
                        {"module wireguard", true},
                        {"module xfrm_user", true}}};
}

std::vector<std::string> found(const Machine& machine, const Demand& demand = everything()) {
    std::vector<std::string> lines;
    for (const conntrack::Finding& finding : check(table(), demand, machine).list) {
        lines.push_back(
            (finding.severity == conntrack::Finding::Severity::error ? "error: " : "warning: ") +
            to_string(finding));
    }
    return lines;
}

TEST(TableTest, NothingIsFoundWhereAllIsSet) {
    EXPECT_THAT(found(good()), IsEmpty());
    EXPECT_THAT(check(table(), everything(), good()).unread, IsEmpty());
}

TEST(TableTest, AMustIsAnErrorAndAdviceIsNot) {
    Machine machine = good();
    machine.sysctls["net.ipv4.ip_forward"] = "0";
    machine.sysctls["net.core.somaxconn"] = "127";
    EXPECT_THAT(found(machine),
                ElementsAre("error: net.ipv4.ip_forward is 0; set it to 1: the traffic between "
                            "clients and the inside passes through the node",
                            "warning: net.core.somaxconn is 127; set it to 128: vpnhad's sockets "
                            "have queues of 128, for the pppds of many dials at once"));
    machine.sysctls["net.core.somaxconn"] = "128";
    machine.sysctls["net.ipv4.ip_forward"] = "2";
    EXPECT_THAT(found(machine),
                ElementsAre(StartsWith("error: net.ipv4.ip_forward is 2; set it to 1: ")));
}

TEST(TableTest, WhatAnotherProtocolWantsIsNotLookedAt) {
    Machine machine = good();
    machine.sysctls["net.ipv4.ip_nonlocal_bind"] = "0";
    machine.sysctls["net.ipv4.tcp_syncookies"] = "0";
    EXPECT_THAT(found(machine),
                ElementsAre(StartsWith("error: net.ipv4.ip_nonlocal_bind is 0; set it to 1: "),
                            StartsWith("warning: net.ipv4.tcp_syncookies is 0; set it to 1: ")));
    Demand demand = everything();
    demand.needs.erase("pptp");
    EXPECT_THAT(found(machine, demand),
                ElementsAre(StartsWith("error: net.ipv4.ip_nonlocal_bind is 0; set it to 1: ")));
    demand.needs.erase("dialled");
    EXPECT_THAT(found(machine, demand), IsEmpty());
}

TEST(TableTest, WhatCannotBeReadIsNamed) {
    Machine machine = good();
    machine.sysctls.erase("net.netfilter.nf_conntrack_udp_timeout");
    machine.rp_filters.erase("inside");
    machine.devices[0].gro.reset();
    machine.daemons.pop_back();
    machine.daemons[1].tasks.reset();
    machine.absent_devices = {"outside.8"};
    EXPECT_THAT(found(machine), IsEmpty());
    EXPECT_THAT(check(table(), everything(), machine).unread,
                ElementsAre("device outside.8, which is not there", "rp_filter of inside",
                            "net.netfilter.nf_conntrack_udp_timeout", "TasksMax of xl2tpd",
                            "TasksMax of pptpd, as no process of it is seen here",
                            "generic-receive-offload of inside"));
    machine = good();
    machine.daemons.clear();
    EXPECT_THAT(check(table(), everything(), machine).unread,
                Contains("LimitNOFILE of vpnhad, as no process of it is seen here"));
}

TEST(TableTest, TheFilterInForceIsTheLargerOne) {
    Machine machine = good();
    machine.rp_filters["outside.7"] = "1";
    EXPECT_THAT(found(machine),
                ElementsAre("warning: net.ipv4.conf.outside/7.rp_filter is 1 (strict); set it to 0 "
                            "or 2: a strict filter drops what comes in by another link than the "
                            "one that routes lead back by"));
    machine.rp_filters["all"] = "2";
    EXPECT_THAT(found(machine), IsEmpty());
    machine.rp_filters["all"] = "1";
    machine.rp_filters["outside.7"] = "2";
    EXPECT_THAT(found(machine),
                ElementsAre(StartsWith("warning: net.ipv4.conf.all.rp_filter is 1 (strict); ")));
}

TEST(TableTest, PortsOfDaemonsAreNoConnectionsOwn) {
    Machine machine = good();
    machine.sysctls["net.ipv4.ip_local_port_range"] = "1024 65535";
    EXPECT_THAT(found(machine),
                ElementsAre(StartsWith("warning: net.ipv4.ip_local_port_range is 1024 65535; let "
                                       "it begin above 5420, as 32768 60999: ")));
    machine.sysctls["net.ipv4.ip_local_port_range"] = "5421 65535";
    EXPECT_THAT(found(machine), IsEmpty());
    Demand demand = everything();
    demand.lease_port = 6000;
    EXPECT_EQ(found(machine, demand).size(), 1U);
}

TEST(TableTest, LimitsGoByTheClientsThatThePoolsHaveAddressesFor) {
    Machine machine = good();
    machine.daemons[0].open_files = 4 * 500 + 1023;
    machine.daemons[1].open_files = 1025;
    machine.daemons[2].tasks = 500 + 250 + 511;
    EXPECT_THAT(
        found(machine),
        ElementsAre(
            StartsWith("error: LimitNOFILE of vpnhad is 3023; set it to 3024 or more: "),
            StartsWith("error: LimitNOFILE of xl2tpd is 1025; set its soft limit to 1024: "),
            StartsWith("error: TasksMax of pptpd is 1261; set it to 1262 or to infinity: ")));
    machine.daemons[1].open_files = std::numeric_limits<std::uint64_t>::max();
    EXPECT_THAT(found(machine),
                Contains(StartsWith("error: LimitNOFILE of xl2tpd is unlimited; ")));
    machine = good();
    machine.daemons.push_back({"xl2tpd", 4096, std::nullopt});
    EXPECT_THAT(found(machine), ElementsAre(StartsWith("error: LimitNOFILE of xl2tpd is 4096; ")))
        << "each gateway has one";
}

TEST(TableTest, AKernelWithoutPppOverL2tpIsNamed) {
    Machine machine = good();
    machine.present["module l2tp_ppp"] = false;
    EXPECT_THAT(found(machine),
                ElementsAre("error: module l2tp_ppp is neither built in nor loadable; install a "
                            "kernel that has it, as Debian's linux-image-amd64: without it xl2tpd "
                            "carries sessions in user space, where no gateway keeps them"));
    Demand demand = everything();
    demand.needs.erase("l2tp");
    EXPECT_THAT(found(machine, demand), IsEmpty());
    machine.present.erase("module l2tp_ppp");
    EXPECT_THAT(found(machine), IsEmpty());
    EXPECT_THAT(check(table(), everything(), machine).unread, ElementsAre("module l2tp_ppp"));
}

TEST(TableTest, EachProtocolNamesTheModulesThatItNeeds) {
    const auto missing = [](const std::set<std::string, std::less<>>& needs) {
        Machine machine = good();
        for (auto& [name, is_there] : machine.present) {
            is_there = false;
        }
        Demand demand = everything();
        demand.needs = needs;
        std::string names;
        for (const std::string& line : found(machine, demand)) {
            names += line.substr(0, line.find(" is neither"));
        }
        return names;
    };
    EXPECT_EQ(missing({"ipsec"}), "error: module xfrm_usererror: module esp4");
    EXPECT_EQ(missing({"ESP over IPv6"}), "error: module esp6");
    EXPECT_EQ(missing({"pptp"}), "error: module tunwarning: module ppp_mppe");
    EXPECT_EQ(missing({"wireguard"}), "error: module wireguard");
    EXPECT_EQ(missing({"dialled"}), "error: module ppp_generic");
}

TEST(TableTest, NodesForwardIpv6WhereAPoolIsOfIpv6) {
    config::Config config;
    config.gateways.emplace_back().pools = {*parse_ip_prefix("10.200.1.0/24")};
    Machine machine = good();
    machine.sysctls["net.ipv6.conf.all.forwarding"] = "0";
    EXPECT_FALSE(demand_of(config).needs.contains(kIpv6Pools));
    Demand demand = everything();
    demand.needs.erase("IPv6");
    EXPECT_THAT(found(machine, demand), IsEmpty());
    config.gateways[0].pools.push_back(*parse_ip_prefix("2001:db8:200::/48"));
    EXPECT_TRUE(demand_of(config).needs.contains(kIpv6Pools));
    EXPECT_THAT(found(machine),
                ElementsAre(StartsWith("error: net.ipv6.conf.all.forwarding is 0; set it to 1: ")));
}

TEST(TableTest, EspOverIpv6IsWantedWhereIpsecIsDialledByIpv6) {
    const auto is_wanted = [](const config::Config& config) {
        return demand_of(config).needs.contains(kEspOverIpv6);
    };
    config::Config config;
    config::Gateway& gateway = config.gateways.emplace_back();
    gateway.pools = {*parse_ip_prefix("10.200.1.0/24"), *parse_ip_prefix("2001:db8:200::/48")};
    gateway.inside.addresses = {*parse_ip_prefix("2001:db8:2::100/64")};
    gateway.outside.addresses = {*parse_ip_prefix("192.0.2.100/24")};
    gateway.protocols.serve<ipsec::Table>();
    EXPECT_FALSE(is_wanted(config)) << "IPv6 within ESP over IPv4 needs no module";
    gateway.outside.addresses.push_back(*parse_ip_prefix("2001:db8:1::100/64"));
    EXPECT_TRUE(is_wanted(config));
    gateway.protocols = {};
    gateway.protocols.serve<wireguard::Table>();
    EXPECT_FALSE(is_wanted(config)) << "no ESP";
}

TEST(TableTest, OffloadsAreLookedAtOnEachDevice) {
    Machine machine = good();
    machine.devices[0].lro = true;
    machine.devices[1].gro = false;
    machine.devices[1].tso = false;
    EXPECT_THAT(
        found(machine),
        ElementsAre(
            StartsWith("error: large-receive-offload of inside is on; turn it off: "),
            StartsWith("warning: generic-receive-offload of outside.7 is off; turn it on: "),
            StartsWith("warning: tcp-segmentation-offload of outside.7 is off; turn it on: ")));
}

TEST(TableTest, OneQueueOfHardwareServesOneProcessor) {
    Machine machine = good();
    machine.devices[0].receive_queues = 1;
    EXPECT_THAT(found(machine),
                ElementsAre(StartsWith("warning: receive queues of inside is 1, without RPS, on 4 "
                                       "processors; give it more, or turn RPS on: ")));
    machine.devices[0].steers_by_processor = true;
    EXPECT_THAT(found(machine), IsEmpty());
    machine.devices[0].steers_by_processor = false;
    machine.devices[0].is_hardware = false;
    EXPECT_THAT(found(machine), IsEmpty()) << "a VLAN's packets come by its device's queues";
    machine.devices[0].is_hardware = true;
    machine.processors = 1;
    EXPECT_THAT(found(machine), IsEmpty());
}

TEST(TableTest, InterruptsOfSeveralQueuesAreSpread) {
    Machine machine = good();
    machine.balances_interrupts = false;
    EXPECT_THAT(found(machine), ElementsAre(StartsWith("warning: irqbalance is not running; ")));
    machine.devices[0].receive_queues = machine.devices[1].receive_queues = 1;
    machine.devices[0].steers_by_processor = machine.devices[1].steers_by_processor = true;
    EXPECT_THAT(found(machine), IsEmpty());
}

TEST(TableTest, EachRowReportsHowAndWhy) {
    for (const Row& row : table()) {
        EXPECT_NE(to_string(row.wanted), "") << row.name;
        EXPECT_NE(row.how, "") << row.name;
        EXPECT_NE(row.why, "") << row.name;
        EXPECT_EQ(row.why.find('|'), std::string::npos) << "it breaks the document's table";
    }
}

}  // namespace table_test
}  // namespace vpnha::tuning
