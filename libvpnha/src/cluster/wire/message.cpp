// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/wire/message.hpp"

namespace vpnha::wire {

bool differ_by_sequence_alone(Hello a, Hello b) {
    for (Hello* const hello : {&a, &b}) {
        for (GatewayState& state : hello->gateways) {
            state.sequence = 0;
        }
    }
    return a == b;
}

std::string_view to_string(Doubt doubt) {
    switch (doubt) {
        case Doubt::joined:
            return "it has just joined";
        case Doubt::gap:
            return "changes were missed";
        case Doubt::digest:
            return "it differs from its source";
        case Doubt::malformed:
            return "a message could not be read";
        case Doubt::missed_claim:
            return "an epoch began unheard";
        case Doubt::over_limit:
            return "records did not fit";
        case Doubt::source_lost:
            return "the source died before it had told everything";
        case Doubt::requested:
            return "the operator asked for it";
    }
    return "for a reason of a later release";
}

}  // namespace vpnha::wire
