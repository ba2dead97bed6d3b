// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/ppp_options.hpp"

namespace vpnha::probe {

namespace {

constexpr std::size_t kOptionHeaderBytes = 2;

}  // namespace

std::optional<std::vector<PppOption>> parse_ppp_options(ByteView octets) {
    std::vector<PppOption> options;
    while (!octets.empty()) {
        const std::size_t size = octets.size() < kOptionHeaderBytes ? 0 : octets[1];
        // An option shorter than its own header would make no progress.
        if (size < kOptionHeaderBytes || size > octets.size()) {
            return std::nullopt;
        }
        options.push_back({octets[0], octets.subspan(kOptionHeaderBytes, size - kOptionHeaderBytes),
                           octets.first(size)});
        octets = octets.subspan(size);
    }
    return options;
}

}  // namespace vpnha::probe
