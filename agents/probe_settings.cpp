// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

#include "base/number.hpp"

namespace vpnha::agents {

namespace {

using std::chrono::seconds;

struct Probed {
    std::string_view protocol;
    std::string_view daemon;
    std::string_view port{};  // The parameter that has it.
};
constexpr std::array kProbed{Probed{"l2tp", "xl2tpd", "l2tp_port"}, Probed{"ike", "charon"},
                             Probed{"ikev1", "charon"}, Probed{"ikev2", "charon"},
                             Probed{"pptp", "pptpd"}};
constexpr unsigned kFailuresMax = 100;
constexpr unsigned kForgetMax = 86'400;
constexpr unsigned kPortMax = 65'535;

Result<unsigned> number_of(const ocf::Call& call, std::string_view name, std::size_t max) {
    const std::string text = call.parameter(name);
    const auto number = parse_whole<unsigned>(text);
    if (!number || *number == 0 || *number > max) {
        return fail(Errc::invalid_argument,
                    fmt::format("{} is \"{}\": it has to be 1 to {}", name, text, max));
    }
    return *number;
}

std::string names_of_probed() {
    std::string names;
    for (const Probed& each : kProbed) {
        names += names.empty() ? "" : ", ";
        names += each.protocol;
    }
    return names;
}

}  // namespace

ocf::Parameter protocols_parameter() {
    return {.name = "protocols",
            .required = true,
            .reloadable = true,
            .short_text = "Protocols",
            .long_text =
                "What clients dial, with blanks between: l2tp, ike, ikev1, ikev2, pptp. "
                "All of them have to answer. ike is IKEv2, and IKEv1 where that is "
                "refused."};
}

ocf::Parameter port_parameter() {
    return {.name = kProbed.front().port,
            .type = "integer",
            .default_value = "1701",
            .reloadable = true,
            .short_text = "Port of L2TP",
            .long_text = "As in vpnha.toml and xl2tpd.conf."};
}

Result<ProbeSettings> probe_settings(const ocf::Call& call) {
    ProbeSettings settings;
    std::istringstream words(call.parameter("protocols"));
    for (std::string word; words >> word;) {
        const auto* const probed = std::ranges::find(kProbed, word, &Probed::protocol);
        if (probed == kProbed.end()) {
            return fail(
                Errc::invalid_argument,
                fmt::format("protocols has \"{}\": {} can be probed", word, names_of_probed()));
        }
        ProbeSettings::Server server{word, probed->daemon, {}};
        if (!probed->port.empty()) {
            VPNHA_TRY(const unsigned port, number_of(call, probed->port, kPortMax));
            server.more = {"--port", std::to_string(port)};
        }
        settings.servers.push_back(std::move(server));
    }
    if (settings.servers.empty() || settings.servers.size() > kProbed.size()) {
        return fail(Errc::invalid_argument, "protocols has to name what clients dial, each once");
    }
    const auto timeout_max =
        static_cast<std::size_t>(kAllProbesMax.count()) / settings.servers.size();
    VPNHA_TRY(const unsigned timeout, number_of(call, "timeout", timeout_max));
    VPNHA_TRY(settings.failures, number_of(call, "failures", kFailuresMax));
    VPNHA_TRY(const unsigned forget, number_of(call, "forget", kForgetMax));
    settings.timeout = seconds(timeout);
    settings.forget = seconds(forget);
    return settings;
}

}  // namespace vpnha::agents
