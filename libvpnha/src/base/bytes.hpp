// SPDX-License-Identifier: GPL-2.0-or-later
// Reading and writing bytes of the network and of other processes. All integers are big-endian.
//
// ByteReader never reads beyond its span, and fails stickily: after one read past the end every
// further read yields zero or an empty span and ok() is false. So a parser may read all fields and
// check once, before it trusts any of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vpnha {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

class ByteReader {
  public:
    // The bytes must outlive the reader and every span it hands out.
    explicit ByteReader(ByteView bytes) : bytes_(bytes) {}

    // Inline: a record is a dozen reads, and nodes read hundreds of thousands of them a second.
    std::uint8_t u8() { return integer<std::uint8_t>(); }
    std::uint16_t u16() { return integer<std::uint16_t>(); }
    std::uint32_t u32() { return integer<std::uint32_t>(); }
    std::uint64_t u64() { return integer<std::uint64_t>(); }
    // The next `count` bytes, or an empty span and failure.
    ByteView take(std::size_t count) {
        if (!ok_ || count > bytes_.size()) {
            fail();
            return {};
        }
        const ByteView taken = bytes_.first(count);
        bytes_ = bytes_.subspan(count);
        return taken;
    }
    // A length (u16) and so many bytes; a length over `max_length` is a failure.
    ByteView take_prefixed(std::size_t max_length);
    // Everything that is left.
    ByteView rest();
    // For a value that was read and is out of its range: fails like a read past the end.
    void fail();

    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] std::size_t remaining() const { return bytes_.size(); }
    // True when nothing failed and nothing is left.
    [[nodiscard]] bool finished() const { return ok_ && bytes_.empty(); }

  private:
    template <class Integer>
    Integer integer() {
        Integer value = 0;
        for (const std::uint8_t byte : take(sizeof(Integer))) {
            value = static_cast<Integer>(std::uint64_t{value} << 8 | byte);
        }
        return value;
    }

    ByteView bytes_;
    bool ok_ = true;
};

class ByteWriter {
  public:
    // Room for so many bytes at once; a hint, not a bound.
    void reserve(std::size_t size) { bytes_.reserve(size); }
    ByteWriter& u8(std::uint8_t value) { return integer(value); }
    ByteWriter& u16(std::uint16_t value) { return integer(value); }
    ByteWriter& u32(std::uint32_t value) { return integer(value); }
    ByteWriter& u64(std::uint64_t value) { return integer(value); }
    ByteWriter& bytes(ByteView value) {
        bytes_.insert(bytes_.end(), value.begin(), value.end());
        return *this;
    }
    // A length (u16) and the bytes. At most 65 535 of them: more is a programming error.
    ByteWriter& prefixed(ByteView value);
    ByteWriter& prefixed(std::string_view value);
    // Overwrites two bytes written before, for lengths that are known only at the end.
    void patch_u16(std::size_t offset, std::uint16_t value);

    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    [[nodiscard]] ByteView view() const { return bytes_; }
    [[nodiscard]] Bytes take() && { return std::move(bytes_); }

  private:
    template <class Integer>
    ByteWriter& integer(Integer value) {
        std::array<std::uint8_t, sizeof(Integer)> raw{};
        for (std::size_t i = 0; i < raw.size(); ++i) {
            raw[i] = static_cast<std::uint8_t>(value >> 8 * (raw.size() - 1 - i));
        }
        return bytes(raw);
    }

    Bytes bytes_;
};

[[nodiscard]] std::string to_text(ByteView bytes);
[[nodiscard]] ByteView to_bytes(std::string_view text);
// Lower-case hexadecimal without separators.
[[nodiscard]] std::string to_hex(ByteView bytes);

}  // namespace vpnha
