// SPDX-License-Identifier: GPL-2.0-or-later
// A message of the group: what parses is written with the very same bytes, and no bytes, parsed or
// not, upset a node that is promoted or a follower. The checksum is set right first, or nearly
// every input would end there.
#include <zlib.h>

#include <memory>

#include "base/assert.hpp"
#include "cluster/node/node.hpp"
#include "cluster/wire/codec.hpp"

using namespace vpnha;

namespace {

constexpr std::size_t kTrailer = 4;
constexpr GatewayId kGateway{1};

Bytes with_checksum(ByteView bytes) {
    if (bytes.size() < kTrailer) {
        return {bytes.begin(), bytes.end()};
    }
    const ByteView covered = bytes.first(bytes.size() - kTrailer);
    ByteWriter writer;
    writer.bytes(covered).u32(static_cast<std::uint32_t>(
        crc32_z(crc32_z(0, nullptr, 0), covered.data(), covered.size())));
    return std::move(writer).take();
}

std::unique_ptr<node::Node> attached_node(TimePoint now) {
    node::Settings settings;
    settings.self = NodeId{1};
    settings.name = "gw1";
    node::GatewaySettings gateway;
    gateway.id = kGateway;
    gateway.name = "l2tp";
    gateway.lease.self.node = settings.self;
    gateway.lease.voters = {settings.self};
    gateway.started_at = now - 2 * gateway.lease.timing.abstention();
    settings.gateways = {gateway};
    auto made = std::make_unique<node::Node>(settings);
    static_cast<void>(made->on_members({NodeId{1}, NodeId{2}}, true, now));
    static_cast<void>(made->attach(1, kGateway, "checkpoint", now));
    return made;
}

// Every step succeeds, as far as steps lead to steps.
void run_steps(node::Node& node, const effects::Effects& effects, TimePoint now) {
    for (const effects::Effect& effect : effects) {
        if (const auto* step = std::get_if<effects::RunStep>(&effect)) {
            run_steps(node, node.on_step_done(step->gateway, step->step, {}, now), now);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes = with_checksum({data, size});
    const wire::Dialects dialects;
    if (const Result<wire::Message> message = dialects.parse(bytes)) {
        // A level or flag that this version does not know is read as one it knows.
        const Result<wire::Message> again = dialects.parse(dialects.encode(*message, 1));
        VPNHA_ASSERT(again.has_value() && *again == *message);
    }
    const TimePoint now{std::chrono::hours(1)};
    const auto follower = attached_node(now);
    static_cast<void>(follower->on_group_message(NodeId{2}, bytes, now));
    static_cast<void>(follower->on_time(now + std::chrono::seconds(2)));
    const auto holder = attached_node(now);
    run_steps(*holder, holder->promote(2, kGateway, now), now);
    run_steps(*holder, holder->on_group_message(NodeId{2}, bytes, now), now);
    run_steps(*holder, holder->demote(3, kGateway, now), now);
    run_steps(*holder, holder->promote(4, kGateway, now), now);
    return 0;
}
