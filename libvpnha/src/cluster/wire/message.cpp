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

std::string_view to_string(ResyncReason reason) {
    switch (reason) {
        case ResyncReason::joined:
            return "it has just joined";
        case ResyncReason::gap:
            return "changes were missed";
        case ResyncReason::digest:
            return "it differs from its source";
        case ResyncReason::malformed:
            return "a message could not be read";
        case ResyncReason::missed_claim:
            return "the begin of an epoch was missed";
        case ResyncReason::over_limit:
            return "records did not fit";
        case ResyncReason::source_lost:
            return "the source died before it had sent everything";
        case ResyncReason::requested:
            return "the operator asked for it";
    }
    return "for a reason of a later release";
}

}  // namespace vpnha::wire
