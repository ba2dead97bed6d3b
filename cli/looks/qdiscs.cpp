// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/looks/qdiscs.hpp"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "host/addresses/each_network.hpp"
#include "host/os/program_output.hpp"
#include "protocols/tables.hpp"

namespace vpnha::cli::looks {

namespace {

using nlohmann::json;

constexpr const char* kTc = "/usr/sbin/tc";
constexpr std::chrono::seconds kPatience{2};
// One packet of a thousand, to ignore the few drops of a device that has just come up.
constexpr std::uint64_t kDroppedMin = 100;
constexpr std::uint64_t kDroppedPart = 1000;

std::string finding_of(const json& qdisc, const std::string& device) {
    const std::string kind = qdisc.value("kind", "");
    if (kind == "netem") {
        return fmt::format(
            "{} has a netem, which delays or loses packets for tests: `tc qdisc del dev {} root`",
            device, device);
    }
    const auto dropped = qdisc.value("drops", std::uint64_t{0});
    const auto sent = qdisc.value("packets", std::uint64_t{0});
    if (dropped < kDroppedMin || dropped * kDroppedPart < sent + dropped) {
        return {};
    }
    return fmt::format(
        "the {} of {} has dropped {} packets, and passed {}: the link is too slow for what is "
        "sent, or the qdisc is to keep it below that (`tc -s qdisc show dev {}`)",
        kind, device, dropped, sent, device);
}

}  // namespace

Result<std::vector<std::string>> find_in_qdiscs(const std::string& listed,
                                                const std::set<std::string>& devices) {
    const json qdiscs = json::parse(listed, nullptr, false);
    if (!qdiscs.is_array()) {
        return fail(Errc::malformed, "tc has printed no list of qdiscs");
    }
    std::vector<std::string> findings;
    for (const json& qdisc : qdiscs) {
        const std::string device = qdisc.value("dev", "");
        const std::string kind = qdisc.value("kind", "");
        if (!devices.contains(device) || kind == "clsact" || kind == "ingress") {
            continue;
        }
        if (std::string finding = finding_of(qdisc, device); !finding.empty()) {
            findings.push_back(std::move(finding));
        }
    }
    return findings;
}

Result<std::vector<std::string>> look_at_qdiscs(const std::string& config_file) {
    VPNHA_TRY(const config::Config config, config::load(config_file));
    std::vector<std::string> findings;
    VPNHA_CHECK(adapters::in_each_network(
        config, [&findings](const config::Config& part, const std::string& where) -> Result<void> {
            std::set<std::string> devices;
            for (const config::Gateway& gateway : part.gateways) {
                devices.insert({gateway.outside.interface, gateway.inside.interface});
            }
            VPNHA_TRY(const std::string listed,
                      adapters::output_of({kTc, "-statistics", "-json", "qdisc", "show"}, kPatience,
                                          adapters::ErrorOutput::dropped));
            VPNHA_TRY(const std::vector<std::string> found, find_in_qdiscs(listed, devices));
            for (const std::string& each : found) {
                findings.push_back(where + each);
            }
            return {};
        }));
    return findings;
}

}  // namespace vpnha::cli::looks
