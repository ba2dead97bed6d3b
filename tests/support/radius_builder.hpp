// SPDX-License-Identifier: GPL-2.0-or-later
// Requests as a RADIUS server makes them (RFC 5176 2.3, 3.4), with digests of its own.
#pragma once

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace vpnha {

using Md5 = std::array<std::uint8_t, 16>;

inline Md5 md5_of(const Bytes& octets) {
    Md5 digest{};
    EVP_Digest(octets.data(), octets.size(), digest.data(), nullptr, EVP_md5(), nullptr);
    return digest;
}

inline Md5 hmac_of(const Bytes& octets, std::string_view secret) {
    Md5 digest{};
    HMAC(EVP_md5(), secret.data(), static_cast<int>(secret.size()), octets.data(), octets.size(),
         digest.data(), nullptr);
    return digest;
}

class RadiusBuilder {
  public:
    explicit RadiusBuilder(int code, int id = 7) {
        octets_ = {static_cast<std::uint8_t>(code), static_cast<std::uint8_t>(id), 0, 0};
        octets_.resize(20);
    }
    RadiusBuilder& add(int type, ByteView value) {
        octets_.push_back(static_cast<std::uint8_t>(type));
        octets_.push_back(static_cast<std::uint8_t>(value.size() + 2));
        octets_.insert(octets_.end(), value.begin(), value.end());
        return *this;
    }
    RadiusBuilder& add(int type, std::string_view value) { return add(type, to_bytes(value)); }
    RadiusBuilder& add(int type, std::uint32_t value) {
        ByteWriter writer;
        writer.u32(value);
        return add(type, writer.view());
    }
    // With a length, and nothing else.
    [[nodiscard]] Bytes plain() const {
        Bytes packet = octets_;
        packet[2] = static_cast<std::uint8_t>(packet.size() >> 8);
        packet[3] = static_cast<std::uint8_t>(packet.size());
        return packet;
    }
    // With a Request Authenticator.
    [[nodiscard]] Bytes authenticated(std::string_view secret) const {
        Bytes packet = plain();
        Bytes covered = packet;
        covered.insert(covered.end(), secret.begin(), secret.end());
        std::ranges::copy(md5_of(covered), packet.begin() + 4);
        return packet;
    }
    // With a Message-Authenticator at its end as well.
    [[nodiscard]] Bytes signed_with(std::string_view secret) const {
        RadiusBuilder whole = *this;
        whole.add(80, Md5{});
        const Md5 digest = hmac_of(whole.plain(), secret);
        std::ranges::copy(digest, whole.octets_.end() - 16);
        return whole.authenticated(secret);
    }

  private:
    Bytes octets_;
};

struct RadiusAnswer {
    int code = 0;
    int id = 0;
    std::multimap<int, Bytes> attributes;

    [[nodiscard]] std::uint32_t error_cause() const {
        const auto found = attributes.find(101);
        return found == attributes.end() ? 0 : ByteReader(found->second).u32();
    }
};

// {}: `answer` is not from who knows the secret, or is no answer to that request.
inline RadiusAnswer read_answer(const Bytes& request, Bytes answer, std::string_view secret) {
    RadiusAnswer read;
    if (answer.size() < 20 || answer[2] * 256U + answer[3] != answer.size()) {
        return {};
    }
    const Bytes given(answer.begin() + 4, answer.begin() + 20);
    std::copy_n(request.begin() + 4, 16, answer.begin() + 4);
    Bytes covered = answer;
    covered.insert(covered.end(), secret.begin(), secret.end());
    if (!std::ranges::equal(md5_of(covered), given)) {
        return {};
    }
    bool is_signed = false;
    for (std::size_t at = 20; at + 2 <= answer.size(); at += answer[at + 1]) {
        const Bytes value(answer.begin() + static_cast<std::ptrdiff_t>(at) + 2,
                          answer.begin() + static_cast<std::ptrdiff_t>(at) + answer[at + 1]);
        if (answer[at] == 80) {
            Bytes zeroed = answer;
            std::fill_n(zeroed.begin() + static_cast<std::ptrdiff_t>(at) + 2, 16, 0);
            is_signed = std::ranges::equal(hmac_of(zeroed, secret), value);
        }
        read.attributes.emplace(answer[at], value);
    }
    read.code = is_signed ? answer[0] : 0;
    read.id = answer[1];
    return read;
}

}  // namespace vpnha
