// SPDX-License-Identifier: GPL-2.0-or-later
// The OCF agents of provider vpnha. One program holds them all; the name it is called by selects
// one.
#pragma once

#include "vpnha/ocf.hpp"

namespace vpnha::agents {

[[nodiscard]] const ocf::Agent& announce();
[[nodiscard]] const ocf::Agent& checkpoint();
[[nodiscard]] const ocf::Agent& pppd();
[[nodiscard]] const ocf::Agent& pptpd();
[[nodiscard]] const ocf::Agent& probe();
[[nodiscard]] const ocf::Agent& strongswan();
[[nodiscard]] const ocf::Agent& vip();
[[nodiscard]] const ocf::Agent& xl2tpd();

inline constexpr const ocf::Agent& (*kAgents[])() = {announce, checkpoint, pppd, pptpd,
                                                     probe,    strongswan, vip,  xl2tpd};

}  // namespace vpnha::agents
