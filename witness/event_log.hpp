// SPDX-License-Identifier: GPL-2.0-or-later
// The log of a witness: lines on stderr, as vpnhad's are,
//     2026-11-20T09:46:11.123456Z vpnha-witness[812]: info: node 1 is reachable event=node-seen …
// A thread writes them, so that a file that blocks delays nothing. Of frequent events it writes
// kLinesAtOnce lines at once, and then one a second; another line has how many were left out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/time.hpp"
#include "host/os/log_writer.hpp"
#include "vpnha/result.hpp"

namespace vpnha::witness {

enum class Level : std::uint8_t { info, warning, error };

class EventLog {
  public:
    static constexpr std::uint64_t kLinesAtOnce = 300;  // All gateways, and some more.

    // Error: no thread could be created.
    [[nodiscard]] static Result<std::unique_ptr<EventLog>> open(TimePoint now);

    void write(Level level, const std::string& text, TimePoint now);

  private:
    EventLog(std::unique_ptr<adapters::LogWriter> writer, TimePoint now)
        : writer_(std::move(writer)), filled_at_(now) {}

    std::unique_ptr<adapters::LogWriter> writer_;
    std::uint64_t allowed_ = kLinesAtOnce;
    TimePoint filled_at_;
    std::uint64_t left_out_ = 0;
};

}  // namespace vpnha::witness
