// SPDX-License-Identifier: GPL-2.0-or-later
// So many octets that nobody may find later: each object is wiped when it is destroyed, assigned
// to, or moved from. It is stored in place, because a session has hundreds of keys. Its memory is
// locked with all of vpnhad's (mlockall(2), host/os/process.hpp), and no core file has it. Secrets
// that are read once from a file or a record are adapters::SecretBytes.
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
