// SPDX-License-Identifier: GPL-2.0-or-later
// The main() of a vpnhad with codecs and protocols of its own, for tests.
#pragma once

#include <span>

#include "cluster/wire/codec.hpp"
#include "daemon/protocol.hpp"

namespace vpnha::next {

// Takes the options of vpnhad, and returns its exit code. `codecs` and `others` must outlive
// the call.
[[nodiscard]] int run_vpnhad(int argc, char** argv, std::span<const wire::Codec> codecs,
                             std::span<const runtime::Protocol> others = {});

}  // namespace vpnha::next
