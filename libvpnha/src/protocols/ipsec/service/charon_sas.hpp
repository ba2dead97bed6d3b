// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "host/services/stock_service.hpp"
#include "protocols/ipsec/model/ha_message.hpp"

namespace vpnha::adapters {

// All IKE SAs of the charon that listens at the vici socket, established or not. charon may delay
// the answer while it handles an SA; the whole call ends after `timeout`.
[[nodiscard]] Result<std::vector<ipsec::IkeId>> list_ike_sas(const std::string& socket,
                                                             std::chrono::milliseconds timeout);

// The same for a charon that vpnha has started in that network namespace, after its start. A charon
// without its connections loses each SA that it is fed, and does not report that.
[[nodiscard]] Result<std::vector<ipsec::IkeId>> list_ike_sas(const StockService& charon,
                                                             const std::string& netns,
                                                             std::chrono::milliseconds timeout);

// Has charon replace these CHILD SAs, named by their inbound SPIs, and those whose rekey time has
// passed. Those of the IKE SAs `refusing`, whose clients refuse a rekey, it deletes instead.
// Returns when all have been requested; an error is the last one's.
[[nodiscard]] Result<void> rekey_children(const std::string& socket,
                                          const std::vector<std::uint32_t>& children,
                                          const std::vector<ipsec::IkeKey>& refusing,
                                          std::chrono::milliseconds timeout);

// Has charon end those of these IKE SAs that are established, with a DELETE to each peer, without
// waiting for the answers. Returns the SAs that charon does not have, once all others have been
// requested; an error is the last one's.
[[nodiscard]] Result<std::vector<ipsec::IkeKey>> end_ike_sas(const std::string& socket,
                                                             const std::vector<ipsec::IkeKey>& sas,
                                                             std::chrono::milliseconds timeout);

// Has charon drop its half-open IKE SAs without a message to their peers. Returns when there are
// none left; busy, or the last refusal: some are left after ten rounds. charon 6.0.1 aborts at a
// turn while it has one (strongSwan #2781).
[[nodiscard]] Result<void> end_half_open_sas(const std::string& socket,
                                             std::chrono::milliseconds timeout);

}  // namespace vpnha::adapters
