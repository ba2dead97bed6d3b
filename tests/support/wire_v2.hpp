// SPDX-License-Identifier: GPL-2.0-or-later
// A wire version that no release speaks: what the next one could look like. A node with these
// codecs is the "N+1" of a rolling upgrade.
#pragma once

#include <span>

#include "cluster/wire/codec.hpp"

namespace vpnha::wire {

// Versions 1 and 2.
[[nodiscard]] std::span<const Codec> next_codecs();
// Version 2 alone: two releases later, when 1 is no longer spoken.
[[nodiscard]] std::span<const Codec> distant_codecs();

}  // namespace vpnha::wire
