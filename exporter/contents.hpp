// SPDX-License-Identifier: GPL-2.0-or-later
// The answers of vpnha-exporter for each path. However often a path is requested, vpnhad is asked
// for a text at most every five seconds.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "cli/ask.hpp"

namespace vpnha::exporter {

struct Reply {
    unsigned status = 0;  // Of HTTP.
    std::string type;     // Of the body.
    std::string body;
};

class Contents {
  public:
    using Clock = std::chrono::steady_clock;
    explicit Contents(
        cli::Ask ask, std::function<Clock::time_point()> now = [] { return Clock::now(); })
        : ask_(std::move(ask)), now_(std::move(now)) {}

    [[nodiscard]] Reply reply_to(std::string_view method, std::string_view path);

  private:
    struct Kept {
        Clock::time_point until;
        Reply reply;
    };

    cli::Ask ask_;
    std::function<Clock::time_point()> now_;
    std::map<std::string_view, Kept> kept_;  // By path.
};

}  // namespace vpnha::exporter
