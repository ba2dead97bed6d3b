// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "host/services/stock_service.hpp"
#include "protocols/ipsec/model/ha_message.hpp"

namespace vpnha::adapters {

// All IKE SAs of the charon that listens at the vici socket, established or not. It waits for each
// that charon works on, so not longer than `timeout` altogether.
[[nodiscard]] Result<std::vector<ipsec::IkeId>> list_ike_sas(const std::string& socket,
                                                             std::chrono::milliseconds timeout);

// The same of a charon that vpnha has started in that network namespace, as soon as whoever starts
// it is done: one without its connections loses each SA that it is fed, and says nothing of that.
[[nodiscard]] Result<std::vector<ipsec::IkeId>> list_ike_sas(const StockService& charon,
                                                             const std::string& netns,
                                                             std::chrono::milliseconds timeout);

// Has charon make new CHILD SAs in the place of these, by their inbound SPIs, and of those whose
// time to be rekeyed has passed. Those of the IKE SAs `refusing`, whose clients take no rekey, it
// deletes instead. Returns when it has been asked for all; an error is the last one's.
[[nodiscard]] Result<void> rekey_children(const std::string& socket,
                                          const std::vector<std::uint32_t>& children,
                                          const std::vector<ipsec::IkeKey>& refusing,
                                          std::chrono::milliseconds timeout);

// Has charon end those of these IKE SAs that are established, with a DELETE to each peer; the
// answers are not waited for. Returns those that charon does not have, when it has been asked for
// all others; an error is the last one's.
[[nodiscard]] Result<std::vector<ipsec::IkeKey>> end_ike_sas(const std::string& socket,
                                                             const std::vector<ipsec::IkeKey>& sas,
                                                             std::chrono::milliseconds timeout);

// Has charon forget the IKE SAs that are half open, without a word to their peers. Returns when
// there are none left; busy, or the last refusal: some are left after ten rounds. charon 6.0.1
// aborts at a turn while it has one (strongSwan #2781).
[[nodiscard]] Result<void> end_half_open_sas(const std::string& socket,
                                             std::chrono::milliseconds timeout);

}  // namespace vpnha::adapters
