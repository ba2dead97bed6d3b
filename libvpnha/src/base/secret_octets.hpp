// SPDX-License-Identifier: GPL-2.0-or-later
// So many octets that nobody may find later: each object is wiped when it goes, when it is assigned
// to, and when it is moved from. It stands where it is declared, because a session has hundreds of
// keys: its memory is locked with all of vpnhad's (mlockall(2), host/os/process.hpp), and no
// core file has it. What comes from a file or a record, once, is adapters::SecretBytes.
#pragma once

#include <strings.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace vpnha {

template <std::size_t Count>
class SecretOctets {
  public:
    SecretOctets() = default;
    explicit SecretOctets(const std::array<std::uint8_t, Count>& octets) : octets_(octets) {}
    ~SecretOctets() { wipe(); }
    SecretOctets(const SecretOctets&) = default;
    SecretOctets& operator=(const SecretOctets&) = default;
    SecretOctets(SecretOctets&& other) noexcept : octets_(other.octets_) { other.wipe(); }
    SecretOctets& operator=(SecretOctets&& other) noexcept {
        if (this != &other) {
            octets_ = other.octets_;
            other.wipe();
        }
        return *this;
    }

    void wipe() { ::explicit_bzero(octets_.data(), Count); }

    [[nodiscard]] std::uint8_t* data() { return octets_.data(); }
    [[nodiscard]] const std::uint8_t* data() const { return octets_.data(); }
    [[nodiscard]] static constexpr std::size_t size() { return Count; }
    [[nodiscard]] auto begin() { return octets_.begin(); }
    [[nodiscard]] auto begin() const { return octets_.begin(); }
    [[nodiscard]] auto end() { return octets_.end(); }
    [[nodiscard]] auto end() const { return octets_.end(); }
    [[nodiscard]] std::uint8_t& operator[](std::size_t at) { return octets_[at]; }
    [[nodiscard]] std::uint8_t operator[](std::size_t at) const { return octets_[at]; }

  private:
    std::array<std::uint8_t, Count> octets_{};
};

}  // namespace vpnha
