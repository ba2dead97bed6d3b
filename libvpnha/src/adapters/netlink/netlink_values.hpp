// SPDX-License-Identifier: GPL-2.0-or-later
// What rtnetlink's answers are read with.
#pragma once

#include <cstdint>
#include <string_view>

#include "adapters/netlink/netlink.hpp"

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

inline std::string_view text_in(const nlattr* attribute) {
    return mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) == 0 ? mnl_attr_get_str(attribute)
                                                                  : std::string_view();
}

}  // namespace vpnha::adapters
