// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/views/session_views.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "base/limits.hpp"
#include "host/control/control_message.hpp"

namespace vpnha::runtime {

namespace {

using nlohmann::json;

constexpr std::size_t kPieceBytes = std::size_t{64} * 1024;
// More than the part of an answer around its rows.
constexpr std::size_t kAroundBytes = 128;

std::string_view state_name(keepers::SessionState state) {
    switch (state) {
        case keepers::SessionState::protected_:
            return "protected";
        case keepers::SessionState::unprotected:
            return "unprotected";
        case keepers::SessionState::hot:
            return "hot";
        case keepers::SessionState::resumed:
            return "resumed";
        case keepers::SessionState::quarantined:
            return "quarantined";
    }
    return "unprotected";
}

// By this node's clock.
std::string utc(TimePoint at, const node::Node& node) {
    const Duration since_1970 = at.time_since_epoch() + node.wall();
    const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(since_1970).count();
    tm parts{};
    gmtime_r(&seconds, &parts);
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", parts);
}

}  // namespace

void SessionCounts::add(const keepers::SessionView& session) {
    ++total_;
    switch (session.state) {
        // A resumed session that no standby has confirmed is shown as unprotected.
        case keepers::SessionState::resumed:
            ++resumed_;
            ++protected_;
            break;
        case keepers::SessionState::protected_:
            ++protected_;
            break;
        case keepers::SessionState::quarantined:
            ++quarantined_;
            break;
        case keepers::SessionState::hot:
            ++hot_;
            break;
        case keepers::SessionState::unprotected:
            ++unprotected_;
            reason_ = unprotected_ == 1 ? session.reason : reason_;
            break;
    }
}

json SessionCounts::view() const {
    return {{"total", total_},
            {"protected", protected_},
            {"resumed", resumed_},
            {"unprotected", unprotected_},
            {"hot", hot_},
            {"quarantined", quarantined_},
            {"reason", unprotected_ == 0 ? json(nullptr) : json(reason_)}};
}

json session_row(const node::Node& node, const node::GatewayNode& gateway,
                 const keepers::SessionView& session) {
    const auto holder = gateway.cores().replica.holder();
    json row{{"id", keepers::session_id(session.record)},
             {"gateway", gateway.cores().settings.name},
             {"protocol", session.protocol},
             {"user", session.user},
             {"peer", session.peer},
             {"address", session.address},
             {"interface", session.interface},
             {"state", state_name(session.state)},
             {"owner", holder ? json(holder->value) : json(nullptr)},
             {"epoch", to_string(session.epoch)},
             {"established", utc(gateway.cores().clock.when(session.established_unix_ms), node)}};
    for (const auto& [name, number] : session.ids) {
        row[std::string(name)] = number;
    }
    if (!session.reason.empty()) {
        row["reason"] = session.reason;
    }
    if (!session.networks.empty()) {
        row["networks"] = session.networks;
    }
    if (session.passed) {
        row["passed"] = {{"unit", session.passed->unit},
                         {"in", session.passed->in},
                         {"out", session.passed->out}};
    }
    if (session.rate.is_limited()) {
        row["bandwidth"] = {{"down", session.rate.down}, {"up", session.rate.up}};
    }
    return row;
}

json stray_row(const node::Node& node, const StraySession& stray) {
    return {{"id", ""},
            {"gateway", stray.gateway},
            {"protocol", "ppp"},
            {"user", stray.user},
            {"peer", ""},
            {"address", stray.address},
            {"interface", stray.interface},
            {"state", state_name(keepers::SessionState::unprotected)},
            {"owner", node.settings().self.value},
            {"epoch", to_string(Epoch{})},
            {"established", utc(stray.established, node)},
            {"reason", stray.reason}};
}

bool SessionList::add(const json& row) {
    if (is_too_large()) {
        return false;
    }
    const std::string text = adapters::to_json_text(row);
    if (pieces_.empty() || pieces_.back().size() + text.size() >= kPieceBytes) {
        pieces_.emplace_back().reserve(std::max(kPieceBytes, text.size() + 1));
    }
    pieces_.back().append(bytes_ == 0 ? "" : ",").append(text);
    bytes_ += text.size() + 1;
    return !is_too_large();
}

bool SessionList::is_too_large() const {
    return bytes_ + kAroundBytes > limits::kControlMessageBytesMax;
}

std::vector<std::string> SessionList::take() && {
    pieces_.insert(pieces_.begin(), R"({"sessions":[)");
    pieces_.emplace_back("]}");
    return std::move(pieces_);
}

}  // namespace vpnha::runtime
