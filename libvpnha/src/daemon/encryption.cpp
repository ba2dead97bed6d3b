// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/encryption.hpp"

#include <fmt/format.h>

#include "host/os/log.hpp"

namespace vpnha::runtime {

using adapters::write_log;

std::string how_to_encrypt(const std::string& off_because, const std::string& what) {
    return fmt::format(
        "corosync sends unencrypted ({}), and {} would be readable by everybody on its networks; "
        "run corosync-keygen, copy /etc/corosync/authkey to all nodes, and set crypto_cipher: "
        "aes256 and crypto_hash: sha256 in the section totem of corosync.conf. Only for a network "
        "that nobody can listen to: ",
        off_because, what);
}

Result<void> Encryption::check(const adapters::TotemKeys& keys) {
    off_because_ = adapters::unencrypted_because(keys);
    if (off_because_.empty()) {
        return {};
    }
    if (!may_be_off_) {
        return fail(Errc::invalid_config,
                    how_to_encrypt(off_because_, "sessions") +
                        "replicate_secrets_unencrypted = true below [cluster] in vpnha.toml");
    }
    write_log(LogLevel::warning,
              fmt::format("sessions are replicated unencrypted, as vpnha.toml allows: {} "
                          "event=unencrypted",
                          off_because_));
    return {};
}

void Encryption::check_again(const adapters::TotemKeys& keys) {
    const std::string reason = adapters::unencrypted_because(keys);
    if (reason == off_because_) {
        return;
    }
    off_because_ = reason;
    if (reason.empty()) {
        write_log(LogLevel::info, "corosync encrypts again event=encrypted");
    } else if (may_be_off_) {
        write_log(LogLevel::warning,
                  fmt::format("corosync's encryption was switched off while vpnhad runs, and "
                              "vpnha.toml allows it: {} event=unencrypted",
                              reason));
    } else {
        write_log(LogLevel::error,
                  fmt::format("corosync's encryption was switched off while vpnhad runs: {}; this "
                              "node sends no records until corosync encrypts again "
                              "event=unencrypted",
                              reason));
    }
}

}  // namespace vpnha::runtime
