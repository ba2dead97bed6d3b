// SPDX-License-Identifier: GPL-2.0-or-later
#include "exporter/contents.hpp"

#include <algorithm>
#include <array>

#include "cli/metrics/metrics.hpp"
#include "cli/page/page.hpp"

namespace vpnha::exporter {

namespace {

constexpr std::chrono::seconds kFresh{5};
constexpr const char* kText = "text/plain; charset=utf-8";

// vpnha_up is 0 if vpnhad does not answer: a collector has to read that.
Reply metrics(const cli::Ask& ask) {
    return {200, "text/plain; version=0.0.4; charset=utf-8", cli::ask_metrics(ask).text};
}

// A process without privileges cannot read Pacemaker's constraints.
Reply page(const cli::Ask& ask) {
    cli::Rendered page = cli::page::ask_page(ask, fail(Errc::permission, "not read"));
    return {page.error ? 503U : 200U, "text/html; charset=utf-8", std::move(page.text)};
}

struct Place {
    std::string_view path;
    Reply (*reply)(const cli::Ask& ask);
};
constexpr std::array kPlaces{Place{"/metrics", metrics}, Place{"/", page}};

}  // namespace

Reply Contents::reply_to(std::string_view method, std::string_view path) {
    if (method != "GET" && method != "HEAD") {
        return {405, kText, "GET and HEAD alone\n"};
    }
    const auto* const place = std::ranges::find(kPlaces, path, &Place::path);
    if (place == kPlaces.end()) {
        return {404, kText, "there are / and /metrics\n"};
    }
    Kept& kept = kept_[place->path];
    if (kept.reply.body.empty() || now_() >= kept.until) {
        kept.reply = place->reply(ask_);
        kept.until = now_() + kFresh;
    }
    return kept.reply;
}

}  // namespace vpnha::exporter
