// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "cluster/lease/messages.hpp"

namespace vpnha::sim {

// A line of the story for what decides who is granted the lease; empty for renewals, their answers
// and what only keeps the links.
[[nodiscard]] std::string in_words(const lease::Message& message);

}  // namespace vpnha::sim
