// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/radius/accounting_packet.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <memory>

namespace vpnha::adapters {

namespace {

using Kind = node::AccountingRequest::Kind;

constexpr std::uint8_t kAccountingRequest = 4;
constexpr std::uint8_t kAccountingResponse = 5;
// Code, identifier, length and authenticator.
constexpr std::size_t kLengthOffset = 2;
constexpr std::size_t kAuthenticatorOffset = 4;
constexpr std::size_t kHeaderBytes = 20;
constexpr std::size_t kValueBytesMax = 253;
constexpr std::uint64_t kMsPerSecond = 1000;

using Authenticator = std::array<std::uint8_t, kHeaderBytes - kAuthenticatorOffset>;

// RFC 2865, 2866, 2868, 2869.
enum class Type : std::uint8_t {
    user_name = 1,
    nas_ip_address = 4,
    service_type = 6,
    framed_protocol = 7,
    framed_ip_address = 8,
    class_ = 25,
    calling_station_id = 31,
    nas_identifier = 32,
    acct_status_type = 40,
    acct_delay_time = 41,
    acct_input_octets = 42,
    acct_output_octets = 43,
    acct_session_id = 44,
    acct_session_time = 46,
    acct_input_packets = 47,
    acct_output_packets = 48,
    acct_terminate_cause = 49,
    acct_input_gigawords = 52,
    acct_output_gigawords = 53,
    event_timestamp = 55,
    nas_port_type = 61,
    tunnel_type = 64,
    tunnel_client_endpoint = 66,
};
constexpr std::uint64_t kFramed = 2;
constexpr std::uint64_t kPpp = 1;
constexpr std::uint64_t kVirtual = 5;
// With tag 0 (RFC 2868 3.1) the number of the type alone.
constexpr std::uint64_t kPptp = 1;
constexpr std::uint64_t kL2tp = 3;

class Attributes {
  public:
    explicit Attributes(ByteWriter& writer) : writer_(writer) {}

    void add(Type type, ByteView octets) {
        if (!octets.empty()) {
            const ByteView value = octets.first(std::min(octets.size(), kValueBytesMax));
            writer_.u8(static_cast<std::uint8_t>(type));
            writer_.u8(static_cast<std::uint8_t>(value.size() + 2)).bytes(value);
        }
    }
    void add(Type type, const std::string& text) { add(type, to_bytes(text)); }
    // A counter of 32 bits ends there, rather than begins anew.
    void add(Type type, std::uint64_t number) {
        constexpr std::uint64_t kMax = std::numeric_limits<std::uint32_t>::max();
        ByteWriter value;
        value.u32(static_cast<std::uint32_t>(std::min(number, kMax)));
        add(type, value.view());
    }

  private:
    ByteWriter& writer_;
};

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

void add_counters(Attributes& attributes, const node::AccountingRequest& request) {
    constexpr unsigned kGigaword = 32;
    const auto low = [](std::uint64_t octets) { return octets & 0xffff'ffff; };
    const Traffic& traffic = request.traffic;
    attributes.add(Type::acct_session_time, request.seconds);
    attributes.add(Type::acct_input_octets, low(traffic.octets_in));
    attributes.add(Type::acct_output_octets, low(traffic.octets_out));
    attributes.add(Type::acct_input_gigawords, traffic.octets_in >> kGigaword);
    attributes.add(Type::acct_output_gigawords, traffic.octets_out >> kGigaword);
    attributes.add(Type::acct_input_packets, traffic.packets_in);
    attributes.add(Type::acct_output_packets, traffic.packets_out);
}

void add_all(Attributes& attributes, const node::AccountingRequest& request,
             const AccountingNas& nas) {
    const bool is_pptp = request.tunnel == node::AccountingRequest::Tunnel::pptp;
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
    attributes.add(Type::framed_protocol, kPpp);
    attributes.add(Type::framed_ip_address, std::uint64_t{request.address.value});
    attributes.add(Type::tunnel_type, is_pptp ? kPptp : kL2tp);
    attributes.add(Type::tunnel_client_endpoint, to_string(request.peer));
    attributes.add(Type::calling_station_id, to_string(request.peer));
    attributes.add(Type::event_timestamp, request.unix_ms / kMsPerSecond);
    attributes.add(Type::acct_delay_time, request.delay_s);
    if (request.kind != Kind::start) {
        add_counters(attributes, request);
    }
    if (request.kind == Kind::stop) {
        attributes.add(Type::acct_terminate_cause, static_cast<std::uint64_t>(request.cause));
    }
}

std::optional<Authenticator> md5(std::initializer_list<ByteView> parts) {
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                     EVP_MD_CTX_free);
    Authenticator digest{};
    bool done = context != nullptr && EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr) == 1;
    for (const ByteView part : parts) {
        done = done && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
    }
    if (!done || EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) {
        return std::nullopt;
    }
    return digest;
}

}  // namespace

std::optional<Bytes> encode_accounting(const node::AccountingRequest& request,
                                       const AccountingNas& nas, std::uint8_t id, ByteView secret) {
    ByteWriter writer;
    writer.u8(kAccountingRequest).u8(id).u16(0).bytes(Authenticator{});
    Attributes attributes(writer);
    add_all(attributes, request, nas);
    writer.patch_u16(kLengthOffset, static_cast<std::uint16_t>(writer.size()));
    const auto authenticator = md5({writer.view(), secret});
    if (!authenticator) {
        return std::nullopt;
    }
    Bytes packet = std::move(writer).take();
    std::copy(authenticator->begin(), authenticator->end(),
              std::next(packet.begin(), kAuthenticatorOffset));
    return packet;
}

bool is_answer_to(ByteView request, ByteView answer, ByteView secret) {
    ByteReader reader(answer);
    const std::uint8_t code = reader.u8();
    const std::uint8_t id = reader.u8();
    const std::size_t length = reader.u16();
    if (code != kAccountingResponse || id != request[1] || length < kHeaderBytes ||
        length > answer.size()) {
        return false;
    }
    const ByteView said = reader.take(sizeof(Authenticator));
    const auto expected = md5({answer.first(kAuthenticatorOffset),
                               request.subspan(kAuthenticatorOffset, sizeof(Authenticator)),
                               answer.subspan(kHeaderBytes, length - kHeaderBytes), secret});
    return expected && CRYPTO_memcmp(expected->data(), said.data(), expected->size()) == 0;
}

}  // namespace vpnha::adapters
