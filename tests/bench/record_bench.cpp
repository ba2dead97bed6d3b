// SPDX-License-Identifier: GPL-2.0-or-later
// What one core does with session records. Argument: records in the store.
//
// Beside the replica stand two ways that one would take by hand: JSON (nlohmann) into a map, and
// the plain copy of bytes into a hash map that strongSwan's ha plugin and conntrackd come down to.
// The plain copy knows no versions, digest or kernel; it is the floor, not a rival.
#include <benchmark/benchmark.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>

#include "replica_pair.hpp"

namespace vpnha::bench {

namespace {

// What one message of 64 KiB holds, roughly.
constexpr std::uint32_t kBatch = 400;

// Walks over all records in an order that no cache foresees.
class Walk {
  public:
    explicit Walk(std::uint32_t count) : count_(count) {}
    std::uint32_t next() {
        at_ = (at_ + 7919) % count_;  // A prime, so that every record has its turn.
        generation_ += at_ == 0 ? 1 : 0;
        return at_;
    }
    [[nodiscard]] std::uint32_t generation() const { return generation_; }

  private:
    std::uint32_t count_;
    std::uint32_t at_ = 0;
    std::uint32_t generation_ = 1;
};

void set_rate(benchmark::State& state, std::uint64_t records) {
    state.SetItemsProcessed(static_cast<std::int64_t>(records));
}

// publish, flush, encode; parse and apply at both; confirm back: all of both nodes on one core.
void both_nodes(benchmark::State& state) {
    const auto count = static_cast<std::uint32_t>(state.range(0));
    ReplicaPair pair(count);
    Walk walk(count);
    for (auto _ : state) {
        for (std::uint32_t i = 0; i < kBatch; ++i) {
            const std::uint32_t number = walk.next();
            pair.publish(number, walk.generation());
        }
        pair.settle();
    }
    set_rate(state, state.iterations() * kBatch);
}
BENCHMARK(both_nodes)->Arg(1'000)->Arg(10'000)->Arg(100'000);

wire::Update update_of(Walk& walk, std::uint64_t base) {
    wire::Update update{kGateway, Epoch{1, kPromoted}, base, {}};
    for (std::uint32_t i = 0; i < kBatch; ++i) {
        const std::uint32_t number = walk.next();
        update.changes.push_back({record_key(number), false,
                                  l2tp::encode_record(session_record(number, walk.generation()))});
    }
    return update;
}

// The row of the goals: an update coded, parsed and applied into a follower's store.
void code_and_apply(benchmark::State& state) {
    const auto count = static_cast<std::uint32_t>(state.range(0));
    ReplicaPair pair(count);
    Walk walk(count);
    for (auto _ : state) {
        state.PauseTiming();
        const wire::Message update = update_of(walk, pair.follower.sequence());
        state.ResumeTiming();
        const Bytes bytes = pair.dialects.encode(update, pair.dialects.version_max());
        const Result<wire::Message> parsed = pair.dialects.parse(bytes);
        VPNHA_ASSERT(parsed.has_value());
        pair.install(pair.follower, pair.follower.on_message(kPromoted, *parsed, pair.now));
    }
    VPNHA_ASSERT(pair.follower.counters().gaps == 0);
    set_rate(state, state.iterations() * kBatch);
}
BENCHMARK(code_and_apply)->Arg(1'000)->Arg(10'000)->Arg(100'000);

void encode_update(benchmark::State& state) {
    Walk walk(10'000);
    const wire::Message update = update_of(walk, 0);
    const wire::Dialects dialects;
    for (auto _ : state) {
        benchmark::DoNotOptimize(dialects.encode(update, dialects.version_max()));
    }
    set_rate(state, state.iterations() * kBatch);
}
BENCHMARK(encode_update);

void parse_update(benchmark::State& state) {
    Walk walk(10'000);
    const wire::Dialects dialects;
    const Bytes bytes = dialects.encode(update_of(walk, 0), dialects.version_max());
    for (auto _ : state) {
        benchmark::DoNotOptimize(dialects.parse(bytes));
    }
    set_rate(state, state.iterations() * kBatch);
}
BENCHMARK(parse_update);

// By hand, 1: readable messages.
nlohmann::json json_of(const l2tp::SessionRecord& record) {
    const auto link = [](const ppp::LinkOptions& options) {
        return nlohmann::json{{"mru", options.mru},
                              {"magic", options.magic},
                              {"asyncmap", options.asyncmap},
                              {"pfc", options.protocol_compression},
                              {"acfc", options.address_compression}};
    };
    return {{"tunnel", record.key.tunnel.id.value},
            {"peer_tunnel", record.key.tunnel.peer_id.value},
            {"peer", record.key.tunnel.peer.address.value},
            {"port", record.key.tunnel.peer.port},
            {"local", record.key.tunnel.local.address.value},
            {"session", record.key.id.value},
            {"peer_session", record.key.peer_id.value},
            {"ours", link(record.facts.ours)},
            {"theirs", link(record.facts.theirs)},
            {"our_address", record.facts.our_address.value},
            {"peer_address", record.facts.peer_address.value},
            {"echo", record.facts.echo_interval_s},
            {"failures", record.facts.echo_failures},
            {"since", record.facts.established_unix_ms},
            {"user", record.facts.user},
            {"interface", record.facts.interface}};
}

void json_into_map(benchmark::State& state) {
    const auto count = static_cast<std::uint32_t>(state.range(0));
    std::unordered_map<std::string, nlohmann::json> held;
    Walk walk(count);
    std::uint64_t records = 0;
    for (auto _ : state) {
        state.PauseTiming();
        std::vector<l2tp::SessionRecord> batch;
        for (std::uint32_t i = 0; i < kBatch; ++i) {
            const std::uint32_t number = walk.next();
            batch.push_back(session_record(number, walk.generation()));
        }
        state.ResumeTiming();
        nlohmann::json message = nlohmann::json::array();
        for (const l2tp::SessionRecord& record : batch) {
            message.push_back(json_of(record));
        }
        const std::string bytes = message.dump();
        for (nlohmann::json& record : nlohmann::json::parse(bytes)) {
            const auto peer = record["peer"].get<std::uint32_t>();
            held[std::to_string(peer)] = std::move(record);
        }
        records += kBatch;
    }
    set_rate(state, records);
}
BENCHMARK(json_into_map)->Arg(1'000)->Arg(10'000)->Arg(100'000);

// By hand, 2: the record's bytes as they are.
void copy_into_map(benchmark::State& state) {
    const auto count = static_cast<std::uint32_t>(state.range(0));
    std::unordered_map<std::string, Bytes> held;
    Walk walk(count);
    for (auto _ : state) {
        state.PauseTiming();
        const wire::Update update = update_of(walk, 0);
        state.ResumeTiming();
        ByteWriter out;
        for (const wire::Change& change : update.changes) {
            out.prefixed(change.key.id.view()).prefixed(change.payload);
        }
        ByteReader in(out.view());
        while (in.remaining() != 0) {
            const ByteView key = in.take_prefixed(limits::kRecordIdBytesMax);
            const ByteView payload = in.take_prefixed(limits::kRecordPayloadBytesMax);
            Bytes& record = held[to_text(key)];
            record.resize(payload.size());
            std::memcpy(record.data(), payload.data(), payload.size());
        }
    }
    set_rate(state, state.iterations() * kBatch);
}
BENCHMARK(copy_into_map)->Arg(1'000)->Arg(10'000)->Arg(100'000);

// A joiner takes over everything; both nodes and the wire on one core.
void snapshot_pass(benchmark::State& state) {
    const auto count = static_cast<std::uint32_t>(state.range(0));
    ReplicaPair pair(count);
    for (auto _ : state) {
        pair.follower = replica::Replica{kGateway, kFollower};
        pair.follower.on_members({kPromoted, kFollower}, true, pair.now);
        pair.settle();
        VPNHA_ASSERT(pair.follower.level() == wire::Level::complete);
        VPNHA_ASSERT(pair.follower.store().digest() == pair.promoted.store().digest());
    }
    set_rate(state, state.iterations() * count);
}
BENCHMARK(snapshot_pass)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

// Digests are compared: said by one, checked by the other.
void digest(benchmark::State& state) {
    ReplicaPair pair(static_cast<std::uint32_t>(state.range(0)));
    for (auto _ : state) {
        pair.now += limits::kDigestInterval;
        pair.settle();
    }
    VPNHA_ASSERT(pair.follower.counters().digest_mismatch == 0);
}
BENCHMARK(digest)->Arg(1'000)->Arg(10'000)->Arg(100'000);

void is_protected(benchmark::State& state) {
    const auto count = static_cast<std::uint32_t>(state.range(0));
    const ReplicaPair pair(count);
    Walk walk(count);
    std::vector<wire::RecordKey> keys;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        keys.push_back(record_key(walk.next()));
    }
    std::size_t at = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(pair.promoted.is_protected(keys[at++ % keys.size()]));
    }
}
BENCHMARK(is_protected)->Arg(1'000)->Arg(10'000)->Arg(100'000);

// One session comes up: said, installed, confirmed.
void confirm_one(benchmark::State& state) {
    const auto count = static_cast<std::uint32_t>(state.range(0));
    ReplicaPair pair(count);
    Walk walk(count);
    for (auto _ : state) {
        const std::uint32_t number = walk.next();
        pair.publish(number, walk.generation());
        pair.settle();
        VPNHA_ASSERT(pair.promoted.is_protected(record_key(number)));
    }
    set_rate(state, state.iterations());
}
BENCHMARK(confirm_one)->Arg(1'000)->Arg(10'000)->Arg(100'000);

// An event of which nothing follows.
void flush_of_nothing(benchmark::State& state) {
    ReplicaPair pair(static_cast<std::uint32_t>(state.range(0)));
    for (auto _ : state) {
        benchmark::DoNotOptimize(pair.promoted.flush(pair.now));
        benchmark::DoNotOptimize(pair.follower.flush(pair.now));
        benchmark::DoNotOptimize(pair.promoted.next_deadline());
        benchmark::DoNotOptimize(pair.follower.next_deadline());
    }
}
BENCHMARK(flush_of_nothing)->Arg(1'000)->Arg(100'000);

}  // namespace

}  // namespace vpnha::bench

BENCHMARK_MAIN();
