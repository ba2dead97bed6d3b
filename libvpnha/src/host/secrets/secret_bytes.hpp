// SPDX-License-Identifier: GPL-2.0-or-later
// Octets that nobody may find later: in guarded memory, excluded from core files, locked as far as
// RLIMIT_MEMLOCK permits, and wiped when freed. Each object has its own pages, which takes the
// kernel some microseconds: one for a whole message, not one for each key in it.
#pragma once

#include <memory>
#include <span>

#include "base/bytes.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

class SecretBytes {
  public:
    // Empty, with room for so many. It never grows: that would leave a copy behind.
    [[nodiscard]] static Result<SecretBytes> with_room(std::size_t room);

    [[nodiscard]] ByteView view() const { return {memory_.get(), size_}; }
    // The free room after the octets: write into it, then call take().
    [[nodiscard]] std::span<std::uint8_t> room() { return {memory_.get() + size_, room_ - size_}; }
    void take(std::size_t count);
    // False, and nothing is appended, when there is no room.
    [[nodiscard]] bool append(ByteView octets);
    // Wipes them, and keeps the room.
    void clear();

  private:
    struct Wipe {
        void operator()(std::uint8_t* memory) const;
    };
    SecretBytes() = default;

    std::unique_ptr<std::uint8_t, Wipe> memory_;
    std::size_t room_ = 0;
    std::size_t size_ = 0;
};

}  // namespace vpnha::adapters
