// SPDX-License-Identifier: GPL-2.0-or-later
#include "vpnha/result.hpp"

#include <fmt/format.h>

#include <system_error>

namespace vpnha {

std::string_view to_string(Errc code) {
    switch (code) {
        case Errc::invalid_argument:
            return "invalid_argument";
        case Errc::invalid_config:
            return "invalid_config";
        case Errc::malformed:
            return "malformed";
        case Errc::unsupported:
            return "unsupported";
        case Errc::not_found:
            return "not_found";
        case Errc::already_exists:
            return "already_exists";
        case Errc::permission:
            return "permission";
        case Errc::unreachable:
            return "unreachable";
        case Errc::busy:
            return "busy";
        case Errc::limit:
            return "limit";
        case Errc::stale_epoch:
            return "stale_epoch";
        case Errc::timeout:
            return "timeout";
        case Errc::system:
            return "system";
    }
    return "unknown";
}

Error system_error(std::string_view what, int error_number) {
    return Error{Errc::system,
                 fmt::format("{}: {}", what, std::generic_category().message(error_number))};
}

}  // namespace vpnha
