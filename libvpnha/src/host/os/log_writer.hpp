// SPDX-License-Identifier: GPL-2.0-or-later
// Writes lines to a file in a separate thread: a caller never waits for the file. Waiting lines are
// bounded by limits::kLogWaitingBytesMax; lines beyond that are dropped and counted, and one line
// in their place reports their number. The order of the lines is kept.
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
    // The line, with its end, that replaces so many dropped ones. Called in the writer's thread.
    using Report = std::function<std::string(std::uint64_t dropped)>;

    // Takes over `to`, which may block. Error: no thread is available.
    [[nodiscard]] static Result<std::unique_ptr<LogWriter>> start(UniqueFd to, Report report);
    // Writes the waiting lines, for limits::kLogEndPatience at most: the thread of a file that
    // blocks longer is left until the process ends.
    ~LogWriter();
    LogWriter(const LogWriter&) = delete;
    LogWriter& operator=(const LogWriter&) = delete;

    // From any thread; returns at once. A line with its end. Lines that the file refuses (a full
    // disk) are lost.
    void put(std::string line);
    // Whether everything is written, at once or within `at_most`. Takes no lock and allocates
    // nothing: a signal handler may call it.
    [[nodiscard]] bool wait_until_written(Duration at_most) const;
    // Of all lines so far.
    [[nodiscard]] std::uint64_t dropped() const;

  private:
    struct Shared;  // Shared with the thread, which may outlive this.

    explicit LogWriter(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
    static void work(const std::shared_ptr<Shared>& shared);

    std::shared_ptr<Shared> shared_;
};

}  // namespace vpnha::adapters
