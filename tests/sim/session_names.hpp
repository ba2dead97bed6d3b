// SPDX-License-Identifier: GPL-2.0-or-later
// Sessions of all protocols go by the keys of their records.
#pragma once

#include <string>

#include "l2tp/session_record.hpp"
#include "wire/record_key.hpp"

namespace vpnha::sim {

// The L2TP session with that record, which is one.
[[nodiscard]] l2tp::SessionKey l2tp_key(const wire::RecordKey& key);
// For people.
[[nodiscard]] std::string name_of(const wire::RecordKey& key);

}  // namespace vpnha::sim
