// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/secrets/secret_bytes.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <cerrno>

#include "base/assert.hpp"

namespace vpnha::adapters {

void SecretBytes::Wipe::operator()(std::uint8_t* memory) const {
    sodium_free(memory);
}

Result<SecretBytes> SecretBytes::with_room(std::size_t room) {
    // Its allocator needs it; a repeated call is harmless.
    if (sodium_init() < 0) {
        return fail(Errc::unsupported, "libsodium cannot be initialised");
    }
    SecretBytes bytes;
    bytes.memory_.reset(static_cast<std::uint8_t*>(sodium_malloc(room)));
    if (!bytes.memory_) {
        return tl::unexpected(system_error(fmt::format("{} octets of locked memory", room), errno));
    }
    bytes.room_ = room;
    return bytes;
}

void SecretBytes::take(std::size_t count) {
    VPNHA_ASSERT(count <= room_ - size_);
    size_ += count;
}

bool SecretBytes::append(ByteView octets) {
    if (octets.size() > room_ - size_) {
        return false;
    }
    std::copy(octets.begin(), octets.end(), room().begin());
    take(octets.size());
    return true;
}

void SecretBytes::clear() {
    sodium_memzero(memory_.get(), size_);
    size_ = 0;
}

}  // namespace vpnha::adapters
