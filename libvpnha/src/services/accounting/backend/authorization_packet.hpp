// SPDX-License-Identifier: GPL-2.0-or-later
// Packets of dynamic authorization (RFC 5176): a server orders a session to end or change. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/rate.hpp"
#include "base/session_identity.hpp"
#include "protocols/ppp/model/timeouts.hpp"
#include "services/accounting/backend/radius_packet.hpp"

namespace vpnha::adapters {

// Error-Cause (RFC 5176 3.5), with its numbers: those that are answered here.
enum class ErrorCause : std::uint32_t {
    unsupported_attribute = 401,
    missing_attribute = 402,
    nas_mismatch = 403,
    invalid_request = 404,
    unsupported_service = 405,
    invalid_value = 407,
    session_not_found = 503,
    session_not_removable = 504,
    resources_unavailable = 506,
    several_sessions = 508,
};
inline constexpr ErrorCause kErrorCauses[] = {
    ErrorCause::unsupported_attribute, ErrorCause::missing_attribute,
    ErrorCause::nas_mismatch,          ErrorCause::invalid_request,
    ErrorCause::unsupported_service,   ErrorCause::invalid_value,
    ErrorCause::session_not_found,     ErrorCause::session_not_removable,
    ErrorCause::resources_unavailable, ErrorCause::several_sessions,
};
// "session_not_found"
[[nodiscard]] std::string_view to_string(ErrorCause cause);

struct AuthorizationRequest {
    enum class Kind : std::uint8_t { disconnect, change };

    Kind kind{};
    std::uint8_t id = 0;
    RadiusDigest authenticator{};
    SessionIdentity identity;
    ppp::TermsChange change;  // Of a CoA-Request.
    std::optional<std::string> nas_identifier;
    std::optional<std::uint32_t> unix_s;  // Event-Timestamp.
    std::vector<Bytes> proxy_states;      // To be in the answer.
    bool is_signed = false;               // It has a Message-Authenticator, wherever that stands.
    // The first reason why the request cannot be carried out. All attributes are mandatory (RFC
    // 5176 2.3).
    std::optional<ErrorCause> flaw;
};

// nullopt: these octets are no request. The sender may not know the secret.
[[nodiscard]] std::optional<AuthorizationRequest> parse_authorization(ByteView octets);
// Whether a parsed request is from a sender that knows the secret: by its authenticator and its
// Message-Authenticator, which is mandatory.
[[nodiscard]] bool is_authentic(ByteView request, ByteView secret);

// An ACK; a NAK if there is a cause. nullopt: this machine's libcrypto has no MD5.
[[nodiscard]] std::optional<Bytes> encode_authorization_answer(const AuthorizationRequest& request,
                                                               std::optional<ErrorCause> cause,
                                                               ByteView secret);

}  // namespace vpnha::adapters
