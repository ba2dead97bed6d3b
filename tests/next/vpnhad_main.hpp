// SPDX-License-Identifier: GPL-2.0-or-later
// The main() of a vpnhad with codecs of its own, for tests.
#pragma once

#include <span>

#include "cluster/wire/codec.hpp"

namespace vpnha::next {

// Takes the options of vpnhad, and returns its exit code. `codecs` must outlive the call.
[[nodiscard]] int run_vpnhad(int argc, char** argv, std::span<const wire::Codec> codecs);

}  // namespace vpnha::next
