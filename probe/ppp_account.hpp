// SPDX-License-Identifier: GPL-2.0-or-later
// A test account of PPP, and its answers to a challenge: CHAP with
// MD5 (RFC 1994) and MS-CHAPv2 (RFC 2759), which gives keys for
// MPPE (RFC 3079). The secret is in guarded memory and in no text.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "host/secrets/secret_bytes.hpp"
#include "protocols/pptp/mppe/key_chain.hpp"
#include "vpnha/result.hpp"

namespace vpnha::probe {

struct PppAccount {
    std::string name;
    adapters::SecretBytes secret;
};

inline constexpr std::size_t kPppNameBytesMax = 255;
inline constexpr std::size_t kPppSecretBytesMax = 255;
inline constexpr std::size_t kMsChallengeBytes = 16;
using MsChallenge = std::array<std::uint8_t, kMsChallengeBytes>;

// The first line without a comment, as in pppd's chap-secrets: name, server, secret. Errors: others
// can read the file; the file is missing; the line has less than three words, or too long ones.
[[nodiscard]] Result<PppAccount> read_ppp_account(const std::string& path);

// The Value of a Response.
[[nodiscard]] Bytes answer_md5(const PppAccount& account, std::uint8_t id, ByteView challenge);
// `own`: random. Each octet of the secret is a character, as in pppd.
[[nodiscard]] Bytes answer_ms_chap_v2(const PppAccount& account, const MsChallenge& challenge,
                                      const MsChallenge& own);

// Start keys of MPPE, as the client sends and receives (RFC 3079 3).
struct MppeKeys {
    mppe::Key send;
    mppe::Key receive;
};
// Of a login with that answer_ms_chap_v2().
[[nodiscard]] MppeKeys mppe_keys_of(const PppAccount& account, ByteView answer);

}  // namespace vpnha::probe
