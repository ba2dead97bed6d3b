// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/mppe/sender.hpp"

namespace vpnha::mppe {

namespace {
// A, "flushed": stateless. D, "encrypted".
constexpr std::uint16_t kStatelessBits = 0x9000;
}  // namespace

bool Sender::catch_up(std::size_t keys_max) {
    for (; chain_.next() < index_ && keys_max > 0; --keys_max) {
        chain_.step();
    }
    return is_ready();
}

std::size_t Sender::seal(ByteView plain, std::uint8_t* out) {
    while (chain_.next() <= index_) {
        chain_.step();
    }
    const auto header = static_cast<std::uint16_t>(kStatelessBits | (index_ % kCoherencyCounts));
    out[0] = static_cast<std::uint8_t>(header >> 8);
    out[1] = static_cast<std::uint8_t>(header);
    chain_.crypt(chain_.key(), plain, out + kHeaderBytes);
    ++index_;
    return plain.size() + kHeaderBytes;
}

}  // namespace vpnha::mppe
