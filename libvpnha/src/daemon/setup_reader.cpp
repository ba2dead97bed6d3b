// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/setup_reader.hpp"

#include "host/os/log.hpp"
#include "host/secrets/secret_file.hpp"
#include "protocols/tables.hpp"

namespace vpnha::runtime {

std::vector<wire::Setup> SetupReader::read() {
    const auto cluster_key = adapters::SecretFile::read(key_file_);
    if (!cluster_key || !*cluster_key) {
        key_mark_.reset();
        complain(key_file_, cluster_key ? "there is no such file" : cluster_key.error().detail);
        return config::setups_of(config_, config::schema(),
                                 config::FingerprintKey(config_.cluster_group), nullptr);
    }
    complaints_.erase(key_file_);
    const config::FingerprintKey key((*cluster_key)->content());
    key_mark_ = config::fingerprint_of_text(key, "");
    return config::setups_of(config_, config::schema(), key,
                             [this, &key](const std::string& path, config::LineOrder order) {
                                 return read_file(key, path, order);
                             });
}

std::uint64_t SetupReader::read_file(const config::FingerprintKey& key, const std::string& path,
                                     config::LineOrder order) {
    const auto file = adapters::SecretFile::read(path);
    if (file) {
        complaints_.erase(path);
        last_[path] = *file ? config::fingerprint_of_file(key, (*file)->content(), order)
                            : config::fingerprint_of_text(key, "absent");
        return last_[path];
    }
    complain(path, file.error().detail);
    const auto known = last_.find(path);
    return known != last_.end() ? known->second : config::fingerprint_of_text(key, "unreadable");
}

void SetupReader::complain(const std::string& path, const std::string& what) {
    if (std::string& notified = complaints_[path]; notified != what) {
        notified = what;
        adapters::write_log(
            LogLevel::warning,
            "not compared with the other nodes event=not-compared file=" + path + ": " + what);
    }
}

}  // namespace vpnha::runtime
