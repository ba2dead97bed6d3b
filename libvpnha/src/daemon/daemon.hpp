// SPDX-License-Identifier: GPL-2.0-or-later
// vpnhad with wire versions and protocols of one's choice: tests run the one of a release to come,
// and one with a protocol of their own.
#pragma once

#include <span>

#include "cluster/wire/codec.hpp"
#include "daemon/protocol.hpp"
#include "vpnha/daemon.hpp"

namespace vpnha::runtime {

// As vpnha::run_daemon(); `codecs` and `others` must outlive the call. `others`: protocols besides
// the library's.
[[nodiscard]] DaemonEnd run_daemon(const DaemonOptions& options,
                                   std::span<const wire::Codec> codecs,
                                   std::span<const Protocol> others = {});

}  // namespace vpnha::runtime
