// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include "base/markup.hpp"
#include "vpnha/ocf.hpp"

namespace vpnha::ocf {

namespace {

// The DTD that ocf-tester validates against knows OCF 1.0 only. These declarations add the
// attributes of 1.1 to it and allow any names of actions.
constexpr std::string_view kPrologue = R"(<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd" [
<!ATTLIST parameter unique-group CDATA #IMPLIED reloadable (0|1) #IMPLIED>
<!ATTLIST action name CDATA #REQUIRED>
]>
)";

std::string described(std::string_view long_text, std::string_view short_text) {
    return fmt::format(
        "<longdesc lang=\"en\">\n{}\n</longdesc>\n<shortdesc lang=\"en\">{}</shortdesc>\n",
        escaped_markup(long_text), escaped_markup(short_text));
}

std::string parameter_element(const Parameter& parameter) {
    std::string attributes = fmt::format("name=\"{}\"", parameter.name);
    if (parameter.required) {
        attributes += " required=\"1\"";
    }
    if (!parameter.unique_group.empty()) {
        attributes += fmt::format(" unique-group=\"{}\"", parameter.unique_group);
    }
    if (parameter.reloadable) {
        attributes += " reloadable=\"1\"";
    }
    const std::string default_value =
        parameter.default_value.empty()
            ? ""
            : fmt::format(" default=\"{}\"", escaped_markup(parameter.default_value));
    return fmt::format("<parameter {}>\n{}<content type=\"{}\"{}/>\n</parameter>\n", attributes,
                       described(parameter.long_text, parameter.short_text), parameter.type,
                       default_value);
}

std::string action_element(const Action& action) {
    std::string attributes =
        fmt::format("name=\"{}\" timeout=\"{}s\"", action.name, action.timeout_s);
    if (action.interval_s != 0) {
        attributes +=
            fmt::format(" interval=\"{}s\" depth=\"{}\"", action.interval_s, action.depth);
    }
    if (!action.role.empty()) {
        attributes += fmt::format(" role=\"{}\"", action.role);
    }
    return fmt::format("<action {}/>\n", attributes);
}

}  // namespace

std::string metadata(const Agent& agent) {
    std::string xml(kPrologue);
    xml += fmt::format("<resource-agent name=\"{}\" version=\"{}\">\n<version>1.1</version>\n",
                       agent.name, VPNHA_AGENTS_VERSION);
    xml += described(agent.long_text, agent.short_text);
    xml += "<parameters>\n";
    for (const Parameter& parameter : agent.parameters) {
        xml += parameter_element(parameter);
    }
    xml += "</parameters>\n<actions>\n";
    for (const Action& action : agent.actions) {
        xml += action_element(action);
    }
    xml += action_element({.name = "meta-data", .timeout_s = 5});
    xml += action_element({.name = "validate-all", .timeout_s = 20});
    xml += "</actions>\n</resource-agent>\n";
    return xml;
}

}  // namespace vpnha::ocf
