// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/replica/kernel_state.hpp"

namespace vpnha::replica {

void KernelState::note(const wire::RecordKey& key, const StoredRecord& record, bool promoted) {
    const bool is_session = wire::is_session(key.type);
    switch (record.hold) {
        case Hold::installing:
            // A retried record that the others know as missing does not delay the rest.
            if (!record.missing) {
                installing_.insert(record.version);
                if (is_session) {
                    installing_sessions_.insert(record.version);
                }
            } else if (is_session) {
                missing_.insert(record.version);
            }
            break;
        case Hold::none:
        case Hold::refused:
        case Hold::unreadable:
            if (!promoted && is_session) {
                missing_.insert(record.version);
            }
            break;
        case Hold::installed:
        case Hold::carried:
            break;
    }
}

void KernelState::unnote(const StoredRecord& record) {
    installing_.erase(record.version);
    installing_sessions_.erase(record.version);
    missing_.erase(record.version);
}

}  // namespace vpnha::replica
