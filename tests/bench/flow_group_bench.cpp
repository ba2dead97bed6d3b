// SPDX-License-Identifier: GPL-2.0-or-later
// New flows on their way from the kernel of one node into another's, over a real group:
// tests/bench/run starts one program of each role. Lines of JSON tell what happens.
//
//   generate   makes the flows in the promoted node's kernel, so many a second
//   promoted   events → tracker → replica → group; tells when the standby has confirmed all flows,
//              and before, when it has confirmed those that are to be held already
//   standby    group → replica → its kernel, in trains; ends when the promoted one has left
//
// Events are read in bursts, as vpnhad does: a process that wakes for each of them costs more than
// the event.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "cluster/replica/replica.hpp"
#include "cluster/wire/codec.hpp"
#include "flows.hpp"
#include "hello.hpp"
#include "outbox.hpp"
#include "services/flows/backend/conntrack_events.hpp"
#include "services/flows/backend/conntrack_table.hpp"
#include "services/flows/model/standby.hpp"

namespace vpnha::bench {

namespace {

constexpr int kTurnTimer = 4;
constexpr int kReplicaTimer = 5;
constexpr int kReadTimer = 6;
// A fifth of what the kernel holds for us at 250 000 a second.
constexpr Duration kReadPause = std::chrono::milliseconds(20);

struct Options {
    std::string role;
    std::uint32_t flows = 100'000;
    std::uint32_t rate = 0;
    std::uint32_t held = 0;
    std::size_t buffer_bytes = limits::kFlowEventBytes;
};

void notify(const nlohmann::json& line) {
    fmt::print("{}\n", line.dump());
    std::fflush(stdout);
}

template <class Value>
Value need(Result<Value> result) {
    if (!result) {
        fmt::print(stderr, "flow_group_bench: {}\n", result.error().detail);
        std::exit(1);
    }
    return std::move(*result);
}

double seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

wire::RecordKey key_of(ByteView id) {
    return {wire::RecordType::flow, wire::RecordId(id)};
}

class Member {
  public:
    Member(adapters::QbLoop& loop, const Options& options)
        : loop_(loop), options_(options), outbox_(loop, [this] { turn(); }) {
        group_ = need(adapters::CorosyncGroup::join(
            loop, "vpnha-flows",
            {[this](const std::set<NodeId>& members, bool quorate) {
                 on_members(members, quorate);
             },
             [this](NodeId sender, ByteView bytes) { on_message(sender, bytes); },
             {},
             [this] { loop_.stop(); }}));
        outbox_.set_group(group_.get());
        replica_.emplace(kGateway, group_->self());
        if (options.role == "standby") {
            table_ = need(adapters::ConntrackTable::open());
        }
    }
    [[nodiscard]] bool complete() const { return complete_; }

  private:
    [[nodiscard]] bool leads() const { return options_.role == "promoted"; }

    void on_members(const std::set<NodeId>& members, bool quorate) {
        const bool left = members.size() < members_.size();
        members_ = members;
        hello_.forget();
        replica_->on_members(members, quorate, loop_.now());
        if (left && !leads()) {
            complete_ = true;
            report_standby();
            loop_.stop();
            return;
        }
        if (leads() && members.size() == 2 && !replica_->promoted()) {
            take(replica_->begin_epoch(Epoch{1, group_->self()}, loop_.now()));
        }
        turn();
    }

    void on_message(NodeId sender, ByteView bytes) {
        const Result<wire::Message> message =
            sender == group_->self() ? dialects_.parse_own(bytes) : dialects_.parse(bytes);
        VPNHA_ASSERT(message.has_value());
        take(replica_->on_message(sender, *message, loop_.now()));
        turn();
    }

    void turn() {
        install();
        if (outbox_.writable() && members_.contains(group_->self())) {
            take(replica_->flush(loop_.now()));
            hello_.emit(*replica_, dialects_, outbox_);
            if (const auto at = replica_->next_deadline()) {
                loop_.set_timer(kReplicaTimer, *at, [this] { turn(); });
            }
        }
        if (leads()) {
            listen_when_ready();
            finish_when_done();
        }
    }

    void listen_when_ready() {
        if (events_ || replica_->complete_standbys().empty()) {
            return;
        }
        events_.emplace(need(adapters::ConntrackEvents::open({}, options_.buffer_bytes)));
        tracker_.emplace(conntrack::Policy{}, [this](const conntrack::FlowId& id) {
            const auto* record = replica_->store().find(key_of(id.view()));
            return record == nullptr ? ByteView{} : ByteView(record->payload);
        });
        read_later(kReadPause);
        notify({{"event", "ready"}});
    }

    void read_later(Duration pause) {
        loop_.set_timer(kReadTimer, loop_.now() + pause, [this] { read_events(); });
    }

    void read_events() {
        const auto [whole, drained] =
            events_->read([this](const conntrack::News& news) { handle(news); });
        whole_ &= whole;
        if (drained && !std::exchange(whole_, true)) {
            // All before it has been read: only now the kernel continues to report what happens.
            ++overruns_;
            begin_listing();
        }
        turn();
        read_later(drained ? kReadPause : Duration{});
    }

    void handle(const conntrack::News& news) {
        if (!began_) {
            began_ = loop_.now();
        }
        const conntrack::Decision decision = tracker_->on_news(news, loop_.now());
        if (decision.action == conntrack::Decision::Action::emit) {
            last_ = key_of(decision.id.view());
            replica_->publish(key_of(decision.id.view()), decision.payload.view());
        }
    }

    // As the daemon would: what was lost is found in the table.
    void begin_listing() {
        if (listing_) {
            loop_.unwatch(listing_->fd());
        }
        tracker_->begin_listing();
        listing_.emplace(need(adapters::ConntrackListing::start()));
        VPNHA_ASSERT(loop_.watch(listing_->fd(), [this] { read_listing(); }).has_value());
    }

    void read_listing() {
        const auto state = listing_->read([this](const conntrack::News& news) { handle(news); });
        if (state && *state == adapters::ConntrackListing::State::more) {
            return;
        }
        loop_.unwatch(listing_->fd());
        listing_.reset();
        if (!state) {
            begin_listing();
            return;
        }
        std::vector<wire::RecordKey> gone;
        for (const auto& [key, record] : replica_->store().records()) {
            if (!tracker_->is_listed(key.id.view())) {
                gone.push_back(key);
            }
        }
        for (const wire::RecordKey& key : gone) {
            replica_->erase(key, loop_.now());
        }
        tracker_->end_listing();
        turn();
    }

    void finish_when_done() {
        const std::uint32_t wanted = holds_ ? options_.held + options_.flows : options_.held;
        if (!began_ || replica_->store().count() < wanted || replica_->dirty() != 0 || complete_) {
            return;
        }
        if (!replica_->is_protected(last_)) {
            return;  // Confirmations cover all that was sent before.
        }
        if (!holds_) {
            holds_ = true;
            began_.reset();
            notify({{"event", "held"}, {"flows", replica_->store().count()}});
            return;
        }
        complete_ = true;
        notify({{"event", "done"},
                {"flows", replica_->store().count()},
                {"overruns", overruns_},
                {"seconds", seconds(loop_.now() - *began_)},
                {"octets", outbox_.bytes()},
                {"messages", outbox_.messages()}});
    }

    void take(replica::Effects effects) {
        for (replica::Effect& effect : effects) {
            if (auto* send = std::get_if<replica::Send>(&effect)) {
                outbox_.send(dialects_.encode(send->message, dialects_.version_max()));
            } else if (auto* install = std::get_if<replica::Install>(&effect)) {
                installs_.push_back(std::move(*install));
            }
        }
    }

    void install() {
        for (std::size_t at = 0; at < installs_.size(); at += limits::kFlowsPerTrain) {
            const auto part = std::span(installs_).subspan(
                at, std::min(limits::kFlowsPerTrain, installs_.size() - at));
            std::vector<conntrack::Flow> flows;
            flows.reserve(part.size());
            for (const replica::Install& each : part) {
                flows.push_back(
                    conntrack::hot(need(conntrack::parse_flow(each.key.id.view(), each.payload))));
            }
            const std::vector<bool> taken = need(table_->install(flows, conntrack::Live::changes));
            for (std::size_t n = 0; n < part.size(); ++n) {
                replica_->on_installed(
                    part[n].key, part[n].ticket,
                    taken[n] ? replica::Outcome::installed : replica::Outcome::refused,
                    loop_.now());
            }
        }
        installs_.clear();
    }

    void report_standby() {
        notify({{"event", "standby"},
                {"flows", replica_->store().count()},
                {"collisions", table_->counters().collisions},
                {"refused", table_->counters().refused}});
    }

    adapters::QbLoop& loop_;
    Options options_;
    Outbox outbox_;
    wire::Dialects dialects_;
    std::unique_ptr<adapters::CorosyncGroup> group_;
    std::optional<replica::Replica> replica_;
    std::optional<adapters::ConntrackEvents> events_;
    std::optional<adapters::ConntrackListing> listing_;
    std::optional<conntrack::Tracker> tracker_;
    std::unique_ptr<adapters::ConntrackTable> table_;
    std::vector<replica::Install> installs_;
    std::set<NodeId> members_;
    HelloSayer hello_;
    std::optional<TimePoint> began_;
    wire::RecordKey last_;
    bool whole_ = true;
    int overruns_ = 0;
    bool holds_ = options_.held == 0;
    bool complete_ = false;
};

// In steps of a train; behind its time it catches up.
int generate(const Options& options) {
    adapters::QbLoop loop;
    const auto table = need(adapters::ConntrackTable::open());
    const TimePoint begin = loop.now();
    std::uint32_t done = 0;
    const std::uint32_t step = options.rate == 0 ? 4'096 : limits::kFlowsPerTrain;
    std::function<void()> next = [&] {
        const std::uint32_t count = std::min(step, options.flows - done);
        install_numbers(*table, options.held + done, count);
        done += count;
        if (done == options.flows) {
            loop.stop();
            return;
        }
        const auto due = options.rate == 0
                             ? Duration{}
                             : std::chrono::duration_cast<Duration>(
                                   std::chrono::duration<double>(double(done) / options.rate));
        loop.set_timer(kTurnTimer, begin + due, next);
    };
    loop.set_timer(kTurnTimer, begin, next);
    loop.run();
    notify({{"event", "generated"}, {"flows", done}, {"seconds", seconds(loop.now() - begin)}});
    return 0;
}

int serve(const Options& options) {
    adapters::QbLoop loop;
    loop.on_signal(SIGTERM, [&loop] { loop.stop(); });
    const Member member(loop, options);
    loop.run();
    return member.complete() ? 0 : 1;
}

}  // namespace

}  // namespace vpnha::bench

int main(int argc, char** argv) {
    CLI::App app("New flows on their way between two kernels");
    vpnha::bench::Options options;
    app.add_option("role", options.role)
        ->required()
        ->check(CLI::IsMember({"generate", "promoted", "standby"}));
    app.add_option("--flows", options.flows);
    app.add_option("--rate", options.rate, "Flows a second; 0: as fast as the kernel takes them");
    app.add_option("--held", options.held, "Flows that are there before");
    app.add_option("--buffer", options.buffer_bytes, "Octets of events that the kernel holds");
    CLI11_PARSE(app, argc, argv);
    return options.role == "generate" ? vpnha::bench::generate(options)
                                      : vpnha::bench::serve(options);
}
