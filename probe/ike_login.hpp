// SPDX-License-Identifier: GPL-2.0-or-later
// IKE with a test account: a login, an address if the account asks for one, and the end. A charon
// of Debian's runs for it as long as the probe. Without an inner step no CHILD_SA is requested (RFC
// 6023; IKEv1 ends with phase 1). So no key of ESP is made, and the kernel has only the policies
// for the charon's own packets.
//
// That charon is in a mount namespace of the probe's, with files in memory that end with it. It
// does not touch another charon's socket, settings or log. It has ports of its own.
#pragma once

#include <functional>
#include <string>

#include "probe/datagrams.hpp"
#include "probe/options.hpp"
#include "probe/report.hpp"

namespace vpnha::probe {

// The inner step, carried out through an SA in transport mode for L2TP, within that time.
using Within = std::function<Outcome(std::chrono::nanoseconds patience)>;

// The settings that the probe adds to an account, as swanctl reads them. Pure. `version`: 1 or 2.
// `for_l2tp`: there is a CHILD_SA.
[[nodiscard]] std::string ike_settings(int version, const std::string& server,
                                       const std::string& source, bool for_l2tp = false);
// Why no IKE SA was made, from the output of `swanctl --initiate`.
[[nodiscard]] Error ike_refusal(const std::string& printed);
// Whether the account asks for an address of the server's.
[[nodiscard]] bool wants_address(std::string_view account);

// It needs root, /usr/sbin/charon-systemd and /usr/sbin/swanctl: error unsupported. The outcome
// includes the steps of `within`, if it is given.
[[nodiscard]] Outcome log_in_by_ike(int version, const Path& path, const std::string& account_file,
                                    std::chrono::nanoseconds patience, Within within = nullptr);

}  // namespace vpnha::probe
