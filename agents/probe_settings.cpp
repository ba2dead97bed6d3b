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

constexpr std::array<std::string_view, 5> kProtocols{"l2tp", "ike", "ikev1", "ikev2", "pptp"};
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

}  // namespace

Result<ProbeSettings> probe_settings(const ocf::Call& call) {
    ProbeSettings settings;
    std::istringstream words(call.parameter("protocols"));
    for (std::string word; words >> word;) {
        if (std::ranges::find(kProtocols, word) == kProtocols.end()) {
            return fail(Errc::invalid_argument,
                        fmt::format("protocols has \"{}\": {} can be probed", word,
                                    fmt::join(kProtocols, ", ")));
        }
        settings.protocols.push_back(word);
    }
    if (settings.protocols.empty() || settings.protocols.size() > kProtocols.size()) {
        return fail(Errc::invalid_argument, "protocols has to name what clients dial, each once");
    }
    const auto timeout_max =
        static_cast<std::size_t>(kAllProbesMax.count()) / settings.protocols.size();
    VPNHA_TRY(const unsigned timeout, number_of(call, "timeout", timeout_max));
    VPNHA_TRY(settings.failures, number_of(call, "failures", kFailuresMax));
    VPNHA_TRY(const unsigned forget, number_of(call, "forget", kForgetMax));
    VPNHA_TRY(const unsigned port, number_of(call, "l2tp_port", kPortMax));
    settings.timeout = seconds(timeout);
    settings.forget = seconds(forget);
    settings.l2tp_port = std::to_string(port);
    return settings;
}

}  // namespace vpnha::agents
