// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/call_path.hpp"

#include <algorithm>
#include <utility>

#include "cluster/node/node.hpp"
#include "sim/plan.hpp"

namespace vpnha::sim {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::uint16_t kMppeFrame = 0x00fd;
constexpr std::uint16_t kIpv4Frame = 0x0021;
// What waits at a device that may not send yet.
constexpr std::size_t kWaitingMax = 4;
// All keys of a call: in a run they take no time.
constexpr std::size_t kKeysAtOnce = 1'000'000;

std::optional<pptp::StartKeys> keys_of(const pptp::CallRecord& record) {
    return record.mppe == pptp::Mppe::none
               ? std::nullopt
               : std::optional(pptp::StartKeys{mppe::test::kStartKey, mppe::test::kStartKey});
}

}  // namespace

// A call of the data path, as protocols/pptp/backend/path_call.hpp has it.
class CallPath::Resumed final : public pptp::CallOutput {
  public:
    Resumed(CallPath& path, const node::PrepareCall& prepare, TimePoint now)
        : gateway(prepare.gateway),
          engine(prepare.record, keys_of(prepare.record), path.counters_),
          is_encrypted_(prepare.record.mppe != pptp::Mppe::none),
          path_(path),
          key_(prepare.record.key) {
        engine.set_numbers(prepare.numbers, now);
    }

    void probe(const pptp::ProbeSegment& segment) override { emit(segment); }
    void connect(const pptp::ControlSocket&) override {}
    void emit(ByteView message) override { emit(Bytes(message.begin(), message.end())); }
    void send(ByteView gre) override {
        emit(CallPacket{{gre.begin(), gre.end()}, index_, is_data_, is_lost_});
    }
    void deliver(ByteView) override {}
    void resumed(const std::string& how) override { how_ = how; }
    void ended(const std::string& reason, EndCause cause) override { end_ = {reason, cause}; }

    // Of the TUN device.
    void take_packet(TimePoint now, bool lost) {
        if (!may_send || !engine.takes_packets()) {
            waiting_ = std::min(waiting_ + 1, kWaitingMax);
            return;
        }
        is_data_ = true;
        is_lost_ = lost;
        index_ = is_encrypted_ ? std::optional(engine.numbers(now).mppe_out) : std::nullopt;
        engine.on_packet(mppe::test::ip_packet(++path_.data_), *this);
        is_data_ = false;
        is_lost_ = false;
        index_.reset();
    }
    void let_out(TimePoint now) {
        static_cast<void>(engine.wants_keys() && engine.catch_up(kKeysAtOnce));
        for (; waiting_ > 0 && may_send && engine.takes_packets(); --waiting_) {
            take_packet(now, false);
        }
    }
    [[nodiscard]] std::optional<std::string> take_resumed() {
        return std::exchange(how_, std::nullopt);
    }
    [[nodiscard]] const std::optional<std::pair<std::string, EndCause>>& end() const {
        return end_;
    }

    GatewayId gateway;
    pptp::ResumedCall engine;
    bool may_send = false;
    bool is_ours = false;   // It was resumed at some time.
    bool is_meant = false;  // To end.

  private:
    template <class What>
    void emit(What what) {
        path_.ports_.send({gateway, key_, std::move(what)});
    }

    bool is_encrypted_;
    CallPath& path_;
    pptp::CallKey key_;
    std::optional<std::string> how_;
    std::optional<std::pair<std::string, EndCause>> end_;
    std::size_t waiting_ = 0;
    std::optional<std::uint64_t> index_;
    bool is_data_ = false;
    bool is_lost_ = false;
};

CallPath::CallPath(std::uint64_t seed, Agenda& agenda, Ports ports)
    : random_(seed), agenda_(agenda), ports_(std::move(ports)) {}

CallPath::~CallPath() = default;

void CallPath::stock_up(PluginToken plugin, GatewayId gateway, node::StockCall& call) {
    if (const auto known = stock_.find(plugin); known != stock_.end()) {
        known->second.record = call.record;
        call.numbers = known->second.numbers;
        return;
    }
    Stock& stock = stock_[plugin];
    stock = {gateway, call.record, std::nullopt, call.numbers};
    if (call.record.mppe != pptp::Mppe::none) {
        stock.sender.emplace(mppe::KeyChain(mppe::Strength::bits128, mppe::test::kStartKey));
    }
}

void CallPath::stock_down(PluginToken plugin) {
    stock_.erase(plugin);
}

void CallPath::prepare(const node::PrepareCall& prepare) {
    resumed_[prepare.record.key] = std::make_unique<Resumed>(*this, prepare, ports_.now());
}

void CallPath::execute(const node::SetCallNumbers& set) {
    for (const pptp::CallState& state : set.calls) {
        if (const auto found = resumed_.find(state.key); found != resumed_.end()) {
            found->second->engine.set_numbers(state.numbers, ports_.now());
        }
    }
}

void CallPath::execute(const node::RemoveCall& remove) {
    resumed_.erase(remove.key);
}

void CallPath::execute(const node::EndCall& end) {
    if (const auto found = resumed_.find(end.key); found != resumed_.end()) {
        found->second->is_meant = true;
        found->second->engine.close(end.reason, end.cause, *found->second);
        settle(end.key);
    }
}

void CallPath::execute(const node::DismissCall& dismiss) {
    ports_.send({dismiss.gateway, dismiss.key, CallOver{"it was not prepared here", false}});
}

void CallPath::execute(const node::ResumeCalls& resume) {
    for (const pptp::CallKey& key : resume.calls) {
        const auto found = resumed_.find(key);
        if (found == resumed_.end()) {
            continue;
        }
        Resumed& call = *found->second;
        call.is_ours = true;
        call.may_send = call.may_send || resume.exact;
        call.engine.resume(resume.exact, resume.tenure, ports_.now(), call);
        // Whoever waits for an answer has sent the next packet.
        call.take_packet(ports_.now(), false);
        settle(key);
    }
}

void CallPath::execute(const node::ReleaseCalls& release) {
    for (const pptp::CallKey& key : release.calls) {
        if (const auto found = resumed_.find(key); found != resumed_.end()) {
            found->second->may_send = true;
            found->second->let_out(ports_.now());
        }
    }
}

void CallPath::execute(const node::PauseCalls& pause) {
    for (const auto& [key, call] : resumed_) {
        if (call->gateway == pause.gateway) {
            call->engine.pause(ports_.now());
        }
    }
}

void CallPath::execute(const node::ReadCalls& read) {
    const Duration lasts = random_.chance(80) ? between(random_, microseconds(50), milliseconds(2))
                                              : between(random_, milliseconds(2), milliseconds(40));
    agenda_.after(lasts, [this, read, life = life_] {
        if (life == life_) {
            ports_.post([this, read](node::Node& node, TimePoint now) {
                return report_read(read, node, now);
            });
        }
    });
}

// First those that are watched, then those of the data path, as the backend does it.
effects::Effects CallPath::report_read(const node::ReadCalls& read, node::Node& node,
                                       TimePoint now) {
    std::vector<pptp::CallState> calls;
    for (const auto& [plugin, call] : stock_) {
        if (call.gateway == read.gateway && watched_.contains(read.gateway)) {
            calls.push_back({call.record.key, call.numbers});
        }
    }
    effects::Effects effects = node.on_event(read.gateway, node::CallsRead{0, calls}, now);
    calls.clear();
    for (const auto& [key, call] : resumed_) {
        if (call->gateway == read.gateway && call->is_ours) {
            calls.push_back({key, call->engine.numbers(now)});
        }
    }
    for (effects::Effect& each :
         node.on_event(read.gateway, node::CallsRead{read.ticket, calls}, now)) {
        effects.push_back(std::move(each));
    }
    return effects;
}

void CallPath::handle(const pptp::CallKey& key, const CallReceived& received) {
    const auto* const packet = std::get_if<FromCaller>(&received);
    for (auto& [plugin, stock] : stock_) {
        if (packet != nullptr && stock.record.key == key) {
            stock.numbers.gre_in =
                pptp::parse_gre(packet->gre)->sequence.value_or(stock.numbers.gre_in);
            stock.numbers.mppe_in = packet->mppe_in;
        }
    }
    const auto found = resumed_.find(key);
    if (found == resumed_.end()) {
        return;
    }
    Resumed& call = *found->second;
    const TimePoint now = ports_.now();
    if (packet != nullptr) {
        call.engine.on_gre(packet->gre, now, call);
    } else if (const auto* const segment = std::get_if<pptp::PeerSegment>(&received)) {
        call.engine.on_segment(*segment, now, call);
    } else if (const auto* const bytes = std::get_if<Bytes>(&received)) {
        call.engine.on_control(*bytes, call);
    } else {
        call.engine.on_control_closed("peer knows no such connection", call);
    }
    settle(key);
}

void CallPath::settle(const pptp::CallKey& key) {
    Resumed& call = *resumed_.at(key);
    if (const auto how = call.take_resumed()) {
        ports_.post([gateway = call.gateway, key, how = *how](node::Node& node, TimePoint now) {
            return node.on_event(gateway, node::CallResumed{key, how}, now);
        });
    }
    call.let_out(ports_.now());
    if (call.end()) {
        const auto [reason, cause] = *call.end();
        const GatewayId gateway = call.gateway;
        ports_.send({gateway, key, CallOver{reason, call.is_meant}});
        resumed_.erase(key);
        ports_.gone(gateway, key);
        ports_.post([=](node::Node& node, TimePoint now) {
            return node.on_event(gateway, node::CallEnded{key, reason, cause}, now);
        });
    }
    arm();
}

void CallPath::send_stock(Stock& call, bool lost) {
    CallPacket packet{{}, std::nullopt, true, lost};
    ByteWriter payload;
    payload.u16(pptp::kPppAddressControl);
    const Bytes ip = mppe::test::ip_packet(++data_);
    if (call.sender) {
        packet.index = call.sender->index();
        payload.u16(kMppeFrame).bytes(mppe::test::seal(*call.sender, ip));
        call.numbers.mppe_out = call.sender->index();
    } else {
        payload.u16(kIpv4Frame).bytes(ip);
    }
    const auto header = pptp::encode_gre_header(call.record.key.peer_id, ++call.numbers.gre_out,
                                                std::nullopt, payload.size());
    packet.gre.assign(header.view().begin(), header.view().end());
    packet.gre.insert(packet.gre.end(), payload.view().begin(), payload.view().end());
    ports_.send({call.gateway, call.record.key, std::move(packet)});
}

void CallPath::pass(std::optional<GatewayId> gateway) {
    // A few are lost together, far fewer than a takeover leaves out.
    const auto burst = [this] {
        return random_.below(250) == 0 ? std::pair(100 + random_.below(500), false)
                                       : std::pair(random_.below(5), random_.chance(10));
    };
    for (auto& [plugin, call] : stock_) {
        if (call.gateway == gateway.value_or(call.gateway)) {
            for (auto [count, lost] = burst(); count > 0; --count) {
                send_stock(call, lost);
            }
        }
    }
    for (const auto& [key, call] : resumed_) {
        if (call->gateway == gateway.value_or(call->gateway) && call->is_ours) {
            for (auto [count, lost] = burst(); count > 0; --count) {
                call->take_packet(ports_.now(), lost);
            }
        }
    }
}

void CallPath::die(bool alive) {
    if (alive) {
        pass(std::nullopt);
    }
    ++life_;
    stock_.clear();
    resumed_.clear();
    watched_.clear();
    timer_.cancel();
}

void CallPath::pause(bool paused) {
    paused_ = paused;
    timer_.cancel();
    arm();
}

void CallPath::arm() {
    std::optional<TimePoint> deadline;
    for (const auto& [key, call] : resumed_) {
        deadline = earliest(deadline, call->engine.next_deadline());
    }
    if (!deadline || paused_) {
        return;
    }
    const Duration left =
        std::max<Duration>(*deadline - std::min(*deadline, ports_.now()), milliseconds(1));
    timer_.set(agenda_.now() + ports_.in_world(left));
}

void CallPath::on_timer() {
    if (paused_) {
        return;
    }
    std::vector<pptp::CallKey> due;
    for (const auto& [key, call] : resumed_) {
        if (const auto at = call->engine.next_deadline(); at && *at <= ports_.now()) {
            due.push_back(key);
        }
    }
    for (const pptp::CallKey& key : due) {
        Resumed& call = *resumed_.at(key);
        call.engine.on_time(ports_.now(), call);
        settle(key);
    }
    arm();
}

}  // namespace vpnha::sim
