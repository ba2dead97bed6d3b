// SPDX-License-Identifier: GPL-2.0-or-later
// The files of all votes of a witness, and the thread that saves them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cluster/lease/witness_host.hpp"
#include "host/lease/lease_files.hpp"
#include "host/lease/save_thread.hpp"
#include "host/os/state_lock.hpp"

namespace vpnha::witness {

class VoteFiles {
  public:
    using Done = std::function<void(GatewayId, std::uint64_t ticket, const Result<void>& saved)>;

    // Error: another process has the directory, or files cannot be read, all of which it names.
    [[nodiscard]] static Result<std::unique_ptr<VoteFiles>> open(const std::string& directory);

    [[nodiscard]] const std::map<GatewayId, lease::Witness::File>& loaded() const {
        return loaded_;
    }
    // Why the disk has no room for the next saves, a sentence for each gateway.
    [[nodiscard]] const std::vector<std::string>& unreserved() const { return unreserved_; }
    // `done` is called within notify().
    void save(const lease::WitnessHost::Save& save, const Done& done);
    // Readable when a save is finished.
    [[nodiscard]] int fd() const { return thread_->fd(); }
    void notify() { thread_->notify(); }

  private:
    VoteFiles(adapters::StateLock lock, adapters::LeaseFiles files)
        : lock_(std::move(lock)), files_(std::move(files)) {}

    adapters::StateLock lock_;
    adapters::LeaseFiles files_;  // Only for the thread.
    std::map<GatewayId, lease::Witness::File> loaded_;
    std::vector<std::string> unreserved_;
    std::unique_ptr<adapters::SaveThread> thread_;
};

}  // namespace vpnha::witness
