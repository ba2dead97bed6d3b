// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/service/ppp_link_state.hpp"

#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <sstream>

#include "host/os/lock_file.hpp"
#include "host/os/text_file.hpp"

namespace vpnha::adapters {

namespace {

std::string state_path(const std::string& directory) {
    return directory + "/state";
}

// Not the service's lock: a stop holds that while pppd waits for the program that it calls.
Result<UniqueFd> lock_state(const std::string& directory) {
    return lock_file(directory + "/state.lock", LOCK_EX);
}

Result<void> write_state(const std::string& directory, const PppLinkState& state) {
    return replace_text(state_path(directory),
                        fmt::format("{} {} {}\n", state.is_up ? 1 : 0,
                                    state.since.time_since_epoch().count(), state.times_up));
}

}  // namespace

std::optional<PppLinkState> read_ppp_link_state(const std::string& directory) {
    std::istringstream text(read_text(state_path(directory)));
    PppLinkState state;
    Duration::rep since = 0;
    if (!(text >> state.is_up >> since >> state.times_up)) {
        return std::nullopt;
    }
    state.since = TimePoint(Duration(since));
    return state;
}

Result<void> begin_ppp_link_state(const std::string& directory, TimePoint now) {
    VPNHA_TRY(const UniqueFd held, lock_state(directory));
    return write_state(directory, {.is_up = false, .since = now, .times_up = 0});
}

Result<std::optional<PppLinkChange>> note_ppp_link(const std::string& directory, bool is_up,
                                                   TimePoint now) {
    VPNHA_TRY(const UniqueFd held, lock_state(directory));
    const auto before = read_ppp_link_state(directory);
    if (!before || before->is_up == is_up) {
        return std::nullopt;
    }
    const PppLinkState after{
        .is_up = is_up, .since = now, .times_up = before->times_up + (is_up ? 1 : 0)};
    VPNHA_CHECK(write_state(directory, after));
    return PppLinkChange{*before, after};
}

void end_ppp_link_state(const std::string& directory) {
    ::unlink(state_path(directory).c_str());
}

}  // namespace vpnha::adapters
