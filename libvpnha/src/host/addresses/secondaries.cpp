// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/addresses/secondaries.hpp"

#include "host/os/text_file.hpp"

namespace vpnha::adapters {

Result<void> keep_secondaries(const std::string& interface) {
    const std::string path = "/proc/sys/net/ipv4/conf/" + interface + "/promote_secondaries";
    return read_text(path).starts_with('1') ? Result<void>{} : write_text(path, "1");
}

}  // namespace vpnha::adapters
