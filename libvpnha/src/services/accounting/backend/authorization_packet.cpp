// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/accounting/backend/authorization_packet.hpp"

#include <algorithm>
#include <iterator>

namespace vpnha::adapters {

namespace {

using Asked = AuthorizationRequest::Kind;

// RFC 5176 2.3. An ACK has the next number, a NAK the one after that.
constexpr std::uint8_t kDisconnectRequest = 40;
constexpr std::uint8_t kChangeRequest = 43;
constexpr std::size_t kAttributeHeaderBytes = 2;

struct VendorRate {
    RateAttribute attribute;
    std::uint32_t vendor;
    std::uint8_t type;
};
// pppd-plugin/radius.c has the same.
constexpr VendorRate kVendorRates[] = {{RateAttribute::mikrotik_rate_limit, 14988, 8},
                                       {RateAttribute::wispr_max_up, 14122, 7},
                                       {RateAttribute::wispr_max_down, 14122, 8}};

// The offset of the value of the first Message-Authenticator; 0: there is none.
std::size_t signature_offset(ByteView request) {
    std::size_t offset = kRadiusHeaderBytes;
    while (offset + kAttributeHeaderBytes <= request.size()) {
        const std::size_t length = request[offset + 1];
        if (static_cast<RadiusType>(request[offset]) == RadiusType::message_authenticator) {
            return offset + kAttributeHeaderBytes;
        }
        offset += std::max(length, kAttributeHeaderBytes);
    }
    return 0;
}

class RequestReader {
  public:
    explicit RequestReader(AuthorizationRequest& request) : request_(request) {}

    void read(RadiusType type, ByteView value) {
        switch (type) {
            case RadiusType::user_name:
                return once(request_.identity.user, to_text(value));
            case RadiusType::acct_session_id:
                return once(request_.identity.session, to_text(value));
            case RadiusType::calling_station_id:
                return once(request_.identity.peer, to_text(value));
            case RadiusType::nas_identifier:
                return once(request_.nas_identifier, to_text(value));
            case RadiusType::framed_ip_address:
                if (const auto number = number_of(value)) {
                    once(request_.identity.address, Ipv4Address{*number});
                }
                return;
            case RadiusType::event_timestamp:
                if (const auto number = number_of(value)) {
                    once(request_.unix_s, *number);
                }
                return;
            case RadiusType::session_timeout:
                return change(request_.change.session_s, value);
            case RadiusType::idle_timeout:
                return change(request_.change.idle_s, value);
            case RadiusType::filter_id:
                return limit(RateAttribute::filter_id, value);
            case RadiusType::vendor_specific:
                return read_vendors(value);
            // Names the node that last reported the session, which may be gone: the node that has
            // the session now is the NAS.
            case RadiusType::nas_ip_address:
                static_cast<void>(number_of(value));
                return;
            case RadiusType::proxy_state:
                request_.proxy_states.emplace_back(value.begin(), value.end());
                return;
            case RadiusType::message_authenticator:
                if (request_.is_signed || value.size() != sizeof(RadiusDigest)) {
                    note(ErrorCause::invalid_request);
                }
                request_.is_signed = true;
                return;
            case RadiusType::service_type:
                return note(request_.kind == Asked::change ? ErrorCause::unsupported_service
                                                           : ErrorCause::unsupported_attribute);
            case RadiusType::class_:
                // In a CoA-Request it would be a new Class of the session.
                if (request_.kind == Asked::disconnect) {
                    request_.identity.classes.emplace_back(value.begin(), value.end());
                    return;
                }
                break;
            case RadiusType::acct_terminate_cause:
            case RadiusType::reply_message:
                // Why the session is to end (RFC 5176 3.6); a CoA-Request does not know the former.
                if (request_.kind == Asked::disconnect) {
                    return;
                }
                break;
            default:
                break;
        }
        note(ErrorCause::unsupported_attribute);
    }

    void note(ErrorCause flaw) {
        if (!request_.flaw) {
            request_.flaw = flaw;
        }
    }
    // All has been read.
    void end() { request_.change.rate = rate_.rate(); }

  private:
    // Reads those of a vendor's attributes that have a rate (RFC 2865 5.26).
    void read_vendors(ByteView value) {
        ByteReader reader(value);
        const std::uint32_t vendor = reader.u32();
        const std::uint8_t type = reader.u8();
        const std::size_t size = reader.u8();
        const ByteView octets =
            size < kAttributeHeaderBytes ? ByteView() : reader.take(size - kAttributeHeaderBytes);
        for (const auto& [attribute, of_vendor, of_type] : kVendorRates) {
            if (vendor == of_vendor && type == of_type && reader.finished()) {
                return limit(attribute, octets);
            }
        }
        note(ErrorCause::unsupported_attribute);
    }
    // A value that is no rate is for another program.
    void limit(RateAttribute attribute, ByteView value) {
        if (request_.kind == Asked::disconnect || !rate_.take(attribute, value)) {
            note(ErrorCause::unsupported_attribute);
        }
    }
    template <class Value>
    void once(std::optional<Value>& member, Value value) {
        if (member) {
            note(ErrorCause::invalid_request);
        }
        member = std::move(value);
    }
    void change(std::optional<std::uint32_t>& member, ByteView value) {
        if (request_.kind == Asked::disconnect) {
            return note(ErrorCause::unsupported_attribute);
        }
        if (const auto number = number_of(value)) {
            once(member, *number);
        }
    }
    std::optional<std::uint32_t> number_of(ByteView value) {
        ByteReader reader(value);
        const std::uint32_t number = reader.u32();
        if (!reader.finished()) {
            note(ErrorCause::invalid_value);
            return std::nullopt;
        }
        return number;
    }

    AuthorizationRequest& request_;
    RadiusRate rate_;
};

}  // namespace

std::string_view to_string(ErrorCause cause) {
    switch (cause) {
        case ErrorCause::unsupported_attribute:
            return "unsupported_attribute";
        case ErrorCause::missing_attribute:
            return "missing_attribute";
        case ErrorCause::nas_mismatch:
            return "nas_mismatch";
        case ErrorCause::invalid_request:
            return "invalid_request";
        case ErrorCause::unsupported_service:
            return "unsupported_service";
        case ErrorCause::invalid_value:
            return "invalid_value";
        case ErrorCause::session_not_found:
            return "session_not_found";
        case ErrorCause::session_not_removable:
            return "session_not_removable";
        case ErrorCause::resources_unavailable:
            return "resources_unavailable";
        case ErrorCause::several_sessions:
            return "several_sessions";
    }
    return "";
}

std::optional<AuthorizationRequest> parse_authorization(ByteView octets) {
    ByteReader header(octets);
    const std::uint8_t code = header.u8();
    AuthorizationRequest request;
    request.kind = code == kChangeRequest ? Asked::change : Asked::disconnect;
    request.id = header.u8();
    const std::size_t length = header.u16();
    const ByteView authenticator = header.take(sizeof(RadiusDigest));
    // Octets beyond the length are padding (RFC 2865 3).
    if (!header.ok() || (code != kDisconnectRequest && code != kChangeRequest) ||
        length < kRadiusHeaderBytes || length > octets.size() || length > kRadiusPacketBytesMax) {
        return std::nullopt;
    }
    std::copy(authenticator.begin(), authenticator.end(), request.authenticator.begin());
    ByteReader attributes(octets.subspan(kRadiusHeaderBytes, length - kRadiusHeaderBytes));
    RequestReader reader(request);
    while (attributes.ok() && attributes.remaining() > 0) {
        const auto type = static_cast<RadiusType>(attributes.u8());
        const std::size_t size = attributes.u8();
        if (size <= kAttributeHeaderBytes) {
            return std::nullopt;  // RFC 2865 5: no attribute is empty.
        }
        reader.read(type, attributes.take(size - kAttributeHeaderBytes));
    }
    if (!attributes.ok()) {
        return std::nullopt;
    }
    reader.end();
    if (request.identity.is_empty()) {
        reader.note(ErrorCause::missing_attribute);
    }
    // Only an Acct-Session-Id is never used twice. Other attributes may fit another session when
    // the request is replayed, and a change may be an old one.
    if (!request.unix_s && (!request.identity.session || request.kind == Asked::change)) {
        reader.note(ErrorCause::missing_attribute);
    }
    if (request.kind == Asked::change && request.change.is_empty()) {
        reader.note(ErrorCause::missing_attribute);
    }
    return request;
}

bool is_authentic(ByteView request, ByteView secret) {
    ByteReader header(request.subspan(kRadiusLengthOffset));
    request = request.first(std::min<std::size_t>(header.u16(), request.size()));
    const ByteView head = request.first(kRadiusAuthenticatorOffset);
    const ByteView attributes = request.subspan(kRadiusHeaderBytes);
    const RadiusDigest zero{};
    const auto authenticator = md5({head, zero, attributes, secret});
    if (!is_digest(authenticator, request.subspan(kRadiusAuthenticatorOffset, zero.size()))) {
        return false;
    }
    const std::size_t at = signature_offset(request);
    if (at == 0 || at + zero.size() > request.size()) {
        return false;
    }
    // RFC 5176 3.4: as if both the authenticator and this attribute were 0.
    const ByteView before = request.subspan(kRadiusHeaderBytes, at - kRadiusHeaderBytes);
    const auto signature =
        hmac_md5(secret, {head, zero, before, zero, request.subspan(at + zero.size())});
    return is_digest(signature, request.subspan(at, zero.size()));
}

std::optional<Bytes> encode_authorization_answer(const AuthorizationRequest& request,
                                                 std::optional<ErrorCause> cause, ByteView secret) {
    const std::uint8_t code =
        request.kind == Asked::disconnect ? kDisconnectRequest : kChangeRequest;
    ByteWriter writer;
    // With the request's authenticator until the end: both digests are made of it.
    writer.u8(static_cast<std::uint8_t>(code + (cause ? 2 : 1))).u8(request.id).u16(0);
    writer.bytes(request.authenticator);
    RadiusAttributes attributes(writer);
    const std::size_t at = writer.size() + kAttributeHeaderBytes;
    attributes.add(RadiusType::message_authenticator, ByteView(RadiusDigest{}));
    for (const Bytes& each : request.proxy_states) {
        attributes.add(RadiusType::proxy_state, ByteView(each));
    }
    if (cause) {
        attributes.add(RadiusType::error_cause, static_cast<std::uint64_t>(*cause));
    }
    writer.patch_u16(kRadiusLengthOffset, static_cast<std::uint16_t>(writer.size()));
    Bytes answer = std::move(writer).take();
    const auto put = [&](const std::optional<RadiusDigest>& digest, std::size_t offset) {
        if (digest) {
            std::copy(digest->begin(), digest->end(),
                      std::next(answer.begin(), static_cast<std::ptrdiff_t>(offset)));
        }
        return digest.has_value();
    };
    if (!put(hmac_md5(secret, {answer}), at) ||
        !put(md5({answer, secret}), kRadiusAuthenticatorOffset)) {
        return std::nullopt;
    }
    return answer;
}

}  // namespace vpnha::adapters
