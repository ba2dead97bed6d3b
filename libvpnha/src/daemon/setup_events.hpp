// SPDX-License-Identifier: GPL-2.0-or-later
// Logs each change of this node's set-up (setup_memory.hpp), and keeps the file that remembers it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "daemon/setup_memory.hpp"
#include "host/os/background.hpp"

namespace vpnha::runtime {

class SetupEvents {
  public:
    // Both must outlive it. Reads the file.
    SetupEvents(adapters::QbLoop& loop, const config::Config& config);

    // `key_mark` is nullopt if the cluster's key could not be read: then nothing is compared.
    void handle(const std::vector<wire::Setup>& setups, std::optional<std::uint64_t> key_mark);

  private:
    // In a separate thread: the disk may hang.
    void save(std::string text);

    const config::Config& config_;
    std::string path_;
    SetupMemory memory_;
    std::string saved_;
    adapters::Background background_;
};

}  // namespace vpnha::runtime
