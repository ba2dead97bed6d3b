// SPDX-License-Identifier: GPL-2.0-or-later
// Readers for values in rtnetlink's answers.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/ip.hpp"
#include "host/netlink/netlink.hpp"

namespace vpnha::adapters {

inline constexpr std::uint16_t kCreate = NLM_F_CREATE | NLM_F_EXCL;

inline Result<void> accept(Result<void> outcome, Errc harmless) {
    if (!outcome && outcome.error().code == harmless) {
        return {};
    }
    return outcome;
}

inline std::uint32_t number_in(const nlattr* attribute) {
    return mnl_attr_validate(attribute, MNL_TYPE_U32) == 0 ? mnl_attr_get_u32(attribute) : 0;
}

inline std::uint8_t family_of(const IpAddress& address) {
    return address.is_v4() ? AF_INET : AF_INET6;
}

// Of either family.
inline std::optional<IpAddress> address_in(const nlattr* attribute) {
    const auto* const octets = static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute));
    return ip_address_of({octets, mnl_attr_get_payload_len(attribute)});
}

inline std::string_view text_in(const nlattr* attribute) {
    return mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) == 0 ? mnl_attr_get_str(attribute)
                                                                  : std::string_view();
}

}  // namespace vpnha::adapters
