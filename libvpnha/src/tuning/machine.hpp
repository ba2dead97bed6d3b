// SPDX-License-Identifier: GPL-2.0-or-later
// The input of the table of tuning: what a configuration needs of a node, and what was read from
// the node. Pure: host/os/tuning_settings.hpp reads.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace vpnha::tuning {

// Names in Demand::needs beside those of the protocols' tables.
inline constexpr std::string_view kFlows = "flows";      // A gateway replicates them.
inline constexpr std::string_view kDialled = "dialled";  // A gateway has sessions with a pppd.
inline constexpr std::string_view kIpv6Pools = "IPv6";   // A gateway has a pool of IPv6.
// A gateway of IPsec has an outside address of IPv6.
inline constexpr std::string_view kEspOverIpv6 = "ESP over IPv6";

struct Demand {
    std::set<std::string, std::less<>> needs{};
    std::vector<std::string> daemons{};  // The stock ones whose sessions have a pppd.
    // The number of addresses in the pools of all gateways, or the capacity of a gateway's replica.
    std::uint64_t clients = 0;
    std::uint64_t tasks = 0;  // Of the clients, if each has dialled the protocol with most tasks.
    std::uint16_t lease_port = 0;
    std::set<std::string> devices{};  // The gateways', outside and inside.
};

[[nodiscard]] Demand demand_of(const config::Config& config);

// nullopt: this process could not read it, or it does not exist here.
struct Machine {
    struct Device {
        std::string name;
        std::optional<bool> lro;
        std::optional<bool> gro;
        std::optional<bool> tso;
        bool is_hardware = false;          // No other device is below it.
        unsigned receive_queues = 0;       // Of hardware only.
        bool steers_by_processor = false;  // RPS: a queue's packets go to several processors.
    };
    struct Daemon {
        std::string name;
        std::optional<std::uint64_t> open_files;  // The soft limit; the largest number: none.
        std::optional<std::uint64_t> tasks;       // The least of its cgroups; the same.
    };

    // By the name for sysctl(8); none: not readable.
    std::map<std::string, std::string> sysctls;
    // net.ipv4.conf.DEVICE.rp_filter by its device, "all" and "default" among them.
    std::map<std::string, std::string> rp_filters;
    std::vector<Device> devices;  // The gateways', and the devices below them.
    std::set<std::string> absent_devices;
    std::vector<Daemon> daemons;  // vpnhad and those of the demand, as far as they run here.
    unsigned processors = 1;
    bool balances_interrupts = false;  // irqbalance runs.
    // By the name of the row that needs a socket or a module: the kernel has it, or loads it.
    std::map<std::string, bool> present{};
};

}  // namespace vpnha::tuning
