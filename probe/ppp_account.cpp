// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/ppp_account.hpp"

// MS-CHAPv2 is MD4, DES and SHA-1. Their plain functions work without a provider for them.
#define OPENSSL_API_COMPAT 0x10100000L
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/des.h>
#include <openssl/md4.h>
#include <openssl/md5.h>
#include <openssl/sha.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/secret_octets.hpp"
#include "host/secrets/secret_file.hpp"

namespace vpnha::probe {

namespace {

constexpr std::string_view kBlanks = " \t\r";
// RFC 2759 5: 16 octets of the hash, as three keys of DES with 7 octets each.
constexpr std::size_t kDesKeys = 3;
constexpr std::size_t kDesKeyBytes = 7;
constexpr std::size_t kMsHashBytes = 8;
constexpr std::size_t kReservedBytes = 8;
// Of RFC 3079 3.4, without C's terminating NUL.
constexpr std::string_view kOfCommonKey = "This is the MPPE Master Key";
constexpr std::string_view kOfClientsSendKey =
    "On the client side, this is the send key; on the server side, it is the receive key.";
constexpr std::string_view kOfClientsReceiveKey =
    "On the client side, this is the receive key; on the server side, it is the send key.";

std::optional<std::string_view> next_line(std::string_view& text) {
    if (text.empty()) {
        return std::nullopt;
    }
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

// The next word, as pppd reads it: quotes keep blanks, and a backslash keeps the next character.
// False: there is none, or a quote is not closed.
template <class Take>
bool take_word(std::string_view& line, const Take& take) {
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    if (line.empty()) {
        return false;
    }
    std::optional<char> quote;
    while (!line.empty() && (quote || kBlanks.find(line.front()) == std::string_view::npos)) {
        char each = line.front();
        line.remove_prefix(1);
        if (quote == each) {
            quote.reset();
        } else if (!quote && (each == '"' || each == '\'')) {
            quote = each;
        } else {
            if (each == '\\' && !line.empty()) {
                each = line.front();
                line.remove_prefix(1);
            }
            take(each);
        }
    }
    return !quote;
}

// 56 bits in eight octets, each with a parity bit, which DES ignores.
void spread(ByteView seven, std::uint8_t* eight) {
    std::uint64_t bits = 0;
    for (const std::uint8_t each : seven) {
        bits = bits << 8 | each;
    }
    for (int i = 7; i >= 0; --i) {
        eight[i] = static_cast<std::uint8_t>((bits & 0x7f) << 1);
        bits >>= 7;
    }
    OPENSSL_cleanse(&bits, sizeof bits);
}

void encrypt(ByteView seven, const std::uint8_t* plain, std::uint8_t* out) {
    SecretOctets<sizeof(DES_cblock)> key;
    spread(seven, key.data());
    DES_key_schedule schedule;
    DES_set_key_unchecked(reinterpret_cast<DES_cblock*>(key.data()), &schedule);
    DES_cblock in;
    std::copy_n(plain, sizeof in, in);
    DES_ecb_encrypt(&in, reinterpret_cast<DES_cblock*>(out), &schedule, DES_ENCRYPT);
    OPENSSL_cleanse(&schedule, sizeof schedule);
}

// RFC 2759 8.3, padded for three keys.
SecretOctets<kDesKeys * kDesKeyBytes> hash_of_password(ByteView password) {
    MD4_CTX md4;
    MD4_Init(&md4);
    for (const std::uint8_t each : password) {
        SecretOctets<2> little_endian;
        little_endian[0] = each;
        MD4_Update(&md4, little_endian.data(), SecretOctets<2>::size());
    }
    SecretOctets<kDesKeys * kDesKeyBytes> hash;
    MD4_Final(hash.data(), &md4);
    OPENSSL_cleanse(&md4, sizeof md4);
    return hash;
}

using ShaDigest = SecretOctets<SHA_DIGEST_LENGTH>;

ShaDigest sha1_of(std::initializer_list<ByteView> parts) {
    SHA_CTX sha;
    SHA1_Init(&sha);
    for (const ByteView part : parts) {
        SHA1_Update(&sha, part.data(), part.size());
    }
    ShaDigest digest;
    SHA1_Final(digest.data(), &sha);
    OPENSSL_cleanse(&sha, sizeof sha);
    return digest;
}

// The first octets of a digest.
mppe::Key key_in(const ShaDigest& digest) {
    mppe::Key key;
    std::copy_n(digest.begin(), mppe::kKeyBytes, key.begin());
    return key;
}

mppe::Key start_key(const mppe::Key& common, std::string_view magic) {
    return key_in(mppe::padded_digest(ByteView(common), to_bytes(magic)));
}

}  // namespace

Result<PppAccount> read_ppp_account(const std::string& path) {
    VPNHA_TRY(const auto file, adapters::SecretFile::read_private(path));
    std::string_view text = file.content();
    std::optional<std::string_view> line;
    do {
        line = next_line(text);
    } while (line && line->substr(std::min(line->find_first_not_of(kBlanks), line->size()))
                             .find_first_not_of('#') != 0);
    if (!line) {
        return fail(Errc::invalid_config,
                    path + ": it has to have a line of name, server and secret");
    }
    std::string name;
    VPNHA_TRY(auto secret, adapters::SecretBytes::with_room(line->size()));
    const bool is_whole = take_word(*line, [&name](char each) { name += each; }) &&
                          take_word(*line, [](char) {}) && take_word(*line, [&secret](char each) {
                              const auto octet = static_cast<std::uint8_t>(each);
                              static_cast<void>(secret.append(ByteView(&octet, 1)));
                          });
    if (!is_whole || name.empty() || name.size() > kPppNameBytesMax || secret.view().empty() ||
        secret.view().size() > kPppSecretBytesMax) {
        return fail(Errc::invalid_config,
                    fmt::format("{}: its first line has to have a name of 1 to {} octets, a "
                                "server, and a secret of 1 to {}",
                                path, kPppNameBytesMax, kPppSecretBytesMax));
    }
    return PppAccount{std::move(name), std::move(secret)};
}

Bytes answer_md5(const PppAccount& account, std::uint8_t id, ByteView challenge) {
    MD5_CTX md5;
    MD5_Init(&md5);
    MD5_Update(&md5, &id, 1);
    MD5_Update(&md5, account.secret.view().data(), account.secret.view().size());
    MD5_Update(&md5, challenge.data(), challenge.size());
    Bytes value(MD5_DIGEST_LENGTH);
    MD5_Final(value.data(), &md5);
    OPENSSL_cleanse(&md5, sizeof md5);
    return value;
}

Bytes answer_ms_chap_v2(const PppAccount& account, const MsChallenge& challenge,
                        const MsChallenge& own) {
    // RFC 2759 4: without the domain.
    const std::string_view user =
        std::string_view(account.name).substr(account.name.rfind('\\') + 1);
    const ShaDigest digest = sha1_of({own, challenge, to_bytes(user)});

    const auto keys = hash_of_password(account.secret.view());
    std::array<std::uint8_t, kDesKeys * kMsHashBytes> response{};
    for (std::size_t i = 0; i < kDesKeys; ++i) {
        encrypt(ByteView(keys.data() + i * kDesKeyBytes, kDesKeyBytes), digest.data(),
                response.data() + i * kMsHashBytes);
    }
    constexpr std::array<std::uint8_t, kReservedBytes> kReserved{};
    ByteWriter value;
    value.bytes(own).bytes(kReserved).bytes(response).u8(0);
    return std::move(value).take();
}

MppeKeys mppe_keys_of(const PppAccount& account, ByteView answer) {
    const auto hash = hash_of_password(account.secret.view());
    SecretOctets<MD4_DIGEST_LENGTH> hash_of_hash;
    MD4(hash.data(), MD4_DIGEST_LENGTH, hash_of_hash.data());
    const ByteView response =
        answer.subspan(kMsChallengeBytes + kReservedBytes, kDesKeys * kMsHashBytes);
    const mppe::Key common = key_in(sha1_of(
        {ByteView(hash_of_hash.data(), MD4_DIGEST_LENGTH), response, to_bytes(kOfCommonKey)}));
    return {.send = start_key(common, kOfClientsSendKey),
            .receive = start_key(common, kOfClientsReceiveKey)};
}

}  // namespace vpnha::probe
