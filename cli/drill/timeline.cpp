// SPDX-License-Identifier: GPL-2.0-or-later
// The drawing of a drill: a panel for each watch, a lane for each node.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "base/markup.hpp"
#include "cli/drill/page.hpp"

namespace vpnha::cli::drill {

namespace {

constexpr double kWidth = 1060;
constexpr double kLeft = 112;
constexpr double kRight = 16;
constexpr double kPanelHeight = 150;
constexpr double kRowHeight = 16;
// Wider than the mean glyph at 12 px, so that an estimate errs towards more room.
constexpr double kGlyphWidth = 6.9;
constexpr double kBoldGlyphWidth = 8.2;
constexpr double kFromMark = 6;  // To its label.
// Above a panel or a lane, for names of any length.
constexpr double kNameHeight = 20;
// Drawn around the fault and the move.
constexpr double kMarginMs = 3000;
constexpr std::size_t kMomentsPerLaneMax = 16;

// A step of 1, 2 or 5 times a power of ten that divides `span` in at most `count` parts.
double nice_step(double span, double count) {
    const double rough = span / count;
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (factor * power >= rough) {
            return factor * power;
        }
    }
    return 10 * power;
}

// The part of a text that fits into so many glyphs; the page has all of it beside the drawing.
std::string shortened(std::string_view words, double glyphs) {
    const auto max = static_cast<std::size_t>(std::max(glyphs, 2.0));
    if (words.size() <= max) {
        return std::string(words);
    }
    std::size_t end = max - 1;
    while (end > 0 && (static_cast<unsigned char>(words[end]) & 0xc0U) == 0x80U) {
        --end;  // Within a character of UTF-8.
    }
    return std::string(words.substr(0, end)) + "\u2026";
}

// Collects SVG elements; `y` is the vertical position of the next one. The elements below all texts
// are known last.
class Chart {
  public:
    Chart(double begin_ms, double end_ms, double origin_ms)
        : begin_ms_(begin_ms), end_ms_(end_ms), origin_ms_(origin_ms) {}

    [[nodiscard]] double x(double at_ms) const {
        const double share = (at_ms - begin_ms_) / (end_ms_ - begin_ms_);
        return kLeft + std::clamp(share, 0.0, 1.0) * (kWidth - kLeft - kRight);
    }
    [[nodiscard]] bool has(double at_ms) const { return at_ms >= begin_ms_ && at_ms <= end_ms_; }

    template <class... Values>
    void add(fmt::format_string<Values...> text, Values&&... values) {
        svg_ += fmt::format(text, std::forward<Values>(values)...);
    }
    void text(double at_x, double at_y, std::string_view words, std::string_view css,
              std::string_view anchor = "start") {
        add(R"(<text x="{:.1f}" y="{:.1f}" class="{}" text-anchor="{}">{}</text>)", at_x, at_y, css,
            anchor, escaped_markup(words));
    }

    // Beside a mark, on the side with room for it.
    void label(double at_x, double at_y, std::string_view words, std::string_view css,
               double glyph_width);

    void watch(const Watch& watch, const Seen& seen);
    void lane(const std::string& node, std::vector<Moment> moments);
    void axis();
    void fault(std::string_view words);
    [[nodiscard]] std::string finish(std::string_view title) const {
        return fmt::format(
            R"(<svg viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">{}{}</svg>)", kWidth,
            y_ + 40, escaped_markup(title), behind_, svg_);
    }

  private:
    double begin_ms_;
    double end_ms_;
    double origin_ms_;
    double y_ = 28;
    std::string behind_;
    std::string svg_;
};

void Chart::label(double at_x, double at_y, std::string_view words, std::string_view css,
                  double glyph_width) {
    const double left = at_x - kFromMark;
    const double right = kWidth - at_x - kFromMark;
    const bool is_left = static_cast<double>(words.size()) * glyph_width > right && left > right;
    text(is_left ? left : at_x + kFromMark, at_y,
         shortened(words, (is_left ? left : right) / glyph_width), css, is_left ? "end" : "start");
}

void Chart::watch(const Watch& watch, const Seen& seen) {
    text(0, y_ + 8,
         shortened(fmt::format("{}: round trip to {}, ms", watch.machine, watch.address),
                   kWidth / kBoldGlyphWidth),
         "title halo");
    const double top = y_ + kNameHeight;
    const double bottom = top + kPanelHeight;
    double low = 10;
    double high = 1;
    for (const Probe& probe : watch.probes) {
        if (probe.answered_ms && has(probe.sent_ms)) {
            const double round_trip = std::max(*probe.answered_ms - probe.sent_ms, 0.01);
            low = std::min(low, round_trip);
            high = std::max(high, round_trip);
        }
    }
    const double first = std::floor(std::log10(low));
    const double last = std::max(std::ceil(std::log10(high)), first + 2);
    const auto height_of = [&](double round_trip) {
        const double share = (std::log10(std::max(round_trip, 0.01)) - first) / (last - first);
        return bottom - 22 - std::clamp(share, 0.0, 1.0) * (kPanelHeight - 30);
    };
    if (seen.longest && has(seen.longest->begin_ms)) {
        const double from = x(seen.longest->begin_ms);
        add(R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" class="gap"/>)", from,
            top, std::max(x(seen.longest->end_ms) - from, 0.5), kPanelHeight);
    }
    for (double exponent = first; exponent <= last; ++exponent) {
        const double at = height_of(std::pow(10.0, exponent));
        add(R"(<path class="grid" d="M{:.0f} {:.1f}H{:.0f}"/>)", kLeft, at, kWidth - kRight);
        text(kLeft - 6, at + 4, fmt::format("{:g}", std::pow(10.0, exponent)), "soft", "end");
    }
    text(kLeft - 6, bottom - 1, "lost", "gap-label", "end");
    std::string dots;
    std::string lost;
    for (const Probe& probe : watch.probes) {
        if (!has(probe.sent_ms)) {
            continue;
        }
        if (probe.answered_ms) {
            dots += fmt::format("M{:.1f} {:.1f}h0", x(probe.sent_ms),
                                height_of(*probe.answered_ms - probe.sent_ms));
        } else {
            lost += fmt::format("M{:.1f} {:.1f}v8", x(probe.sent_ms), bottom - 9);
        }
    }
    add(R"(<path class="lost" d="{}"/><path class="dots" d="{}"/>)", lost, dots);
    if (seen.longest && has(seen.longest->begin_ms)) {
        const double middle = (x(seen.longest->begin_ms) + x(seen.longest->end_ms)) / 2;
        text(std::clamp(middle, kLeft + 80, kWidth - kRight - 80), top + 16,
             "silence " + duration_text(seen.longest->length_ms()), "gap-label halo", "middle");
    }
    y_ = bottom + 30;
}

void Chart::lane(const std::string& node, std::vector<Moment> moments) {
    text(0, y_, node, "title halo");
    y_ += kNameHeight;
    add(R"(<path class="grid" d="M{:.0f} {:.1f}H{:.0f}"/>)", kLeft, y_, kWidth - kRight);
    const std::size_t left_out =
        moments.size() > kMomentsPerLaneMax ? moments.size() - kMomentsPerLaneMax : 0;
    moments.resize(moments.size() - left_out);
    // A row each: a line leads from the mark down to its label. The last one is in the top row, so
    // that an earlier mark's line is left of all later labels.
    std::ranges::reverse(moments);
    double row = y_ + 18;
    for (const Moment& moment : moments) {
        const double at = x(moment.at_ms);
        add(R"(<path class="lead-line" d="M{0:.1f} {1:.1f}V{2:.1f}"/>)", at, y_, row - 4);
        add(R"(<circle cx="{:.1f}" cy="{:.1f}" r="4" class="mark"/>)", at, y_);
        label(at, row, fmt::format("{:+.2f} s {}", (moment.at_ms - origin_ms_) / 1000, moment.text),
              "halo", kGlyphWidth);
        row += kRowHeight;
    }
    if (left_out > 0) {
        text(kLeft, row, fmt::format("and {} more, in the table", left_out), "soft");
        row += kRowHeight;
    }
    y_ = row + 14;
}

void Chart::axis() {
    const double step = nice_step((end_ms_ - begin_ms_) / 1000, 12);
    const double first = std::ceil((begin_ms_ - origin_ms_) / 1000 / step);
    const double last = std::floor((end_ms_ - origin_ms_) / 1000 / step);
    for (double index = first; index <= last; ++index) {
        const double at = x(origin_ms_ + index * step * 1000);
        behind_ += fmt::format(R"(<path class="grid" d="M{:.1f} 24V{:.1f}"/>)", at, y_ + 4);
        text(at, y_ + 18, fmt::format("{:g}", index * step), "soft", "middle");
    }
    text((kLeft + kWidth - kRight) / 2, y_ + 35, "seconds from the fault", "soft", "middle");
}

void Chart::fault(std::string_view words) {
    const double at = x(origin_ms_);
    behind_ += fmt::format(R"(<path class="fault" d="M{0:.1f} 20V{1:.1f}"/>)", at, y_);
    label(at, 16, words, "gap-label", kBoldGlyphWidth);
}

// The part that is drawn: the fault, the move and the longest silence, with a margin.
std::pair<double, double> window_of(const Record& record, double origin) {
    double end = record.moved_ms.value_or(origin);
    for (const Watch& watch : record.watches) {
        const Seen seen = reckon(watch.probes, record.struck_ms);
        end = seen.longest ? std::max(end, seen.longest->end_ms) : end;
    }
    return {origin - kMarginMs, end + kMarginMs};
}

}  // namespace

std::string timeline_of(const Record& record) {
    const double origin = record.struck_ms.value_or(record.begun_ms);
    const auto [begin, end] = window_of(record, origin);
    Chart chart(begin, end, origin);
    for (const Watch& watch : record.watches) {
        chart.watch(watch, reckon(watch.probes, record.struck_ms));
    }
    std::vector<std::string> nodes{record.from, record.to, record.node};
    for (const Moment& moment : record.moments) {
        nodes.push_back(moment.node);
    }
    std::erase(nodes, "");
    std::vector<std::string> drawn;
    for (const std::string& node : nodes) {
        if (std::ranges::find(drawn, node) != drawn.end()) {
            continue;
        }
        drawn.push_back(node);
        std::vector<Moment> own;
        std::ranges::copy_if(record.moments, std::back_inserter(own), [&](const Moment& moment) {
            return moment.node == node && chart.has(moment.at_ms);
        });
        std::ranges::stable_sort(own, {}, &Moment::at_ms);
        chart.lane(node, std::move(own));
    }
    chart.fault(record.fault);
    chart.axis();
    return chart.finish(fmt::format("Drill {}", kind_of(record.kind).name));
}

}  // namespace vpnha::cli::drill
