// SPDX-License-Identifier: GPL-2.0-or-later
#include "lease/exchange.hpp"

#include <utility>

namespace vpnha::lease {

Exchange::Arrival Exchange::on_datagram(ByteView bytes) {
    Result<Datagram> datagram = parse_datagram(bytes, key_);
    if (!datagram) {
        const bool is_forged = datagram.error().code == Errc::permission;
        return {is_forged ? Kind::forged : Kind::malformed, std::nullopt, std::nullopt};
    }
    Arrival arrival{Kind::taken, std::move(*datagram), std::nullopt};
    const Sender& sender = arrival.datagram->sender;
    const Message& message = arrival.datagram->message;
    switch (guard_.on_datagram(sender, arrival.datagram->sequence, message)) {
        case ReplayGuard::Seen::replayed:
            arrival.kind = Kind::replayed;
            return arrival;
        case ReplayGuard::Seen::unproven:
            arrival.kind = Kind::unproven;
            break;
        case ReplayGuard::Seen::new_life:
        case ReplayGuard::Seen::fresh:
            if (!std::holds_alternative<Hello>(message)) {
                return arrival;
            }
            break;
    }
    arrival.greeting = guard_.greeting(sender.node, sender, std::get_if<Hello>(&message));
    return arrival;
}

}  // namespace vpnha::lease
