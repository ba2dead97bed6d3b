// SPDX-License-Identifier: GPL-2.0-or-later
// Octets that are usually few: up to 15 are in the object itself, which has 16; more are on the
// heap. Half a million payloads of 13 octets take 8 MB like this, and 28 as vectors.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>
#include <utility>

#include "base/bytes.hpp"

namespace vpnha {

class SmallBytes {
  public:
    static constexpr std::size_t kInside = 15;

    SmallBytes() = default;
    explicit SmallBytes(ByteView bytes) { assign(bytes); }
    // Implicit, because the value is the same: nothing is lost.
    SmallBytes(const Bytes& bytes) { assign(bytes); }  // NOLINT(google-explicit-constructor)
    SmallBytes(std::initializer_list<std::uint8_t> bytes) { assign({bytes.begin(), bytes.size()}); }
    SmallBytes(const SmallBytes& other) { assign(other); }
    SmallBytes(SmallBytes&& other) noexcept : raw_(std::exchange(other.raw_, {})) {}
    SmallBytes& operator=(const SmallBytes& other) {
        if (this != &other) {
            assign(other);
        }
        return *this;
    }
    SmallBytes& operator=(SmallBytes&& other) noexcept {
        std::swap(raw_, other.raw_);
        return *this;
    }
    ~SmallBytes() { release(); }

    // `bytes` are not this object's own.
    void assign(ByteView bytes) {
        if (is_outside() && bytes.size() == outside().size) {
            std::copy(bytes.begin(), bytes.end(), outside().octets);
            return;
        }
        release();
        if (bytes.size() <= kInside) {
            std::copy(bytes.begin(), bytes.end(), raw_.begin());
            raw_.back() = static_cast<std::uint8_t>(bytes.size());
            return;
        }
        const Outside place{new std::uint8_t[bytes.size()],
                            static_cast<std::uint32_t>(bytes.size())};
        std::copy(bytes.begin(), bytes.end(), place.octets);
        std::memcpy(raw_.data(), &place, kOutsideBytes);
        raw_.back() = kIsOutside;
    }

    [[nodiscard]] const std::uint8_t* data() const {
        return is_outside() ? outside().octets : raw_.data();
    }
    [[nodiscard]] std::size_t size() const { return is_outside() ? outside().size : raw_.back(); }
    [[nodiscard]] const std::uint8_t* begin() const { return data(); }
    [[nodiscard]] const std::uint8_t* end() const { return data() + size(); }
    [[nodiscard]] Bytes copy() const { return {begin(), end()}; }

    friend bool operator==(const SmallBytes& a, ByteView b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end());
    }
    friend bool operator==(const SmallBytes& a, const Bytes& b) { return a == ByteView(b); }
    friend bool operator==(const SmallBytes& a, const SmallBytes& b) { return a == ByteView(b); }

  private:
    struct Outside {
        std::uint8_t* octets;
        std::uint32_t size;
    };
    static constexpr std::size_t kOutsideBytes = sizeof(std::uint8_t*) + sizeof(std::uint32_t);
    static constexpr std::uint8_t kIsOutside = 0xff;

    [[nodiscard]] bool is_outside() const { return raw_.back() == kIsOutside; }
    [[nodiscard]] Outside outside() const {
        Outside place{};
        std::memcpy(&place, raw_.data(), kOutsideBytes);
        return place;
    }
    void release() {
        if (is_outside()) {
            delete[] outside().octets;
        }
        raw_.back() = 0;
    }

    // The last octet is the size of what is inside, or kIsOutside.
    alignas(8) std::array<std::uint8_t, kInside + 1> raw_{};
};
static_assert(sizeof(SmallBytes) == 16);

}  // namespace vpnha
