// SPDX-License-Identifier: GPL-2.0-or-later
// The members of a configuration that keys set, and their values as text in vpnha.toml.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <concepts>
#include <string>
#include <type_traits>
#include <vector>

#include "config/keys.hpp"
#include "config/values.hpp"

namespace vpnha::config {

template <class Member>
void assign(Member& to, const Value& value) {
    if constexpr (std::is_same_v<Member, GatewayId>) {
        assign(to.value, value);
    } else if constexpr (std::integral<Member> && !std::is_same_v<Member, bool>) {
        to = static_cast<Member>(std::get<std::int64_t>(value));
    } else {
        to = std::get<Member>(value);
    }
}

template <class Member>
std::string shown(const Member& member) {
    if constexpr (std::is_same_v<Member, bool>) {
        return member ? "true" : "false";
    } else if constexpr (std::is_same_v<Member, GatewayId>) {
        return shown(member.value);
    } else if constexpr (std::integral<Member>) {
        return std::to_string(member);
    } else if constexpr (std::is_same_v<Member, std::string>) {
        return fmt::format("\"{}\"", member);
    } else if constexpr (std::is_same_v<Member, std::chrono::milliseconds>) {
        return shown(to_text(member));
    } else {
        return shown(to_string(member));
    }
}
template <class Element>
std::string shown(const std::vector<Element>& list) {
    std::string text;
    for (const Element& each : list) {
        text += (text.empty() ? "" : ", ") + shown(each);
    }
    return fmt::format("[{}]", text);
}

template <class Class, class Member>
Class class_of(Member Class::*);

// The member of the configuration, of the gateway, or of its table of a protocol.
template <auto kMember, class AnyConfig, class AnyGateway>
auto& member_of(AnyConfig& config, AnyGateway& gateway) {
    using Class = decltype(class_of(kMember));
    if constexpr (std::is_same_v<Class, Config>) {
        return config.*kMember;
    } else if constexpr (std::is_same_v<Class, Gateway>) {
        return gateway.*kMember;
    } else {
        return gateway.protocols.template get<Class>()->*kMember;
    }
}

// at<&Gateway::outside, &Side::interface>(): that member of the gateway's outside.
template <auto kMember, auto... kWithin>
constexpr Place at() {
    return {[](Config& config, Gateway& gateway, const Value& value) {
                assign((member_of<kMember>(config, gateway).*....*kWithin), value);
            },
            [](const Config& config, const Gateway& gateway) {
                return shown((member_of<kMember>(config, gateway).*....*kWithin));
            }};
}

}  // namespace vpnha::config
