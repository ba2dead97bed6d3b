// SPDX-License-Identifier: GPL-2.0-or-later
// Octets written one after the other, in network order, into the object's own memory: for data that
// is coded a hundred thousand times a second. Exceeding the capacity is a programming error.
#pragma once

#include <array>
#include <cstring>

#include "base/assert.hpp"
#include "base/bytes.hpp"

namespace vpnha {

template <std::size_t Capacity>
class Octets {
  public:
    [[nodiscard]] ByteView view() const { return {bytes_.data(), size_}; }
    [[nodiscard]] std::size_t size() const { return size_; }
    void u8(std::uint8_t value) { bytes_[size_++] = value; }
    void u16(std::uint16_t value) {
        u8(static_cast<std::uint8_t>(value >> 8));
        u8(static_cast<std::uint8_t>(value));
    }
    void u32(std::uint32_t value) {
        u16(static_cast<std::uint16_t>(value >> 16));
        u16(static_cast<std::uint16_t>(value));
    }
    void u64(std::uint64_t value) {
        u32(static_cast<std::uint32_t>(value >> 32));
        u32(static_cast<std::uint32_t>(value));
    }
    void bytes(ByteView value) {
        VPNHA_ASSERT(value.size() <= Capacity - size_);
        if (!value.empty()) {
            std::memcpy(bytes_.data() + size_, value.data(), value.size());
            size_ += value.size();
        }
    }

  private:
    // Not initialised: only written octets are ever read.
    std::array<std::uint8_t, Capacity> bytes_;
    std::size_t size_ = 0;
};

}  // namespace vpnha
