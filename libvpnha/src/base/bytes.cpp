// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/bytes.hpp"

#include <limits>

#include "base/assert.hpp"

namespace vpnha {

namespace {

std::uint64_t big_endian(ByteView bytes) {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes) {
        value = value << 8 | byte;
    }
    return value;
}

void append_big_endian(Bytes& out, std::uint64_t value, unsigned width) {
    for (unsigned shift = width * 8; shift != 0; shift -= 8) {
        out.push_back(static_cast<std::uint8_t>(value >> (shift - 8)));
    }
}

}  // namespace

std::uint8_t ByteReader::u8() {
    return static_cast<std::uint8_t>(big_endian(take(1)));
}
std::uint16_t ByteReader::u16() {
    return static_cast<std::uint16_t>(big_endian(take(2)));
}
std::uint32_t ByteReader::u32() {
    return static_cast<std::uint32_t>(big_endian(take(4)));
}
std::uint64_t ByteReader::u64() {
    return big_endian(take(8));
}

ByteView ByteReader::take(std::size_t count) {
    if (!ok_ || count > bytes_.size()) {
        fail();
        return {};
    }
    const ByteView taken = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return taken;
}

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

ByteWriter& ByteWriter::u8(std::uint8_t value) {
    bytes_.push_back(value);
    return *this;
}

ByteWriter& ByteWriter::u16(std::uint16_t value) {
    append_big_endian(bytes_, value, 2);
    return *this;
}

ByteWriter& ByteWriter::u32(std::uint32_t value) {
    append_big_endian(bytes_, value, 4);
    return *this;
}

ByteWriter& ByteWriter::u64(std::uint64_t value) {
    append_big_endian(bytes_, value, 8);
    return *this;
}

ByteWriter& ByteWriter::bytes(ByteView value) {
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    return *this;
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

void ByteWriter::patch_u32(std::size_t offset, std::uint32_t value) {
    patch_u16(offset, static_cast<std::uint16_t>(value >> 16));
    patch_u16(offset + 2, static_cast<std::uint16_t>(value));
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
