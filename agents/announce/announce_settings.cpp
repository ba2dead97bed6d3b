// SPDX-License-Identifier: GPL-2.0-or-later
#include "announce/announce_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/limits.hpp"

namespace vpnha::agents {

using nlohmann::json;

namespace {

std::vector<std::string> texts_of(const std::vector<IpPrefix>& prefixes) {
    std::vector<std::string> texts;
    for (const IpPrefix& prefix : prefixes) {
        texts.push_back(to_string(prefix));
    }
    return texts;
}

Result<std::vector<IpPrefix>> prefixes_of(const std::string& text) {
    std::vector<IpPrefix> prefixes;
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        const auto prefix = parse_ip_prefix(word);
        if (!prefix) {
            return fail(Errc::invalid_argument, "prefixes: " + prefix.error().detail);
        }
        const IpPrefix net{prefix->address.masked(prefix->length), prefix->length};
        if (net != *prefix) {
            return fail(
                Errc::invalid_argument,
                fmt::format("prefixes has {}, which is an address of {}", word, to_string(net)));
        }
        if (std::ranges::find(prefixes, net) != prefixes.end()) {
            return fail(Errc::invalid_argument, fmt::format("prefixes has {} twice", word));
        }
        prefixes.push_back(net);
    }
    if (prefixes.size() > limits::kPoolsPerGatewayMax) {
        return fail(Errc::invalid_argument,
                    fmt::format("prefixes has {} of them; {} is the most", prefixes.size(),
                                limits::kPoolsPerGatewayMax));
    }
    return prefixes;
}

}  // namespace

std::string AnnounceSettings::text() const {
    return json{{"gateway", gateway},
                {"config", config},
                {"interface", interface},
                {"prefixes", texts_of(prefixes)},
                {"command", command}}
        .dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<AnnounceSettings> AnnounceSettings::of_text(const std::string& text) {
    const json read = json::parse(text, nullptr, false);
    if (!read.is_object()) {
        return std::nullopt;
    }
    AnnounceSettings settings{.gateway = read.value("gateway", ""),
                              .config = read.value("config", ""),
                              .interface = read.value("interface", ""),
                              .prefixes = {},
                              .command = read.value("command", std::vector<std::string>())};
    for (const std::string& each : read.value("prefixes", std::vector<std::string>())) {
        if (const auto prefix = parse_ip_prefix(each)) {
            settings.prefixes.push_back(*prefix);
        }
    }
    return settings;
}

Result<AnnounceSettings> announce_settings(const ocf::Call& call) {
    AnnounceSettings settings{.gateway = call.parameter("gateway"),
                              .config = call.parameter("vpnha_config"),
                              .interface = call.parameter("interface"),
                              .prefixes = {},
                              .command = {}};
    VPNHA_TRY(settings.prefixes, prefixes_of(call.parameter("prefixes")));
    const std::string command = call.parameter("command");
    if (settings.prefixes.empty() && command.empty()) {
        return fail(Errc::invalid_argument,
                    "neither prefixes nor command is given, so there is nothing to announce");
    }
    if (!command.empty() && command.front() != '/') {
        return fail(Errc::invalid_argument,
                    fmt::format("command is \"{}\": it has to be an absolute path", command));
    }
    if (!command.empty()) {
        settings.command = texts_of(settings.prefixes);
        settings.command.insert(settings.command.begin(), {command, settings.gateway});
    }
    return settings;
}

}  // namespace vpnha::agents
