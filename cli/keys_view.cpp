// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/keys_view.hpp"

#include "cli/table.hpp"
#include "vpnha/configuration.hpp"

namespace vpnha::cli {

std::string render_keys(bool use_colour) {
    std::vector<Row> rows;
    for (const ConfigurationKey& key : configuration_keys()) {
        rows.push_back({key.table, key.name, key.type,
                        key.fallback.empty() ? "(must be given)" : key.fallback});
    }
    return render_table({"TABLE", "KEY", "TAKES", "DEFAULT"}, rows, use_colour);
}

}  // namespace vpnha::cli
