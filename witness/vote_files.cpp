// SPDX-License-Identifier: GPL-2.0-or-later
#include "witness/vote_files.hpp"

#include <fmt/format.h>

#include <chrono>
#include <limits>
#include <utility>

namespace vpnha::witness {

namespace {

// For the lock of a witness that is about to end.
constexpr std::chrono::milliseconds kLockPatience{2000};

}  // namespace

Result<std::unique_ptr<VoteFiles>> VoteFiles::open(const std::string& directory) {
    VPNHA_TRY(auto lock, adapters::StateLock::take(directory, kLockPatience));
    VPNHA_TRY(auto files, adapters::LeaseFiles::open(directory));
    std::unique_ptr<VoteFiles> opened(new VoteFiles(std::move(lock), std::move(files)));
    std::vector<std::string> errors;
    for (unsigned each = 1; each <= std::numeric_limits<std::uint8_t>::max(); ++each) {
        const GatewayId gateway{static_cast<std::uint8_t>(each)};
        auto file = opened->files_.load_of_witness(gateway);
        if (!file) {
            errors.push_back(file.error().detail);
        } else if (*file) {
            opened->loaded_.emplace(gateway, std::move(**file));
            if (const Result<void> reserved = opened->files_.reserve(gateway); !reserved) {
                opened->unreserved_.push_back(reserved.error().detail);
            }
        }
    }
    if (!errors.empty()) {
        return fail(Errc::malformed, fmt::format("{}", fmt::join(errors, "\n")));
    }
    VPNHA_TRY(opened->thread_, adapters::SaveThread::start());
    return opened;
}

void VoteFiles::save(const lease::WitnessHost::Save& save, const Done& done) {
    thread_->save(
        save.gateway, save.ticket,
        [this, gateway = save.gateway, file = save.file] { return files_.save(gateway, file); },
        [done, gateway = save.gateway, ticket = save.ticket](const Result<void>& saved) {
            done(gateway, ticket, saved);
        });
}

}  // namespace vpnha::witness
