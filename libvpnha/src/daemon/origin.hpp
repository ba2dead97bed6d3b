// SPDX-License-Identifier: GPL-2.0-or-later
// What this vpnhad was started from: its program, its configuration, and the parameters of the
// resource. It knows only what it read at its start.
#pragma once

#include <string>
#include <vector>

namespace vpnha::runtime {

// The parameters of the resource that vpnhad is started with.
struct StartParameters {
    std::string config_file;
    std::string log_file;
};

class Origin {
  public:
    // Of the process whose program `program_link` names (proc(5)). The configuration was just read.
    explicit Origin(StartParameters parameters, std::string program_link = "/proc/self/exe");

    // As text: how a vpnhad started now with `wanted` would differ from this one.
    [[nodiscard]] std::vector<std::string> differences(const StartParameters& wanted) const;

  private:
    StartParameters parameters_;
    std::string program_link_;
    std::string config_;
};

}  // namespace vpnha::runtime
