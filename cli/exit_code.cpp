// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/exit_code.hpp"

#include <algorithm>
#include <ostream>
#include <string_view>

#include "cli/table.hpp"

namespace vpnha::cli {

ExitCode exit_code_for(Errc code) {
    switch (code) {
        case Errc::invalid_argument:
            return ExitCode::usage;
        case Errc::unreachable:
        case Errc::timeout:
            return ExitCode::unreachable;
        case Errc::permission:
            return ExitCode::not_permitted;
        case Errc::not_found:
            return ExitCode::not_found;
        case Errc::invalid_config:
        case Errc::malformed:
        case Errc::unsupported:
        case Errc::already_exists:
        case Errc::busy:
        case Errc::limit:
        case Errc::stale_epoch:
        case Errc::system:
            return ExitCode::failed;
    }
    return ExitCode::failed;
}

ExitCode report(const Error& error, std::ostream& err) {
    // A configuration has a line for each of its errors.
    std::string_view rest = error.detail;
    do {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        err << "vpnha: " << printable(rest.substr(0, end)) << "\n";
        rest.remove_prefix(std::min(end + 1, rest.size()));
    } while (!rest.empty());
    return exit_code_for(error.code);
}

}  // namespace vpnha::cli
