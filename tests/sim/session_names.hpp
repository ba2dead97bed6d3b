// SPDX-License-Identifier: GPL-2.0-or-later
// Sessions of all protocols go by the keys of their records.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "cluster/wire/record_key.hpp"
#include "protocols/l2tp/model/session_record.hpp"
#include "protocols/pptp/model/call_record.hpp"

namespace vpnha::sim {

// What a session is kept in.
inline constexpr std::array kSessionTypes{wire::RecordType::l2tp_session,
                                          wire::RecordType::pptp_call};

// The L2TP session with that record, which is one.
[[nodiscard]] l2tp::SessionKey l2tp_key(const wire::RecordKey& key);
// The PPTP call; nullopt: it is another protocol's.
[[nodiscard]] std::optional<pptp::CallKey> call_key(const wire::RecordKey& key);
// The record can be parsed by this release.
[[nodiscard]] bool is_readable(const wire::RecordKey& key, ByteView record);
// For people.
[[nodiscard]] std::string name_of(const wire::RecordKey& key);

}  // namespace vpnha::sim
