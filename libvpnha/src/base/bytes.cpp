// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/bytes.hpp"

#include <limits>

#include "base/assert.hpp"

namespace vpnha {

ByteView ByteReader::take_prefixed(std::size_t max_length) {
    const std::size_t length = u16();
    return take(length > max_length ? std::numeric_limits<std::size_t>::max() : length);
}

void ByteReader::fail() {
    ok_ = false;
    bytes_ = {};
}

ByteView ByteReader::rest() {
    return take(bytes_.size());
}

ByteWriter& ByteWriter::prefixed(ByteView value) {
    VPNHA_ASSERT(value.size() <= std::numeric_limits<std::uint16_t>::max());
    u16(static_cast<std::uint16_t>(value.size()));
    return bytes(value);
}

ByteWriter& ByteWriter::prefixed(std::string_view value) {
    return prefixed(to_bytes(value));
}

void ByteWriter::patch_u16(std::size_t offset, std::uint16_t value) {
    VPNHA_ASSERT(offset + 2 <= bytes_.size());
    bytes_[offset] = static_cast<std::uint8_t>(value >> 8);
    bytes_[offset + 1] = static_cast<std::uint8_t>(value);
}

std::string to_text(ByteView bytes) {
    return {bytes.begin(), bytes.end()};
}

ByteView to_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string to_hex(ByteView bytes) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::uint8_t byte : bytes) {
        text.push_back(kDigits[byte >> 4]);
        text.push_back(kDigits[byte & 0x0f]);
    }
    return text;
}

}  // namespace vpnha
