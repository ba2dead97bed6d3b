// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "base/markup.hpp"
#include "host/os/utc.hpp"

namespace vpnha::cli::drill {

namespace {

// Light and dark, on a screen and on paper, as lab/report/style.css has it.
constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --page: #fff; --ink: #1b1f24; --soft: #59636e; --line: #d5dae0;
  --gap: #d1242f; --dot: #0b6bcb; --good: #1a7f37; }
@media (prefers-color-scheme: dark) { :root { --page: #14181d; --ink: #e6e9ed; --soft: #a3adb8;
  --line: #39424c; --gap: #ff7b72; --dot: #6cb6ff; --good: #57c26b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 3rem; max-width: 1120px; background: var(--page);
  color: var(--ink); font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .3rem; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .4rem; }
.lead { color: var(--soft); }
.verdict { border-left: 4px solid var(--gap); padding: .2rem 0 .2rem .8rem; list-style: none; }
.verdict.good { border-color: var(--good); }
.scroll { overflow-x: auto; }
svg { display: block; width: 100%; min-width: 760px; height: auto; }
svg text { fill: var(--ink); font: 12px system-ui, "DejaVu Sans", sans-serif; }
svg .soft { fill: var(--soft); }
svg .title { font-weight: 600; }
svg .grid { stroke: var(--line); stroke-width: 1; fill: none; }
svg .dots { stroke: var(--dot); stroke-width: 3; stroke-linecap: round; fill: none; }
svg .lost { stroke: var(--gap); stroke-width: 1.5; fill: none; }
svg .gap { fill: var(--gap); fill-opacity: .13; }
svg .gap-label { fill: var(--gap); font-weight: 600; }
svg .halo { paint-order: stroke; stroke: var(--page); stroke-width: 4px; }
svg .fault { stroke: var(--gap); stroke-width: 1.5; stroke-dasharray: 5 3; fill: none; }
svg .lead-line { stroke: var(--soft); stroke-width: .75; fill: none; }
svg .mark { fill: var(--dot); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; }
)";

std::string list_of(const std::vector<std::string>& lines) {
    std::string html;
    for (const std::string& line : lines) {
        html += fmt::format("<li>{}</li>\n", escaped_markup(line));
    }
    return html;
}

std::string table_of(const Record& record) {
    std::vector<Moment> moments = record.moments;
    std::ranges::stable_sort(moments, {}, &Moment::at_ms);
    const double origin = record.struck_ms.value_or(record.begun_ms);
    std::string rows;
    for (const Moment& moment : moments) {
        rows += fmt::format("<tr><td>{:+.3f} s</td><td>{}</td><td>{}</td></tr>\n",
                            (moment.at_ms - origin) / 1000, escaped_markup(moment.node),
                            escaped_markup(moment.text));
    }
    return fmt::format(
        "<table><thead><tr><th>from the fault</th><th>node</th><th>what</th></tr></thead>\n"
        "<tbody>{}</tbody></table>",
        rows);
}

}  // namespace

std::string page_of(const Record& record) {
    const std::string title =
        fmt::format("Drill {} of gateway {}", kind_of(record.kind).name, record.gateway);
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<h1>{0}</h1>\n"
        "<p class=\"lead\">{2}, {3}, run on {4}.</p>\n<ul class=\"verdict{5}\">\n{6}</ul>\n"
        "<div class=\"scroll\">{7}</div>\n<h2>Moments</h2>\n<div class=\"scroll\">{8}</div>\n"
        "<h2>Known before</h2>\n<ul>\n{9}</ul>\n</body>\n</html>\n",
        escaped_markup(title), kStyle,
        adapters::utc_us(static_cast<std::uint64_t>(record.begun_ms * 1000)),
        escaped_markup(record.fault), escaped_markup(record.node), record.is_good() ? " good" : "",
        list_of(summary(record)), timeline_of(record), table_of(record),
        record.notes.empty() ? "<li>Nothing was amiss.</li>\n" : list_of(record.notes));
}

}  // namespace vpnha::cli::drill
