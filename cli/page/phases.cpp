// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/page/phases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "base/markup.hpp"

namespace vpnha::cli::page {

namespace {

using nlohmann::json;

constexpr double kWidth = 1060;
constexpr double kLeft = 150;
constexpr double kRight = 80;
constexpr double kTop = 26;
constexpr double kRow = 20;

// In the order in which they run (cluster/takeover/takeover.hpp).
constexpr std::array kPromoted{"grant",           "warm_counters",    "claim",
                               "add_addresses",   "open_gate",        "announce",
                               "resume_sessions", "activate_services"};
constexpr std::array kStandingIn{"grant",     "warm_counters",   "add_addresses",
                                 "open_gate", "announce",        "await_group",
                                 "claim",     "resume_sessions", "activate_services"};

struct Bar {
    std::string name;
    double begin_ms = 0;  // From the gate's opening on.
    double end_ms = 0;
    std::string_view css = "mark";
};

template <class Names>
std::vector<Bar> phases_in(const Names& names, const json& phases) {
    std::vector<Bar> bars;
    double at = 0;
    double opened = 0;
    for (const char* const name : names) {
        const double took = phases.value(name, 0.0);
        if (phases.contains(name)) {
            bars.push_back({name, at, at + took});
        }
        at += took;
        opened = std::string_view(name) == "open_gate" ? at : opened;
    }
    for (Bar& bar : bars) {
        bar.begin_ms -= opened;
        bar.end_ms -= opened;
    }
    return bars;
}

std::vector<Bar> bars_of(const json& takeover) {
    const json& phases = takeover.at("phases_ms");
    std::vector<Bar> bars = phases.contains("await_group") ? phases_in(kStandingIn, phases)
                                                           : phases_in(kPromoted, phases);
    if (const json& silence = takeover.at("silence_ms"); silence.is_number()) {
        bars.insert(bars.begin(), {"silence", -silence.get<double>(), 0, "gap"});
    }
    return bars;
}

}  // namespace

std::string drawing_of(const json& takeover) {
    const std::vector<Bar> bars = bars_of(takeover);
    double begin = 0;
    double end = 1;
    for (const Bar& bar : bars) {
        begin = std::min(begin, bar.begin_ms);
        end = std::max(end, bar.end_ms);
    }
    const auto x = [&](double at_ms) {
        return kLeft + (at_ms - begin) / (end - begin) * (kWidth - kLeft - kRight);
    };
    const double bottom = kTop + kRow * static_cast<double>(bars.size());
    std::string svg =
        fmt::format(R"(<svg viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="Last takeover">)",
                    kWidth, bottom + 8);
    svg += fmt::format(R"(<path class="fault" d="M{0:.1f} {1:.0f}V{2:.1f}"/>)", x(0), kTop - 8,
                       bottom);
    svg += fmt::format(R"(<text x="{:.1f}" y="12" class="gap-label" text-anchor="middle">)"
                       "gate opened</text>",
                       std::clamp(x(0), 40.0, kWidth - 40));
    double y = kTop;
    for (const Bar& bar : bars) {
        svg += fmt::format(R"(<text x="0" y="{:.1f}" class="title">{}</text>)", y + 12,
                           escaped_markup(bar.name));
        svg += fmt::format(R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="14" class="{}"/>)",
                           x(bar.begin_ms), y, std::max(x(bar.end_ms) - x(bar.begin_ms), 1.0),
                           bar.css);
        svg += fmt::format(R"(<text x="{:.1f}" y="{:.1f}" class="soft halo">{:.1f} ms</text>)",
                           x(bar.end_ms) + 6, y + 12, bar.end_ms - bar.begin_ms);
        y += kRow;
    }
    return svg + "</svg>";
}

}  // namespace vpnha::cli::page
