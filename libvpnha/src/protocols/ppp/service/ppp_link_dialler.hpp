// SPDX-License-Identifier: GPL-2.0-or-later
// The programs that dial outgoing links: a row for each possible protocol. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocols/ppp/service/ppp_link_settings.hpp"

namespace vpnha::adapters {

struct PppLinkDialler {
    std::string_view protocol;  // As an administrator writes it.
    const char* program;
    const char* package;    // Debian's.
    bool has_mppe = false;  // Unless an administrator sets it otherwise.
    // Options for pppd, which keeps the link, to reach the peer. nullptr: the program keeps it.
    std::string (*options)(const PppLinkSettings& settings) = nullptr;
    // For a program that keeps the link and starts pppd: its configuration and its arguments.
    std::string (*config)(const PppLinkSettings& settings, const PppLinkPlaces& places) = nullptr;
    std::vector<std::string> (*arguments)(const PppLinkPlaces& places) = nullptr;

    [[nodiscard]] bool keeps_link() const { return arguments != nullptr; }
};

// nullptr: a link cannot have it.
[[nodiscard]] const PppLinkDialler* find_ppp_link_dialler(std::string_view protocol);
// Whether it is a program that keeps links.
[[nodiscard]] bool keeps_ppp_links(std::string_view program);

}  // namespace vpnha::adapters
