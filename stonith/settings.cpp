// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings.hpp"

#include <fmt/format.h>
#include <getopt.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/markup.hpp"
#include "base/number.hpp"
#include "vpnha/control.hpp"

namespace vpnha::stonith {

namespace {

constexpr int kTimeoutMax = 60;  // Seconds.
// The node that serves less waits for 5 s, and a mark takes 0.52 s.
constexpr int kDuelTimeoutMin = 7;
constexpr int kDelayMax = 30'000;  // Milliseconds.
constexpr int kWaitMax = 600;      // Seconds.
// Of an option without a letter: beyond all of them.
constexpr char kNoLetter = 0;

enum class Type { text, flag, number, mode };

struct Parameter {
    const char* name;
    char letter;  // Or kNoLetter.
    Type type;
    const char* fallback;
    bool shown;  // In the metadata; what is not is taken for the cluster's and scripts' sake.
    const char* text;
};

constexpr std::array<Parameter, 15> kParameters{{
    {"action", 'o', Type::text, "off", true, "Fencing action"},
    {"plug", 'n', Type::text, "", true, "Node to be fenced, as corosync.conf calls it"},
    {"nodename", 'N', Type::text, "", false, "The same, when there is no plug"},
    {"port", kNoLetter, Type::text, "", false, "The same, when there is neither"},
    {"socket", 's', Type::text, kControlSocketPath, true, "Control socket of vpnhad on this node"},
    {"timeout", 't', Type::number, "5", true,
     "Seconds after which a fencing that is not confirmed has failed"},
    {"gated_only", 'g', Type::flag, "0", true,
     "Report the victim as off although resources other than vpnha's gateways are configured, "
     "ocf:vpnha:vip among them: whatever they do there is not ended by this agent"},
    {"mode", 'm', Type::mode, "revoke", true,
     "revoke: a majority of three voters or more takes the victim's leases back. In a cluster of "
     "two nodes, in one level of the topology with a power device: duel, before it, does the same "
     "where a witness votes, which lets one of two nodes through that lose each other; yield, "
     "before it, waits unless this node serves the gateways, so that the two do not switch each "
     "other off; confirm, behind it, confirms to vpnhad that the other node is off"},
    {"delay", kNoLetter, Type::number, "0", true, "Seconds before off begins"},
    {"delay_ms", 'd', Type::number, "1700", true,
     "With mode=yield: milliseconds after the loss of the victim before which a node that serves "
     "nothing does not continue"},
    {"cibadmin_path", 'c', Type::text, "/usr/sbin/cibadmin", true,
     "Program that shows the resources of the cluster"},
    {"verbose", 'v', Type::flag, "0", false, "Ignored"},
    {"debug", 'D', Type::text, "", false, "Ignored"},
    {"version", 'V', Type::flag, "0", false, "The version of vpnha"},
    {"help", 'h', Type::flag, "0", false, "This text"},
}};

constexpr std::array<const char*, 7> kActions{"off",         "status",   "monitor",     "list",
                                              "list-status", "metadata", "validate-all"};

const Parameter* parameter(const std::string& name) {
    const auto* const found =
        std::find_if(kParameters.begin(), kParameters.end(),
                     [&](const Parameter& each) { return each.name == name; });
    return found == kParameters.end() ? nullptr : found;
}

std::string value_of(const Given& given, const char* name) {
    const auto found = given.find(name);
    return found == given.end() ? parameter(name)->fallback : found->second;
}

Result<bool> flag_of(const Given& given, const char* name) {
    std::string value = value_of(given, name);
    std::transform(value.begin(), value.end(), value.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    for (const char* const yes : {"1", "yes", "true", "on"}) {
        if (value == yes) {
            return true;
        }
    }
    for (const char* const no : {"", "0", "no", "false", "off"}) {
        if (value == no) {
            return false;
        }
    }
    return fail(Errc::invalid_argument, fmt::format("{}={} is neither 1 nor 0", name, value));
}

Result<Mode> mode_of(const Given& given) {
    const std::string mode = value_of(given, "mode");
    for (const auto& [name, value] : {std::pair("revoke", Mode::revoke),
                                      {"duel", Mode::duel},
                                      {"yield", Mode::yield},
                                      {"confirm", Mode::confirm}}) {
        if (mode == name) {
            return value;
        }
    }
    return fail(Errc::invalid_argument,
                fmt::format("mode={} is none of revoke, duel, yield and confirm", mode));
}

Result<int> number_of(const Given& given, const char* name, const char* unit, int least, int most) {
    const std::string value = value_of(given, name);
    const auto number = parse_whole<int>(value);
    if (!number || *number < least || *number > most) {
        return fail(Errc::invalid_argument, fmt::format("{}={} is no number of {} from {} to {}",
                                                        name, value, unit, least, most));
    }
    return *number;
}

std::string content_of(const Parameter& each) {
    switch (each.type) {
        case Type::text:
            return fmt::format(R"(<content type="string" default="{}"/>)",
                               escaped_markup(each.fallback));
        case Type::number:
            return fmt::format(R"(<content type="integer" default="{}"/>)", each.fallback);
        case Type::flag:
            return fmt::format(R"(<content type="boolean" default="{}"/>)", each.fallback);
        case Type::mode:
            return fmt::format(R"(<content type="select" default="{}"><option value="revoke"/>)"
                               R"(<option value="duel"/><option value="yield"/>)"
                               R"(<option value="confirm"/></content>)",
                               each.fallback);
    }
    return "";
}

std::string dashed(const char* name) {
    std::string option(name);
    std::replace(option.begin(), option.end(), '_', '-');
    return option;
}

// "-o, --action", or "--delay".
std::string words_of(const Parameter& each) {
    return each.letter == kNoLetter ? fmt::format("--{}", dashed(each.name))
                                    : fmt::format("-{}, --{}", each.letter, dashed(each.name));
}

// getopt_long() takes a part of a name for all of it: `--delay-m`, and `--del` as soon as one name
// alone begins so.
Result<void> refuse_abbreviations(int count, char** words) {
    for (int i = 1; i < count; ++i) {
        const std::string_view word(words[i]);
        const std::string_view name = word.substr(0, word.find('='));
        const bool is_whole =
            std::any_of(kParameters.begin(), kParameters.end(),
                        [name](const Parameter& each) { return name == "--" + dashed(each.name); });
        if (name.starts_with("--") && !is_whole) {
            return fail(Errc::invalid_argument,
                        fmt::format("{} is no option; --help shows all options", name));
        }
    }
    return {};
}

}  // namespace

Given read_lines(std::istream& lines) {
    Given given;
    for (std::string line; std::getline(lines, line);) {
        const std::size_t start = std::min(line.find_first_not_of(" \t"), line.size());
        const std::size_t end = line.find_last_not_of(" \t\r") + 1;
        const std::size_t equals = line.find('=', start);
        if (equals >= end || line[start] == '#') {
            continue;
        }
        std::string name = line.substr(start, equals - start);
        if (parameter(name == "option" ? "action" : name) != nullptr) {
            given[name == "option" ? "action" : name] = line.substr(equals + 1, end - equals - 1);
        }
    }
    return given;
}

Result<Given> read_options(int count, char** words) {
    VPNHA_CHECK(refuse_abbreviations(count, words));
    // What getopt_long() returns of an option: its place here, behind all letters.
    constexpr int kFirst = 256;
    std::vector<std::string> names;
    std::string letters = ":";
    for (const Parameter& each : kParameters) {
        names.push_back(dashed(each.name));
        if (each.letter != kNoLetter) {
            letters += each.letter;
            letters += each.type == Type::flag ? "" : ":";
        }
    }
    std::vector<option> options;
    for (std::size_t i = 0; i < kParameters.size(); ++i) {
        const bool is_flag = kParameters.at(i).type == Type::flag;
        options.push_back({names[i].c_str(), is_flag ? no_argument : required_argument, nullptr,
                           kFirst + static_cast<int>(i)});
    }
    options.push_back({nullptr, 0, nullptr, 0});
    Given given;
    opterr = 0;
    for (int code = 0;
         // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread yet.
         (code = getopt_long(count, words, letters.c_str(), options.data(), nullptr)) != -1;) {
        const auto* const found =
            code >= kFirst
                ? kParameters.begin() + (code - kFirst)
                : std::find_if(kParameters.begin(), kParameters.end(),
                               [code](const Parameter& each) { return each.letter == code; });
        if (found == kParameters.end()) {
            return fail(Errc::invalid_argument,
                        fmt::format("{} {}; --help shows all options", words[optind - 1],
                                    code == ':' ? "wants a value" : "is no option"));
        }
        given[found->name] = found->type == Type::flag ? "1" : optarg;
    }
    if (optind < count) {
        return fail(Errc::invalid_argument,
                    fmt::format("{} is no option; --help shows all of them", words[optind]));
    }
    return given;
}

Result<Settings> settings_of(const Given& given) {
    Settings settings;
    settings.action = value_of(given, "action");
    for (const char* const name : {"plug", "nodename", "port"}) {
        if (settings.plug.empty()) {
            settings.plug = value_of(given, name);
        }
    }
    settings.socket = value_of(given, "socket");
    settings.cibadmin_path = value_of(given, "cibadmin_path");
    VPNHA_TRY(settings.gated_only, flag_of(given, "gated_only"));
    VPNHA_TRY(settings.help, flag_of(given, "help"));
    VPNHA_TRY(settings.version, flag_of(given, "version"));
    VPNHA_TRY(settings.mode, mode_of(given));
    const int least = settings.mode == Mode::duel ? kDuelTimeoutMin : 1;
    VPNHA_TRY(const int seconds, number_of(given, "timeout", "seconds", least, kTimeoutMax));
    settings.timeout = std::chrono::seconds(seconds);
    VPNHA_TRY(const int wait, number_of(given, "delay", "seconds", 0, kWaitMax));
    settings.wait = std::chrono::seconds(wait);
    VPNHA_TRY(const int delay, number_of(given, "delay_ms", "milliseconds", 0, kDelayMax));
    settings.delay = std::chrono::milliseconds(delay);
    return settings;
}

std::string metadata() {
    std::string xml =
        "<?xml version=\"1.0\" ?>\n"
        "<resource-agent name=\"fence_vpnha\" shortdesc=\"Takes a node's leases on vpnha's "
        "gateways away\">\n"
        "<longdesc>Asks vpnhad of this node to have a majority of the nodes mark the present boot "
        "of the victim: it is granted no lease on a gateway any more, and off is answered when all "
        "promises to it have run out, 0.52 s after the last answer to it. The victim that learns "
        "of it resets itself. Only the gateways of vpnha are ended by that, so the agent refuses "
        "where the cluster has other resources, ocf:vpnha:vip among them, with fewer than three "
        "voters, and with a quorum device; put power fencing into the next level of the topology. "
        "It switches nothing on, and does not reboot: set pcmk_reboot_action=off. What it does "
        "beside a power device in a cluster of two nodes depends on its mode.</longdesc>\n"
        "<vendor-url>https://vpnha.example/</vendor-url>\n<parameters>\n";
    for (const Parameter& each : kParameters) {
        if (each.shown) {
            xml += fmt::format(
                "<parameter name=\"{0}\" unique=\"0\" required=\"{1}\">\n"
                "<getopt mixed=\"{2}{3}\"/>\n{4}\n"
                "<shortdesc lang=\"en\">{5}</shortdesc>\n</parameter>\n",
                each.name, std::strcmp(each.name, "action") == 0 ? 1 : 0, words_of(each),
                each.type == Type::flag ? "" : fmt::format("=[{}]", each.name), content_of(each),
                escaped_markup(each.text));
        }
    }
    xml += "</parameters>\n<actions>\n";
    for (const char* const action : kActions) {
        xml += fmt::format("<action name=\"{}\"/>\n", action);
    }
    return xml + "</actions>\n</resource-agent>\n";
}

std::string usage() {
    std::string text = "Usage: fence_vpnha [options], or without any key=value lines on stdin\n";
    for (const Parameter& each : kParameters) {
        text += fmt::format("  {:<20} {}\n", words_of(each), each.text);
    }
    return text;
}

}  // namespace vpnha::stonith
