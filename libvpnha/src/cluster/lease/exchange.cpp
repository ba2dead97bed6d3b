// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/lease/exchange.hpp"

#include <utility>

namespace vpnha::lease {

void Exchange::Counters::count(Kind kind) {
    switch (kind) {
        case Kind::taken:
            ++taken;
            break;
        case Kind::forged:
            ++forged;
            break;
        case Kind::malformed:
            ++malformed;
            break;
        case Kind::replayed:
            ++replayed;
            break;
        case Kind::unproven:
            ++unproven;
            break;
    }
}

Exchange::Arrival Exchange::on_datagram(ByteView bytes) {
    Arrival arrival = parse(bytes);
    if (arrival.datagram) {
        judge(arrival);
    }
    return arrival;
}

Exchange::Arrival Exchange::parse(ByteView bytes) const {
    Result<Datagram> datagram = parse_datagram(bytes, key_);
    if (!datagram) {
        const bool is_forged = datagram.error().code == Errc::permission;
        return {is_forged ? Kind::forged : Kind::malformed, std::nullopt, std::nullopt};
    }
    return {Kind::taken, std::move(*datagram), std::nullopt};
}

void Exchange::judge(Arrival& arrival) {
    const Sender& sender = arrival.datagram->sender;
    const Message& message = arrival.datagram->message;
    const auto* const hello = std::get_if<Hello>(&message);
    switch (guard_.on_datagram(sender, arrival.datagram->sequence, message)) {
        case ReplayGuard::Seen::replayed:
            arrival.kind = Kind::replayed;
            return;
        case ReplayGuard::Seen::unproven:
            arrival.kind = Kind::unproven;
            break;
        case ReplayGuard::Seen::new_life:
        case ReplayGuard::Seen::fresh:
            if (hello == nullptr) {
                return;
            }
            break;
    }
    arrival.greeting = guard_.greeting(sender.node, sender, hello);
}

}  // namespace vpnha::lease
