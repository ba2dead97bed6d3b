// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/accounting/backend/accounting_packet.hpp"

#include <algorithm>
#include <iterator>

#include "services/accounting/backend/radius_packet.hpp"

namespace vpnha::adapters {

namespace {

using Kind = node::AccountingRequest::Kind;

constexpr std::uint8_t kAccountingRequest = 4;
constexpr std::uint8_t kAccountingResponse = 5;
constexpr std::uint64_t kMsPerSecond = 1000;

using Type = RadiusType;

constexpr std::uint64_t kFramed = 2;
constexpr std::uint64_t kPpp = 1;
constexpr std::uint64_t kVirtual = 5;

std::uint64_t status_type_of(Kind kind) {
    switch (kind) {
        case Kind::start:
            return 1;
        case Kind::stop:
            return 2;
        case Kind::interim:
            return 3;
    }
    return 0;
}

void add_counters(RadiusAttributes& attributes, const node::AccountingRequest& request) {
    constexpr unsigned kGigaword = 32;
    const auto low = [](std::uint64_t octets) { return octets & 0xffff'ffff; };
    const Traffic& traffic = request.traffic;
    attributes.add(Type::acct_session_time, request.seconds);
    attributes.add(Type::acct_input_octets, low(traffic.octets_in));
    attributes.add(Type::acct_output_octets, low(traffic.octets_out));
    attributes.add(Type::acct_input_gigawords, traffic.octets_in >> kGigaword);
    attributes.add(Type::acct_output_gigawords, traffic.octets_out >> kGigaword);
    if (request.is_ppp || traffic.packets_in != 0 || traffic.packets_out != 0) {
        attributes.add(Type::acct_input_packets, traffic.packets_in);
        attributes.add(Type::acct_output_packets, traffic.packets_out);
    }
}

void add_ipv6(RadiusAttributes& attributes, const node::AccountingRequest& request) {
    if (request.address6) {
        attributes.add(Type::framed_ipv6_address, ByteView(request.address6->octets));
    }
    if (request.identifier != 0) {
        ByteWriter identifier;
        identifier.u64(request.identifier);
        attributes.add(Type::framed_interface_id, identifier.view());
    }
    for (const RadiusPrefix& each : request.prefixes) {
        ByteWriter prefix;
        prefix.u8(0).u8(each.net.length).bytes(each.net.address.octets());
        attributes.add(each.kind == RadiusPrefix::Kind::framed ? Type::framed_ipv6_prefix
                                                               : Type::delegated_ipv6_prefix,
                       prefix.view());
    }
}

void add_all(RadiusAttributes& attributes, const node::AccountingRequest& request,
             const AccountingNas& nas, std::uint64_t unix_s) {
    attributes.add(Type::acct_status_type, status_type_of(request.kind));
    attributes.add(Type::acct_session_id, request.session);
    attributes.add(Type::user_name, request.user);
    for (const Bytes& each : request.classes) {
        attributes.add(Type::class_, ByteView(each));
    }
    attributes.add(Type::nas_identifier, nas.identifier);
    attributes.add(Type::nas_ip_address, std::uint64_t{nas.address.value});
    attributes.add(Type::nas_port_type, kVirtual);
    attributes.add(Type::service_type, kFramed);
    if (request.is_ppp) {
        attributes.add(Type::framed_protocol, kPpp);
    }
    if (request.address != Ipv4Address{}) {
        attributes.add(Type::framed_ip_address, std::uint64_t{request.address.value});
    }
    add_ipv6(attributes, request);
    if (request.tunnel_type != 0) {
        // With tag 0 it is the number alone.
        attributes.add(Type::tunnel_type, std::uint64_t{request.tunnel_type});
    }
    attributes.add(Type::tunnel_client_endpoint, to_string(request.peer));
    attributes.add(Type::calling_station_id, to_string(request.peer));
    attributes.add(Type::event_timestamp, unix_s - std::min(request.delay_s, unix_s));
    attributes.add(Type::acct_delay_time, request.delay_s);
    if (request.kind != Kind::start) {
        add_counters(attributes, request);
    }
    if (request.kind == Kind::stop) {
        attributes.add(Type::acct_terminate_cause, static_cast<std::uint64_t>(request.cause));
    }
}

}  // namespace

std::optional<Bytes> encode_accounting(const node::AccountingRequest& request,
                                       const AccountingNas& nas, std::uint8_t id, ByteView secret,
                                       std::uint64_t unix_s) {
    ByteWriter writer;
    writer.u8(kAccountingRequest).u8(id).u16(0).bytes(RadiusDigest{});
    RadiusAttributes attributes(writer);
    add_all(attributes, request, nas, unix_s);
    writer.patch_u16(kRadiusLengthOffset, static_cast<std::uint16_t>(writer.size()));
    const auto authenticator = md5({writer.view(), secret});
    if (!authenticator) {
        return std::nullopt;
    }
    Bytes packet = std::move(writer).take();
    std::copy(authenticator->begin(), authenticator->end(),
              std::next(packet.begin(), kRadiusAuthenticatorOffset));
    return packet;
}

bool is_answer_to(ByteView request, ByteView answer, ByteView secret) {
    const ByteView packet = answer_in(answer, request);
    return !packet.empty() && packet[0] == kAccountingResponse &&
           is_signed_answer(packet, request, secret);
}

}  // namespace vpnha::adapters
