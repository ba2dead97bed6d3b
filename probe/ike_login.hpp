// SPDX-License-Identifier: GPL-2.0-or-later
// IKE with a test account: a login, an address where the account asks for one, and the end, by a
// charon of Debian's that lives for as long as the probe does. Unless something is to be carried
// out within, no CHILD_SA is asked for (RFC 6023; IKEv1 ends with phase 1): no key of ESP is made,
// and nothing is in the kernel but what lets the charon's own packets out.
//
// That charon is in a mount namespace of the probe's, with files in memory that are gone with it:
// no other charon's socket, settings or log is touched. It has ports of its own.
#pragma once

#include <functional>
#include <string>

#include "probe/datagrams.hpp"
#include "probe/options.hpp"
#include "probe/report.hpp"

namespace vpnha::probe {

// What is carried out by an SA in transport mode for L2TP, in so much time.
using Within = std::function<Outcome(std::chrono::nanoseconds patience)>;

// What the probe sets in an account, as swanctl reads it. Pure. `version`: 1 or 2. `for_l2tp`:
// there is a CHILD_SA.
[[nodiscard]] std::string ike_settings(int version, const std::string& server,
                                       const std::string& source, bool for_l2tp = false);
// Why no IKE SA was made, from what `swanctl --initiate` has printed.
[[nodiscard]] Error ike_refusal(const std::string& printed);
// Whether the account asks for an address of the server's.
[[nodiscard]] bool wants_address(std::string_view account);

// It needs root, /usr/sbin/charon-systemd and /usr/sbin/swanctl: error unsupported. The steps of
// `within`, where it is given, are among those of the outcome.
[[nodiscard]] Outcome log_in_by_ike(int version, const Path& path, const std::string& account_file,
                                    std::chrono::nanoseconds patience, Within within = nullptr);

}  // namespace vpnha::probe
