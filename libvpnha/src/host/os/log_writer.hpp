// SPDX-License-Identifier: GPL-2.0-or-later
// Writes lines to a file in a thread of its own: who logs never waits for the file. What waits is
// bounded by limits::kLogWaitingBytesMax; lines beyond that are dropped and counted, and one line
// in their place reports how many they were. The order of the lines is kept.
//
//   VPNHA_TRY(const auto writer, LogWriter::start(std::move(file), report));
//   writer->put("… vpnhad[812]: info: now promoted\n");
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/time.hpp"
#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

class LogWriter {
  public:
    // The line, with its end, that stands for so many dropped ones. Called in the writer's thread.
    using Report = std::function<std::string(std::uint64_t dropped)>;

    // Takes over `to`, which may block. Error: there is no thread to be had.
    [[nodiscard]] static Result<std::unique_ptr<LogWriter>> start(UniqueFd to, Report report);
    // Writes what waits, for limits::kLogEndPatience at most: the thread of a file that blocks
    // longer is left to the end of the process.
    ~LogWriter();
    LogWriter(const LogWriter&) = delete;
    LogWriter& operator=(const LogWriter&) = delete;

    // From any thread; returns at once. A line with its end. What the file refuses (a full disk) is
    // lost.
    void put(std::string line);
    // Whether everything is written, at once or within `at_most`. Takes no lock and allocates
    // nothing: a signal handler may call it.
    [[nodiscard]] bool wait_until_written(Duration at_most) const;
    // Of all lines so far.
    [[nodiscard]] std::uint64_t dropped() const;

  private:
    struct Shared;  // With the thread, which may outlive this.

    explicit LogWriter(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
    static void work(const std::shared_ptr<Shared>& shared);

    std::shared_ptr<Shared> shared_;
};

}  // namespace vpnha::adapters
