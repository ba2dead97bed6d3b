// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lease/lease_saver.hpp"

#include <utility>

namespace vpnha::adapters {

Result<std::unique_ptr<LeaseSaver>> LeaseSaver::start(QbLoop& loop, LeaseFiles files) {
    VPNHA_TRY(auto thread, SaveThread::start());
    std::unique_ptr<LeaseSaver> saver(new LeaseSaver(loop, std::move(files), std::move(thread)));
    // Before the others of a turn: answers to a claim wait for it.
    VPNHA_CHECK(loop.watch(
        saver->thread_->fd(), [raw = saver.get()] { raw->thread_->notify(); },
        QbLoop::Priority::high));
    return saver;
}

LeaseSaver::LeaseSaver(QbLoop& loop, LeaseFiles files, std::unique_ptr<SaveThread> thread)
    : loop_(loop), files_(std::move(files)), thread_(std::move(thread)) {}

LeaseSaver::~LeaseSaver() {
    loop_.unwatch(thread_->fd());
}

void LeaseSaver::save(GatewayId gateway, lease::Durable durable, std::uint64_t ticket, Done done) {
    thread_->save(
        gateway, ticket,
        [this, gateway, kept = std::move(durable)] { return files_.save(gateway, kept); },
        std::move(done));
}

}  // namespace vpnha::adapters
