// SPDX-License-Identifier: GPL-2.0-or-later
// What happens in a run, for whoever has to understand it. A run that goes well tells nobody: a
// seed that fails is run again with the story on.
#pragma once

#include <fmt/format.h>

#include <deque>
#include <string>

#include "sim/agenda.hpp"

namespace vpnha::sim {

class Story {
  public:
    enum class Mode { silent, tail, all };

    Story(const Agenda& agenda, Mode mode) : agenda_(agenda), mode_(mode) {}

    [[nodiscard]] bool is_notified() const { return mode_ != Mode::silent; }

    template <class... Values>
    void notify(NodeId node, fmt::format_string<Values...> text, Values&&... values) {
        if (is_notified()) {
            add(fmt::format("node {}: {}", node.value,
                            fmt::format(text, std::forward<Values>(values)...)));
        }
    }
    template <class... Values>
    void notify(fmt::format_string<Values...> text, Values&&... values) {
        if (is_notified()) {
            add(fmt::format(text, std::forward<Values>(values)...));
        }
    }

    [[nodiscard]] const std::deque<std::string>& lines() const { return lines_; }

  private:
    static constexpr std::size_t kTailLines = 80;

    void add(const std::string& text) {
        const auto passed = agenda_.now().time_since_epoch() - std::chrono::hours(1);
        const std::string line =
            fmt::format("{:11.6f} {}", std::chrono::duration<double>(passed).count(), text);
        if (mode_ == Mode::all) {
            fmt::print("{}\n", line);
            return;
        }
        lines_.push_back(line);
        if (lines_.size() > kTailLines) {
            lines_.pop_front();
        }
    }

    const Agenda& agenda_;
    Mode mode_;
    std::deque<std::string> lines_;
};

}  // namespace vpnha::sim
