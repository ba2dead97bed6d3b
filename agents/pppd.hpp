// SPDX-License-Identifier: GPL-2.0-or-later
// The two modes of ocf:vpnha:pppd, which have nothing in common but the name.
#pragma once

#include "vpnha/ocf.hpp"

namespace vpnha::agents {

struct PppdMode {
    ocf::Outcome (*start)(const ocf::Call& call);
    ocf::Outcome (*stop)(const ocf::Call& call);
    ocf::Outcome (*monitor)(const ocf::Call& call);
    ocf::Outcome (*reload)(const ocf::Call& call);
    ocf::Outcome (*validate)(const ocf::Call& call);
};

// One outgoing link, on one node.
[[nodiscard]] const PppdMode& pppd_link();
// A look at a gateway's live sessions, on every node.
[[nodiscard]] const PppdMode& pppd_gateway();

inline constexpr const char* kPppdRedialLimit = "180";

}  // namespace vpnha::agents
