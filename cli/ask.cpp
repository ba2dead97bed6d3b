// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/ask.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "cli/replaced_file.hpp"
#include "vpnha/control.hpp"
#include "vpnha/version.hpp"

namespace vpnha::cli {

namespace {

// Longer than any valid answer takes, shorter than the time-out of a monitoring plugin.
constexpr std::chrono::seconds kTimeout{5};

}  // namespace

Ask ask_at(std::string socket) {
    return [socket = std::move(socket)](std::string_view verb,
                                        const nlohmann::json& arguments) -> Result<nlohmann::json> {
        VPNHA_TRY(ControlClient client, ControlClient::connect(socket, kTimeout));
        // An argument may have any bytes.
        const std::string request =
            arguments.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        VPNHA_TRY(const std::string text, client.request(verb, request));
        return nlohmann::json::parse(text, nullptr, false);
    };
}

Error other_version(const nlohmann::json::exception& error) {
    return {Errc::unsupported,
            fmt::format("vpnhad's answer is of another version than this program, {}: {}",
                        version(), error.what())};
}

Result<std::vector<std::string>> judge_status(
    const Ask& ask, const std::function<std::vector<std::string>(const nlohmann::json&)>& judge) {
    VPNHA_TRY(const nlohmann::json status, ask("status", nlohmann::json::object()));
    try {
        return judge(status);
    } catch (const nlohmann::json::exception& error) {
        return tl::unexpected(other_version(error));
    }
}

ExitCode hand_over(const Rendered& given, const std::string& file, std::ostream& out,
                   std::ostream& err) {
    if (file.empty()) {
        out << given.text;
    } else if (const Result<void> written = replace_file(file, given.text); !written) {
        return report(written.error(), err);
    }
    return given.error ? report(*given.error, err) : ExitCode::ok;
}

}  // namespace vpnha::cli
