// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/session/traffic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "base/ip.hpp"
#include "host/os/network_descriptor.hpp"
#include "protocols/tables.hpp"
#include "services/accounting/backend/device_traffic.hpp"
#include "vpnha/configuration.hpp"

namespace vpnha::cli::session {

namespace {

using nlohmann::json;

bool is_served_here(const json& session) {
    const std::string state = session.at("state").get<std::string>();
    return state != "hot" && state != "quarantined";
}

// The network namespace of the gateway's devices. It is the host's for users who may not read the
// configuration, or may not enter another namespace.
adapters::NetworkNamespace network_of(const std::string& gateway) {
    const auto config = config::load(kConfigurationPath);
    const config::Gateway* const found = config ? config->find(gateway) : nullptr;
    return found == nullptr ? adapters::NetworkNamespace{}
                            : adapters::NetworkNamespace::open(found->netns)
                                  .value_or(adapters::NetworkNamespace{});
}

double now_s() {
    const std::chrono::duration<double> now = std::chrono::steady_clock::now().time_since_epoch();
    return now.count();
}

Reading reading_of(const json& passed) {
    const auto in = passed.at("in").get<std::uint64_t>();
    const auto out = passed.at("out").get<std::uint64_t>();
    const bool are_octets = passed.at("unit") == "octets";
    return {are_octets ? Traffic{.octets_in = in, .octets_out = out}
                       : Traffic{.packets_in = in, .packets_out = out},
            now_s(), are_octets, !are_octets};
}

std::string bits_text(double bits) {
    if (bits < 1000) {
        return fmt::format("{:.0f} bit/s", bits);
    }
    return bits < 1e6 ? fmt::format("{:.1f} kbit/s", bits / 1e3)
                      : fmt::format("{:.1f} Mbit/s", bits / 1e6);
}

}  // namespace

Result<std::optional<Reading>> read_traffic(const json& session) {
    if (!is_served_here(session)) {
        return std::nullopt;
    }
    if (session.contains("passed")) {
        return reading_of(session.at("passed"));
    }
    const auto address = parse_ip(session.at("address").get<std::string>());
    const auto client = address ? address->v4() : std::nullopt;
    if (!client) {
        return std::nullopt;
    }
    const adapters::NetworkNamespace network = network_of(session.at("gateway").get<std::string>());
    const adapters::InNetwork within(network);
    VPNHA_TRY(const auto devices, adapters::read_device_traffic());
    const auto found = std::ranges::find(devices, *client, &node::DeviceTraffic::client);
    if (found == devices.end()) {
        return std::nullopt;
    }
    return Reading{found->traffic, now_s()};
}

Rate rate_of(const Reading& before, const Reading& after) {
    const double seconds = after.at_s - before.at_s;
    if (seconds <= 0) {
        return {};
    }
    const Traffic passed = passed_between(before.traffic, after.traffic);
    return {8 * static_cast<double>(passed.octets_in) / seconds,
            8 * static_cast<double>(passed.octets_out) / seconds,
            static_cast<double>(passed.packets_in) / seconds,
            static_cast<double>(passed.packets_out) / seconds};
}

json traffic_json(const Reading& reading, const Rate& rate) {
    json traffic = json::object();
    if (reading.has_octets) {
        traffic.update({{"octets_in", reading.traffic.octets_in},
                        {"octets_out", reading.traffic.octets_out},
                        {"bits_in_per_s", rate.bits_in},
                        {"bits_out_per_s", rate.bits_out}});
    }
    if (reading.has_packets) {
        traffic.update({{"packets_in", reading.traffic.packets_in},
                        {"packets_out", reading.traffic.packets_out},
                        {"packets_in_per_s", rate.packets_in},
                        {"packets_out_per_s", rate.packets_out}});
    }
    return traffic;
}

std::string render_traffic(const Reading& reading, const Rate& rate) {
    const auto line = [&reading](const char* name, std::uint64_t octets, std::uint64_t packets,
                                 double bits_now, double packets_now) {
        std::vector<std::string> all;
        std::vector<std::string> now;
        if (reading.has_octets) {
            all.push_back(fmt::format("{} octets", octets));
            now.push_back(bits_text(bits_now));
        }
        if (reading.has_packets) {
            all.push_back(fmt::format("{} packets", packets));
            now.push_back(fmt::format("{:.0f} packets/s", packets_now));
        }
        return fmt::format("{:<12} {}; now {}\n", name, fmt::join(all, " in "),
                           fmt::join(now, ", "));
    };
    const Traffic& all = reading.traffic;
    return line("received", all.octets_in, all.packets_in, rate.bits_in, rate.packets_in) +
           line("sent", all.octets_out, all.packets_out, rate.bits_out, rate.packets_out);
}

}  // namespace vpnha::cli::session
