// SPDX-License-Identifier: GPL-2.0-or-later
// IKE with a test account: a login, an address where the account asks for one, and the end, by a
// charon of Debian's that lives for as long as the probe does. No CHILD_SA is asked for (RFC 6023;
// IKEv1 ends with phase 1), so no key of ESP is made, and nothing is in the kernel but what lets
// the charon's own packets out.
//
// That charon is in a mount namespace of the probe's, with files in memory that are gone with it:
// no other charon's socket, settings or log is touched. It has ports of its own.
#pragma once

#include <string>

#include "probe/datagrams.hpp"
#include "probe/options.hpp"
#include "probe/report.hpp"

namespace vpnha::probe {

// The account and what the probe sets in it, as swanctl reads it. Pure. `version`: 1 or 2.
[[nodiscard]] std::string ike_settings(int version, const std::string& server,
                                       const std::string& source);
// Why no IKE SA was made, from what `swanctl --initiate` has printed.
[[nodiscard]] Error ike_refusal(const std::string& printed);
// Whether the account asks for an address of the server's.
[[nodiscard]] bool wants_address(std::string_view account);

// It needs root, /usr/sbin/charon-systemd and /usr/sbin/swanctl: error unsupported.
[[nodiscard]] Outcome log_in_by_ike(int version, const Path& path, const std::string& account_file,
                                    std::chrono::nanoseconds patience);

}  // namespace vpnha::probe
