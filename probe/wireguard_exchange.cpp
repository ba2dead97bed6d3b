// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/wireguard_exchange.hpp"

#include <algorithm>

namespace vpnha::probe {

namespace {

// A server tells times apart in steps of a fiftieth of a second at most.
constexpr std::uint32_t kLaterNanoseconds = 20'000'000;
constexpr std::uint32_t kNanosecondsMax = 999'999'999;

}  // namespace

Result<std::unique_ptr<WireguardExchange>> WireguardExchange::make(
    noise::Account account, const WireguardNumbers& numbers) {
    auto made =
        std::unique_ptr<WireguardExchange>(new WireguardExchange(std::move(account), numbers));
    VPNHA_CHECK(made->begin());
    return made;
}

Result<void> WireguardExchange::begin() {
    const Bytes number{static_cast<std::uint8_t>(handshakes_.size())};
    const auto ephemeral = noise::derive<1>(numbers_.seed, number);
    if (!ephemeral) {
        return fail(Errc::unsupported, "this machine's libcrypto has no BLAKE2s");
    }
    VPNHA_TRY(auto handshake,
              noise::Handshake::begin(account_, numbers_.index, (*ephemeral)[0],
                                      noise::timestamp_of(numbers_.unix_s, numbers_.nanoseconds)));
    handshakes_.push_back(std::move(handshake));
    ++numbers_.index;
    numbers_.nanoseconds += kLaterNanoseconds;
    if (numbers_.nanoseconds > kNanosecondsMax) {
        numbers_.nanoseconds -= kNanosecondsMax + 1;
        ++numbers_.unix_s;
    }
    return {};
}

void WireguardExchange::repeat() {
    // If none can be made, the previous one stays, which the server may not have received.
    static_cast<void>(begin());
}

Result<void> WireguardExchange::on_datagram(ByteView datagram) {
    over_ = over_ || std::ranges::any_of(handshakes_, [&](const noise::Handshake& each) {
                return each.is_answered_by(datagram, account_);
            });
    is_put_off_ = is_put_off_ || (!datagram.empty() && datagram[0] == noise::kCookieReply);
    return {};
}

std::string WireguardExchange::hint() const {
    return is_put_off_ ? "the server is under load, and wants a cookie first" : "";
}

}  // namespace vpnha::probe
