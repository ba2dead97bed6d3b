// SPDX-License-Identifier: GPL-2.0-or-later
// Accounting servers of RADIUS: sends an Accounting-Request to one server after the other until one
// answers. Blocks meanwhile: for separate threads, which may call it at the same time.
//
// No library is used: libradcli (1.2.11) accepts an answer with a wrong authenticator. A forger
// could then make a Stop that no server received count as answered.
#pragma once

#include <string>

#include "config/config.hpp"
#include "host/secrets/secret_bytes.hpp"
#include "services/accounting/work.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

class AccountingServers {
  public:
    struct Answer {
        node::AccountingResult result{};
        std::string server;  // The server that answered, or why none did.
        Duration took{};     // For an answer: since the last request to that server.
    };

    // Reads the secret. Errors: of its file.
    [[nodiscard]] static Result<AccountingServers> open(const config::Radius& settings);

    // `identifier`: no other request under way has it (RFC 2866 3). Takes at most servers * (1 +
    // retries) * timeout, and ends at once when `end` is readable; then the result is void. -1:
    // nothing ends it.
    [[nodiscard]] Answer ask(const node::AccountingRequest& request, std::uint8_t identifier,
                             int end = -1) const;
    // Requests of one gateway, at least 1.
    [[nodiscard]] std::uint32_t per_second() const { return settings_.requests_per_second; }

  private:
    enum class Received {
        answer,
        nothing,
        stranger,     // A sender that does not know the secret.
        unreachable,  // By the kernel's report.
        end,          // The caller's.
    };
    struct Reply {
        Received received{};
        Duration took{};  // Since the last try.
    };

    AccountingServers(const config::Radius& settings, SecretBytes secret)
        : settings_(settings), secret_(std::move(secret)) {}

    [[nodiscard]] Reply ask(const Ipv4Endpoint& server, const node::AccountingRequest& request,
                            std::uint8_t identifier, int end) const;
    // Waits until the time-out.
    [[nodiscard]] Received handle(int socket, ByteView request, int end) const;

    config::Radius settings_;
    SecretBytes secret_;
};

}  // namespace vpnha::adapters
