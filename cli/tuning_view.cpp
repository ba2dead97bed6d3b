// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/tuning_view.hpp"

#include "cli/table.hpp"
#include "vpnha/tuning.hpp"

namespace vpnha::cli {

std::string render_tuning(bool use_colour) {
    std::vector<Row> rows;
    for (const TuningRow& row : tuning_table()) {
        rows.push_back({row.name, row.wanted, row.is_must ? "must" : "advice", row.how, row.why});
    }
    return render_table({"SETTING", "WANTED", "WEIGHT", "HOW", "WHY"}, rows, use_colour);
}

}  // namespace vpnha::cli
