// SPDX-License-Identifier: GPL-2.0-or-later
// The share of call ids that belongs to one node. pptpd gives each connection a block of 128 (pptpd
// 1.4.0, pptpmanager.c); a node has 8 of each block, by its id in corosync.conf. A client makes one
// call on a connection, rarely two.
#pragma once

#include <cstdint>

#include "base/ids.hpp"

namespace vpnha::pptp {

inline constexpr std::uint32_t kCallIdsOfABlock = 128;
inline constexpr std::uint32_t kCallIdsOfANode = 8;
inline constexpr std::uint32_t kCallIdShares = kCallIdsOfABlock / kCallIdsOfANode;

// The first of a node's ids in each block. Two nodes whose ids are equal modulo kCallIdShares have
// the same.
[[nodiscard]] constexpr std::uint32_t call_id_offset(NodeId node) {
    return node.value % kCallIdShares * kCallIdsOfANode;
}

}  // namespace vpnha::pptp
