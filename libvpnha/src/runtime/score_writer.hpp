// SPDX-License-Identifier: GPL-2.0-or-later
// Tells Pacemaker the promotion scores, by crm_attribute --promotion: the attribute's tools are its
// only stable interface. The loop never waits for it; of several scores for one resource only the
// newest is written, and a failed write is tried again each second.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/qb_loop.hpp"
#include "adapters/unique_fd.hpp"

namespace vpnha::runtime {

class ScoreWriter {
  public:
    explicit ScoreWriter(adapters::QbLoop& loop) : loop_(loop) {}
    ~ScoreWriter();

    void write(const std::string& resource, int score);
    // Calls back once each score was written or has failed to be; at once when there is none.
    void after_attempts(std::function<void()> callback);

  private:
    struct Running {
        std::string resource;
        int score;
        int pid;
        adapters::UniqueFd watch;  // Readable when the process has ended.
    };

    void start_next();
    void on_ended();
    void tell_waiting();

    adapters::QbLoop& loop_;
    std::map<std::string, int> wanted_;
    std::optional<Running> running_;
    std::vector<std::function<void()>> waiting_;
};

}  // namespace vpnha::runtime
