// SPDX-License-Identifier: GPL-2.0-or-later
// Accounting servers of RADIUS, by libradcli: one Accounting-Request at a time, to one server after
// the other until one answers. Blocks meanwhile: for a thread of its own.
#pragma once

#include <memory>
#include <string>

#include "adapters/secrets/secret_bytes.hpp"
#include "config/config.hpp"
#include "effects/accounting_work.hpp"
#include "vpnha/result.hpp"

// The library's handle.
struct rc_conf;

namespace vpnha::adapters {

class AccountingServers {
  public:
    struct Answer {
        node::AccountingResult result{};
        std::string server;  // Which answered; why none did.
    };

    // Reads the secret. Errors: of its file, of the library's dictionary in `dictionary`.
    [[nodiscard]] static Result<AccountingServers> open(
        const config::Radius& settings, const std::string& dictionary = "/etc/radcli/dictionary");

    // Takes at most servers * (1 + retries) * timeout.
    [[nodiscard]] Answer ask(const node::AccountingRequest& request);

  private:
    struct Destroy {
        void operator()(rc_conf* handle) const;
    };
    AccountingServers(const config::Radius& settings, SecretBytes secret)
        : settings_(settings), secret_(std::move(secret)) {}

    config::Radius settings_;
    SecretBytes secret_;  // With a NUL behind it.
    std::unique_ptr<rc_conf, Destroy> handle_;
};

}  // namespace vpnha::adapters
