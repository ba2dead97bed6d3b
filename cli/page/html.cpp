// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/page/html.hpp"

#include <fmt/format.h>

#include "base/markup.hpp"

namespace vpnha::cli {

namespace {

// Light and dark, on a screen and on paper, as in lab/report/style.css.
constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --page: #fff; --ink: #1b1f24; --soft: #59636e; --line: #d5dae0;
  --gap: #d1242f; --dot: #0b6bcb; --good: #1a7f37; }
@media (prefers-color-scheme: dark) { :root { --page: #14181d; --ink: #e6e9ed; --soft: #a3adb8;
  --line: #39424c; --gap: #ff7b72; --dot: #6cb6ff; --good: #57c26b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 3rem; max-width: 1120px; background: var(--page);
  color: var(--ink); font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif;
  overflow-wrap: break-word; }
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
th, td:not(:last-child) { white-space: nowrap; }
td:last-child { min-width: 12rem; }
)";

std::string cells_of(const std::vector<std::string>& texts, std::string_view tag) {
    std::string html;
    for (const std::string& text : texts) {
        html += fmt::format("<{0}>{1}</{0}>", tag, escaped_markup(text));
    }
    return html;
}

}  // namespace

std::string html_document(std::string_view title, std::string_view body) {
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<h1>{0}</h1>\n{2}</body>\n"
        "</html>\n",
        escaped_markup(title), kStyle, body);
}

std::string html_items(const std::vector<std::string>& texts) {
    std::string html;
    for (const std::string& text : texts) {
        html += fmt::format("<li>{}</li>\n", escaped_markup(text));
    }
    return html;
}

std::string html_table(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows) {
    std::string html;
    for (const std::vector<std::string>& row : rows) {
        html += fmt::format("<tr>{}</tr>\n", cells_of(row, "td"));
    }
    return fmt::format(
        "<div "
        "class=\"scroll\"><table><thead><tr>{}</tr></thead>\n<tbody>{}</tbody></table></div>\n",
        cells_of(header, "th"), html);
}

}  // namespace vpnha::cli
