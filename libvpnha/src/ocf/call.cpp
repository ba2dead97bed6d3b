// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/assert.hpp"
#include "ocf/log.hpp"
#include "vpnha/ocf.hpp"

namespace vpnha::ocf {

Call::Call(const Agent& agent, std::string action, Environment environment)
    : agent_(agent), action_(std::move(action)), environment_(std::move(environment)) {}

std::string Call::parameter(std::string_view name) const {
    const auto known =
        std::find_if(agent_.parameters.begin(), agent_.parameters.end(),
                     [name](const Parameter& parameter) { return parameter.name == name; });
    VPNHA_ASSERT(known != agent_.parameters.end());
    const auto value = environment_(fmt::format("OCF_RESKEY_{}", name));
    return value && !value->empty() ? *value : std::string(known->default_value);
}

std::string Call::instance() const {
    std::string name = environment_("OCF_RESOURCE_INSTANCE").value_or("");
    return name.substr(0, name.find(':'));
}

bool Call::is_probe() const {
    return action_ == "monitor" &&
           environment_("OCF_RESKEY_CRM_meta_interval").value_or("0") == "0";
}

int Call::check_level() const {
    const std::string text = environment_("OCF_CHECK_LEVEL").value_or("");
    int level = 0;
    std::from_chars(text.data(), text.data() + text.size(), level);
    return level;
}

std::chrono::milliseconds Call::timeout() const {
    const std::string text = environment_("OCF_RESKEY_CRM_meta_timeout").value_or("");
    std::chrono::milliseconds::rep milliseconds = 0;
    std::from_chars(text.data(), text.data() + text.size(), milliseconds);
    if (milliseconds > 0) {
        return std::chrono::milliseconds(milliseconds);
    }
    const auto known =
        std::find_if(agent_.actions.begin(), agent_.actions.end(),
                     [this](const Action& action) { return action.name == action_; });
    return std::chrono::seconds(known == agent_.actions.end() ? Action{}.timeout_s
                                                              : known->timeout_s);
}

void Call::log(Level level, std::string_view text) const {
    write_log(environment_, fmt::format("{}({})", agent_.name, instance()), level, text);
}

Outcome outcome_of(const Error& error) {
    switch (error.code) {
        case Errc::invalid_argument:
        case Errc::invalid_config:
            return {Code::arguments, error.detail};
        case Errc::permission:
            return {Code::permission, error.detail};
        case Errc::unsupported:
            return {Code::installed, error.detail};
        default:
            return {Code::error, error.detail};
    }
}

}  // namespace vpnha::ocf
