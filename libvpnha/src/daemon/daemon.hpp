// SPDX-License-Identifier: GPL-2.0-or-later
// vpnhad with selectable wire versions: tests run the one of a future release.
#pragma once

#include <span>

#include "cluster/wire/codec.hpp"
#include "vpnha/daemon.hpp"

namespace vpnha::runtime {

// As vpnha::run_daemon(); `codecs` must outlive the call.
[[nodiscard]] DaemonEnd run_daemon(const DaemonOptions& options,
                                   std::span<const wire::Codec> codecs);

}  // namespace vpnha::runtime
