// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/lease/witness_key.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/assert.hpp"

namespace vpnha::lease {

namespace {

constexpr std::string_view kWord = "vpnha-witness-key";
constexpr std::string_view kFormat = "1";
constexpr std::string_view kDigits = "0123456789ABCDEF";
constexpr std::size_t kHexDigits = 2 * LeaseKey::Octets::size();

bool is_plain(char octet) {
    return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
           (octet >= '0' && octet <= '9') || octet == '.' || octet == '_' || octet == '-';
}

Error no_such_line(std::string_view why) {
    return {Errc::malformed,
            fmt::format("this is no line of `vpnha witness-key`: {}; run that on a node of the "
                        "cluster, and give its output to this program unchanged",
                        why)};
}

// nullopt: not in the format of this program.
std::optional<std::string> name_of(std::string_view text) {
    if (text == "%") {
        return std::string();
    }
    std::string name;
    while (!text.empty()) {
        if (is_plain(text.front())) {
            name += text.front();
            text.remove_prefix(1);
            continue;
        }
        const std::size_t high = text.size() < 3 ? kDigits.npos : kDigits.find(text[1]);
        const std::size_t low = text.size() < 3 ? kDigits.npos : kDigits.find(text[2]);
        if (text.front() != '%' || high == kDigits.npos || low == kDigits.npos) {
            return std::nullopt;
        }
        name += static_cast<char>(high * 16 + low);
        text.remove_prefix(3);
    }
    return name.empty() || name.size() > kWitnessNameMax ? std::nullopt : std::optional(name);
}

bool is_blank(char octet) {
    return octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n';
}

// The next word, taken from the front of the text; empty: there is none.
std::string_view take_word(std::string_view& text) {
    text.remove_prefix(static_cast<std::size_t>(
        std::find_if_not(text.begin(), text.end(), is_blank) - text.begin()));
    const auto size =
        static_cast<std::size_t>(std::find_if(text.begin(), text.end(), is_blank) - text.begin());
    const std::string_view word = text.substr(0, size);
    text.remove_prefix(size);
    return word;
}

}  // namespace

WitnessKeyLine::WitnessKeyLine(const WitnessKey& key) {
    append(kWord);
    append(" ");
    append(kFormat);
    append(" ");
    append_name(key.cluster);
    append(" ");
    append_name(key.name);
    append(" ");
    SecretOctets<kHexDigits + 1> hex;
    sodium_bin2hex(reinterpret_cast<char*>(hex.data()), hex.size(), key.octets.data(),
                   key.octets.size());
    append({reinterpret_cast<const char*>(hex.data()), kHexDigits});
    append("\n");
}

void WitnessKeyLine::append(std::string_view text) {
    VPNHA_ASSERT(text.size() <= octets_.size() - size_);
    std::copy(text.begin(), text.end(), octets_.begin() + size_);
    size_ += text.size();
}

void WitnessKeyLine::append_name(std::string_view name) {
    for (const char octet : name.substr(0, kWitnessNameMax)) {
        if (is_plain(octet)) {
            append({&octet, 1});
        } else {
            const auto value = static_cast<unsigned char>(octet);
            const std::array<char, 3> code{'%', kDigits[value / 16], kDigits[value % 16]};
            append({code.data(), code.size()});
        }
    }
    if (name.empty()) {
        append("%");
    }
}

Result<WitnessKey> parse_witness_key(std::string_view line) {
    if (take_word(line) != kWord) {
        return tl::unexpected(no_such_line("it does not begin with vpnha-witness-key"));
    }
    if (take_word(line) != kFormat) {
        return fail(Errc::unsupported,
                    "this key is of another release of vpnha; install the vpnha-witness of the "
                    "nodes' release");
    }
    const std::optional<std::string> cluster = name_of(take_word(line));
    const std::optional<std::string> name = name_of(take_word(line));
    if (!cluster || !name) {
        return tl::unexpected(no_such_line("a name in it is damaged"));
    }
    const std::string_view hex = take_word(line);
    WitnessKey key{*cluster, *name, {}};
    std::size_t octets = 0;
    const bool is_hex =
        hex.size() == kHexDigits && sodium_hex2bin(key.octets.data(), key.octets.size(), hex.data(),
                                                   hex.size(), nullptr, &octets, nullptr) == 0;
    if (!is_hex || octets != key.octets.size()) {
        return tl::unexpected(no_such_line("the key in it does not have 64 hexadecimal digits"));
    }
    if (!take_word(line).empty()) {
        return tl::unexpected(no_such_line("something follows the key"));
    }
    return key;
}

bool is_same_key(const WitnessKey& one, const WitnessKey& other) {
    return sodium_memcmp(one.octets.data(), other.octets.data(), one.octets.size()) == 0;
}

}  // namespace vpnha::lease
