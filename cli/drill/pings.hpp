// SPDX-License-Identifier: GPL-2.0-or-later
// Pings of one address at a fixed rate, in a separate thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "cli/drill/record.hpp"
#include "vpnha/result.hpp"

namespace vpnha::cli::drill {

class Pings {
  public:
    // `address`: numeric, IPv4 or IPv6. Error permission: only root may open the socket.
    [[nodiscard]] static Result<Pings> open(const std::string& address,
                                            std::chrono::milliseconds interval);
    ~Pings();
    Pings(Pings&& other) noexcept;
    Pings& operator=(Pings&&) = delete;
    Pings(const Pings&) = delete;
    Pings& operator=(const Pings&) = delete;

    void start();
    // Waits a second for the last answers.
    [[nodiscard]] Watch stop();

  private:
    struct Shared;  // With the thread.

    explicit Pings(std::unique_ptr<Shared> shared);

    std::unique_ptr<Shared> shared_;
};

}  // namespace vpnha::cli::drill
