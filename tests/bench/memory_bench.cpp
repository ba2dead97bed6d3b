// SPDX-License-Identifier: GPL-2.0-or-later
// Octets of heap that one L2TP session, and one flow, costs where it is kept, with the allocator's
// own share: the difference that 100 000 of them make, in a line of JSON.
#include <fmt/format.h>
#include <malloc.h>

#include <nlohmann/json.hpp>

#include "flows.hpp"
#include "protocols/l2tp/model/resumed_tunnel.hpp"
#include "replica_pair.hpp"
#include "services/flows/model/flow_record.hpp"

namespace vpnha::bench {

namespace {

constexpr std::uint32_t kRecords = limits::kRecordsPerGatewayMax;

std::size_t heap_in_use() {
    malloc_trim(0);
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

template <class Fill>
double octets_each(Fill fill) {
    const std::size_t before = heap_in_use();
    const auto kept = fill();
    const std::size_t after = heap_in_use();
    return static_cast<double>(after - before) / kRecords;
}

// `coded`: key and payload of a number.
template <class Coded>
double of_store(Coded coded) {
    return octets_each([&coded] {
        auto store = std::make_unique<replica::Store>();
        for (std::uint32_t number = 0; number < kRecords; ++number) {
            const auto [key, payload] = coded(number);
            replica::StoredRecord* record = nullptr;
            const auto applied = store->put(key, record, {Epoch{1, kPromoted}, number + 1},
                                            Epoch{1, kPromoted}, payload);
            VPNHA_ASSERT(applied == replica::Store::Applied::changed);
        }
        return store;
    });
}

std::pair<wire::RecordKey, Bytes> coded_session(std::uint32_t number) {
    return {record_key(number), l2tp::encode_record(session_record(number, 0))};
}

std::pair<wire::RecordKey, Bytes> coded_flow(std::uint32_t number) {
    const conntrack::Flow flow = flow_number(number);
    const auto payload = conntrack::encode_payload(flow);
    return {{wire::RecordType::flow, wire::RecordId(conntrack::encode_key(flow.key).view())},
            Bytes(payload.view().begin(), payload.view().end())};
}

// Filled by messages, then on its own: what the pair costs less what is left without the other.
struct OfReplicas {
    double promoted = 0;
    double follower = 0;
};

OfReplicas of_replicas() {
    auto pair = std::make_unique<ReplicaPair>(kRecords);
    const std::size_t both = heap_in_use();
    pair->follower = replica::Replica{kGateway, kFollower};
    const std::size_t promoted_only = heap_in_use();
    pair.reset();
    const std::size_t none = heap_in_use();
    return {static_cast<double>(promoted_only - none) / kRecords,
            static_cast<double>(both - promoted_only) / kRecords};
}

double of_resumed_tunnel() {
    return octets_each([] {
        std::vector<l2tp::ResumedTunnel> tunnels;
        tunnels.reserve(kRecords);
        for (std::uint32_t number = 0; number < kRecords; ++number) {
            const l2tp::SessionRecord record = session_record(number, 0);
            tunnels.emplace_back(record.key.tunnel);
            tunnels.back().add_session(record);
        }
        return tunnels;
    });
}

int run() {
    const std::size_t payload = l2tp::encode_record(session_record(0, 0)).size();
    const OfReplicas replicas = of_replicas();
    const nlohmann::json line = {
        {"type", "L2TP session"},
        {"payload", payload},
        {"store", of_store(coded_session)},
        {"follower", replicas.follower},
        {"promoted", replicas.promoted},
        {"resumed_tunnel", of_resumed_tunnel()},
        {"flow_payload", coded_flow(0).second.size()},
        {"flow_store", of_store(coded_flow)},
    };
    fmt::print("{}\n", line.dump());
    return 0;
}

}  // namespace

}  // namespace vpnha::bench

int main() {
    return vpnha::bench::run();
}
