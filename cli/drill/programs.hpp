// SPDX-License-Identifier: GPL-2.0-or-later
// The system's and the cluster's programs that a drill runs.
#pragma once

namespace vpnha::cli::drill {

inline constexpr const char* kCfgtool = "/usr/sbin/corosync-cfgtool";
inline constexpr const char* kCmapctl = "/usr/sbin/corosync-cmapctl";
inline constexpr const char* kCrmMon = "/usr/sbin/crm_mon";
inline constexpr const char* kCrmResource = "/usr/sbin/crm_resource";
inline constexpr const char* kIp = "/usr/sbin/ip";
inline constexpr const char* kNft = "/usr/sbin/nft";
inline constexpr const char* kPkill = "/usr/bin/pkill";
inline constexpr const char* kStonithAdmin = "/usr/sbin/stonith_admin";
inline constexpr const char* kSysctl = "/usr/sbin/sysctl";

}  // namespace vpnha::cli::drill
