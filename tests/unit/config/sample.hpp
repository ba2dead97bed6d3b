// SPDX-License-Identifier: GPL-2.0-or-later
// A small good vpnha.toml, and the error that a changed one gives.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "protocols/tables.hpp"

namespace vpnha::config {

inline const std::string kSample = R"([gateway.dialin]
id = 1
ppp_local = "10.200.0.1"
pools = ["10.200.1.0/24", "10.200.2.0/24"]
[gateway.dialin.outside]
interface = "eth1"
addresses = ["192.0.2.100/24"]
[gateway.dialin.inside]
interface = "eth2"
addresses = ["198.51.100.100/24"]
[gateway.dialin.l2tp]
)";

// A second gateway that clashes with the first in nothing.
inline const std::string kSecond = R"([gateway.other]
id = 2
ppp_local = "10.201.0.1"
pools = ["10.201.1.0/24"]
[gateway.other.outside]
interface = "eth1"
addresses = ["192.0.2.101/24"]
[gateway.other.inside]
interface = "eth2"
[gateway.other.l2tp]
)";

// `text` with the first `from` replaced by `to`.
inline std::string changed(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

// The error's text, or "" when the file is good.
inline std::string error_of(const std::string& toml) {
    const Result<Config> config = parse(toml, "vpnha.toml");
    if (config) {
        return "";
    }
    EXPECT_EQ(config.error().code, Errc::invalid_config);
    return config.error().detail;
}

}  // namespace vpnha::config
