// SPDX-License-Identifier: GPL-2.0-or-later
// Sends requests to a running charon at its vici socket. One request is open at a time. All answers
// of a client together have to arrive within the given time.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "host/os/unique_fd.hpp"
#include "protocols/ipsec/service/vici_message.hpp"

namespace vpnha::adapters {

class ViciClient {
  public:
    // `unreachable`: no charon listens at `socket`.
    [[nodiscard]] static Result<ViciClient> connect(const std::string& socket,
                                                    std::chrono::milliseconds timeout);

    // `unsupported`: this charon does not know the command. A command that failed, "success = no",
    // is an error with charon's text.
    [[nodiscard]] Result<ViciSection> ask(std::string_view command,
                                          const ViciSection& arguments = {});
    // Collects the event that charon sends for each item before it answers `command`.
    [[nodiscard]] Result<std::vector<ViciSection>> list(std::string_view command,
                                                        std::string_view event);

  private:
    using Clock = std::chrono::steady_clock;

    ViciClient(UniqueFd socket, Clock::time_point deadline)
        : socket_(std::move(socket)), deadline_(deadline) {}

    [[nodiscard]] Result<void> wait_for(short events) const;
    [[nodiscard]] Result<void> send(ByteView bytes) const;
    [[nodiscard]] Result<void> send(const ViciPacket& packet) const;
    [[nodiscard]] Result<Bytes> receive(std::size_t count) const;
    [[nodiscard]] Result<ViciPacket> receive_packet() const;

    UniqueFd socket_;
    Clock::time_point deadline_;
};

}  // namespace vpnha::adapters
