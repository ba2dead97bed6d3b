// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/errors.hpp"

#include <fmt/format.h>

namespace vpnha::config {

namespace {

std::string place(const Section& section, std::string_view gateway, std::string_view key) {
    return fmt::format("{}:{}", header_of(section, gateway), key);
}

}  // namespace

std::string header_of(const Section& section, std::string_view gateway) {
    if (section == Section::gateway) {
        return fmt::format("gateway.{}", gateway);
    }
    return section.is_per_gateway ? fmt::format("gateway.{}.{}", gateway, section.name)
                                  : std::string(section.name);
}

void Errors::set_line(const Section& section, std::string_view gateway, std::string_view key,
                      std::uint32_t line) {
    lines_[place(section, gateway, key)] = line;
}

void Errors::add(const Section& section, std::string_view gateway, std::string_view key,
                 std::string_view what) {
    auto found = lines_.find(place(section, gateway, key));
    if (found == lines_.end()) {
        found = lines_.find(place(section, gateway, ""));
    }
    add_at(found == lines_.end() ? 1 : found->second, what);
}

}  // namespace vpnha::config
