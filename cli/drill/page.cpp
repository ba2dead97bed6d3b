// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "base/markup.hpp"
#include "cli/page/html.hpp"
#include "host/os/utc.hpp"

namespace vpnha::cli::drill {

namespace {

std::string table_of(const Record& record) {
    std::vector<Moment> moments = record.moments;
    std::ranges::stable_sort(moments, {}, &Moment::at_ms);
    const double origin = record.struck_ms.value_or(record.begun_ms);
    std::vector<std::vector<std::string>> rows;
    for (const Moment& moment : moments) {
        rows.push_back(
            {fmt::format("{:+.3f} s", (moment.at_ms - origin) / 1000), moment.node, moment.text});
    }
    return html_table({"from the fault", "node", "what"}, rows);
}

}  // namespace

std::string page_of(const Record& record) {
    const std::string title =
        fmt::format("Drill {} of gateway {}", kind_of(record.kind).name, record.gateway);
    return html_document(
        title,
        fmt::format("<p class=\"lead\">{}, {}, run on {}.</p>\n<ul class=\"verdict{}\">\n{}</ul>\n"
                    "<div class=\"scroll\">{}</div>\n<h2>Moments</h2>\n{}<h2>Known before</h2>\n"
                    "<ul>\n{}</ul>\n",
                    adapters::utc_us(static_cast<std::uint64_t>(record.begun_ms * 1000)),
                    escaped_markup(record.fault), escaped_markup(record.node),
                    record.is_good() ? " good" : "", html_items(summary(record)),
                    timeline_of(record), table_of(record),
                    html_items(record.notes.empty() ? std::vector<std::string>{"Nothing was amiss."}
                                                    : record.notes)));
}

}  // namespace vpnha::cli::drill
