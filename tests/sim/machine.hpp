// SPDX-License-Identifier: GPL-2.0-or-later
// One node of the cluster: a real node::Node on fake ports, with a clock, a kernel and a disk of
// its own. What happens to it waits in a queue: a node that is slow or stands still comes to it
// later.
#pragma once

#include <fmt/format.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "cluster/effects/effect_runner.hpp"
#include "cluster/node/node.hpp"
#include "echo/fake/fake_responder.hpp"
#include "protocols/ipsec/work.hpp"
#include "protocols/l2tp/work.hpp"
#include "protocols/pptp/work.hpp"
#include "services/accounting/work.hpp"
#include "sim/call_path.hpp"
#include "sim/charon.hpp"
#include "sim/counter_family.hpp"
#include "sim/flow_backend.hpp"
#include "sim/kernel.hpp"
#include "sim/peer_devices.hpp"
#include "sim/plan.hpp"
#include "sim/story.hpp"
#include "sim/totem.hpp"

namespace vpnha::sim {

class Machine;

// What a later release speaks: the same, and in a version of its own, too.
[[nodiscard]] std::vector<wire::Codec> later_codecs();

// What a machine needs of the world, and what the world wants to know of it.
class Surroundings {
  public:
    virtual ~Surroundings() = default;
    [[nodiscard]] virtual bool send_to_group(NodeId node, const Bytes& message) = 0;
    // A message of the group is about to reach the node.
    virtual void before_message(Machine& machine, const GroupMessage& message) = 0;
    // `silenced`: the node was told before that the group takes nothing.
    virtual void on_effects(Machine& machine, const effects::Effects& effects, bool silenced) = 0;
    // Before it is carried out.
    virtual void on_effect(Machine& machine, const effects::Effect& effect) = 0;
    virtual void on_lease(Machine& machine, const effects::SendLease& sent) = 0;
    virtual void on_answer(Machine& machine, const effects::AnswerRequest& answer) = 0;
    virtual void on_withdrawn(const effects::WithdrawScore& score) = 0;
    virtual void on_echo_asked(Machine& machine, const effects::AskForEcho& asked) = 0;
    virtual void on_datagram(Machine& machine, const node::SendDatagram& datagram) = 0;
    // It has a pppd for a new call of an old tunnel.
    virtual void on_call_started(Machine& machine, const node::StartCall& started) = 0;
    // This life of it ends; the machine resets itself.
    virtual void on_fenced(Machine& machine) = 0;
    virtual void on_frame(Machine& machine, const node::SendFrame& frame) = 0;
    // A packet of a PPTP call, or its end.
    virtual void on_call_sent(Machine& machine, const CallSent& sent) = 0;
    // Of IPsec: the machine's charon speaks for its SAs; ends one, as vpnhad wants it; replaces a
    // CHILD SA; does what none may.
    virtual void on_charon_active(Machine& machine) = 0;
    virtual void on_ike_end(Machine& machine, const ipsec::IkeKey& key) = 0;
    virtual void on_child_rekey(Machine& machine, std::uint32_t spi) = 0;
    virtual void on_charon_broken(Machine& machine, const std::string& what) = 0;
    virtual void on_account(Machine& machine, const node::SendAccounting& sent) = 0;
    // Its kernel has begun to shake hands with a peer of WireGuard.
    virtual void on_peer_tried(Machine& machine, GatewayId gateway) = 0;
    // Its kernel has used `count` numbers of an SA, from `first` on.
    virtual void on_numbers(Machine& machine, const Numbers::Key& sa, std::uint64_t first,
                            std::uint64_t count) = 0;
    virtual void on_warm(Machine& machine, GatewayId gateway, const keepers::Margin& margin) = 0;
    virtual void on_number_set(Machine& machine, const Numbers::Key& sa, std::uint64_t next) = 0;
    // An event and all that followed from it at once is done. `of_lease`: a message of the lease
    // that led to nothing but the like, and to another deadline of the gate.
    virtual void on_settled(Machine& machine, bool of_lease) = 0;
};

class Machine final : private effects::EffectRunner, private NumberKernel {
  public:
    using Call = std::function<effects::Effects(node::Node&, TimePoint)>;

    Machine(NodeId id, Agenda& agenda, test::Random& random, Story& story, const Plan& plan,
            Surroundings& world);

    // vpnhad starts, with what the disk remembers.
    void start();
    // It is about to end, and handles no event that waits.
    void release_leases();
    // It is gone, and with it its kernel sessions; the gates stay as they are.
    void kill();
    // The whole machine loses power.
    void cut_power();
    // It is off, and has an empty disk when it comes back.
    void lose_disk() { disk_.clear(); }

    // An event of the process that runs now.
    void post(Call call);
    void deliver(const Delivery& delivery);
    void deliver_lease(const lease::Sender& sender, const effects::SendLease& sent);
    void deliver_echo(NodeId from);
    void plug_in(PluginToken plugin, GatewayId gateway, const wire::RecordKey& key,
                 Negotiated session, const std::string& not_resumable);
    void unplug(PluginToken plugin);
    // It has a pppd for that new call of an old tunnel, whether its session is up or not.
    [[nodiscard]] bool has_call(const l2tp::SessionKey& call) const {
        return new_calls_.contains(call);
    }
    // The pppd ends; it cannot come up, or the session is over.
    void end_call(const l2tp::SessionKey& call);

    // Faults.
    void pause();
    void resume(bool clock_went_on);
    void be_slow(Duration per_event) { slow_ = per_event; }
    void set_clock_rate(double rate);
    void lose_session(const Kernel::Key& key, bool news);
    void overrun();
    void fail_steps(unsigned percent) { failing_percent_ = percent; }
    void fill_disk(bool full);
    // As this node's corosync.conf has them from now on.
    void set_voters(const std::set<NodeId>& voters);
    void shut_gates();
    // What its kernel has used up to now.
    void use_numbers();
    // Nobody sends any more.
    void end_numbers();
    // Of all gateways.
    void set_carrier(LinkSide side, bool carrier);

    [[nodiscard]] NodeId id() const { return id_; }
    [[nodiscard]] std::string name() const { return fmt::format("gw{}", id_.value); }
    [[nodiscard]] const node::Node* node() const { return node_.get(); }
    [[nodiscard]] const node::GatewayNode* gateway(GatewayId id) const;
    // Number of the process; another one after each start.
    [[nodiscard]] std::uint64_t process() const { return process_; }
    [[nodiscard]] bool powered() const { return powered_; }
    [[nodiscard]] bool paused() const { return paused_; }
    // Nothing of its own keeps it back: vpnhad has run for longer than it abstains.
    [[nodiscard]] bool is_sound() const;
    // Since when its disk takes nothing; nullopt: it does.
    [[nodiscard]] std::optional<TimePoint> disk_full_since() const { return disk_full_since_; }
    // When this vpnhad started.
    [[nodiscard]] TimePoint started_at() const { return started_at_; }
    [[nodiscard]] Kernel& kernel() { return kernel_; }
    [[nodiscard]] const Kernel& kernel() const { return kernel_; }
    [[nodiscard]] FlowBackend& flows() { return flows_; }
    [[nodiscard]] CallPath& calls() { return calls_; }
    [[nodiscard]] TimePoint local_now() const;
    [[nodiscard]] const PeerDevices& peers() const { return peers_; }
    [[nodiscard]] Charon& charon() { return charon_; }
    [[nodiscard]] const Charon& charon() const { return charon_; }
    [[nodiscard]] const FlowTable& flow_table() const { return flows_.table(); }
    // It is of the release that has kLaterType.
    [[nodiscard]] bool knows_later_records() const {
        return plan_.later_records && id_.value % 2 == 0;
    }
    // By its own clock.
    [[nodiscard]] bool gate_open(GatewayId gateway) const;
    // It continues after its clock stood still: for one lease it may not know what others did.
    [[nodiscard]] bool just_thawed() const;
    // The highest epoch that it claimed or granted.
    [[nodiscard]] Epoch disk(GatewayId gateway) const;
    // vpnhad runs, and its disk knows who votes on each gateway.
    [[nodiscard]] bool remembers() const;
    // This vpnhad was told that the side was lost, and since then no hold-off has passed.
    [[nodiscard]] bool must_count_as_lost(LinkSide side) const;
    [[nodiscard]] const lease::Sender& sender() const { return sender_; }
    // What Pacemaker knows.
    [[nodiscard]] std::optional<int> score(GatewayId gateway) const;
    void withdraw_score(GatewayId gateway);
    [[nodiscard]] const std::map<PluginToken, Kernel::Key>& plugins() const { return plugins_; }
    // Messages that the group has not taken.
    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
    // vpnhad was told so.
    [[nodiscard]] bool silenced() const { return silenced_; }

  private:
    // On their way to the disk, the oldest first; who is killed has saved none of them.
    struct Saving {
        GatewayId gateway;
        lease::Durable durable;
        std::uint64_t ticket = 0;
    };
    [[nodiscard]] Result<void> save(GatewayId gateway, const lease::Durable& durable);
    void save_next();
    struct Task {
        Call call;
        bool of_lease = false;
    };
    void add_task(Call call, bool of_lease);
    void run(const Task& task);
    void carry_out(effects::Effects effects);
    // Each returns what follows from the effect.
    effects::Effects execute(effects::SendToGroup& effect) override;
    effects::Effects execute(effects::ProtocolWork& work) override;
    effects::Effects execute(effects::SaveLease& effect) override;
    effects::Effects execute(effects::SendLease& effect) override;
    effects::Effects execute(effects::SetGate& effect) override;
    effects::Effects execute(effects::LeaveGate& effect) override;
    effects::Effects execute(effects::HoldGate& effect) override;
    effects::Effects execute(effects::GiveBack& effect) override;
    effects::Effects execute(effects::DrainGate&) override { return {}; }
    effects::Effects execute(effects::RunStep& effect) override;
    effects::Effects execute(effects::Announce& effect) override;
    effects::Effects execute(effects::AskNeighbours& effect) override;
    effects::Effects execute(effects::AnswerPlugin& effect) override;
    effects::Effects execute(effects::EndPlugin& effect) override;
    effects::Effects execute(effects::ChangePlugin& effect) override;
    effects::Effects execute(effects::AnswerAddress& effect) override;
    effects::Effects execute(effects::AnswerRequest& effect) override;
    effects::Effects execute(effects::WriteScore& effect) override;
    effects::Effects execute(effects::WithdrawScore& effect) override;
    effects::Effects execute(effects::AskForEcho& effect) override;
    effects::Effects execute(effects::WatchServices& effect) override;
    effects::Effects execute(effects::ReportFailure& effect) override;
    effects::Effects execute(effects::Detached& effect) override;
    effects::Effects execute(effects::Fenced& effect) override;
    effects::Effects execute(effects::Log& effect) override;
    effects::Effects execute(const node::InstallSession& effect);
    effects::Effects execute(const node::RemoveSession& effect);
    effects::Effects execute(const node::AuditSessions& effect);
    effects::Effects execute(const node::SendDatagram& effect);
    effects::Effects execute(const node::SendFrame& effect);
    effects::Effects execute(const node::AcceptCall&) { return {}; }
    effects::Effects execute(const node::StartCall& effect);
    effects::Effects execute(const node::DropCall& effect);
    effects::Effects execute(const node::PptpWork& work);
    effects::Effects execute(const node::SendAccounting& sent);
    effects::Effects execute(const node::ReadTraffic& read);
    template <class Work>
    void carry_out(const Work& work);
    void carry_out(const node::PrepareCall& prepare);
    void carry_out(const node::SetCallNumbers& set);
    void carry_out(const node::RemoveCall& remove);
    [[nodiscard]] CallPath::Ports call_ports();
    [[nodiscard]] PeerDevices::Ports peer_ports();
    [[nodiscard]] Charon::Ports charon_ports();
    [[nodiscard]] echo::FakeResponder::Ports responder_ports();
    [[nodiscard]] static effects::KeeperEvent installed(const node::InstallSession& wanted,
                                                        const Result<void>& result);
    [[nodiscard]] static effects::KeeperEvent installed(const node::PrepareCall& wanted,
                                                        const Result<void>& result);
    [[nodiscard]] std::map<SaNumber, std::uint64_t> read_numbers(GatewayId gateway) override;
    void set_number(GatewayId gateway, SaNumber sa, std::uint64_t next) override;
    void drop_numbers(GatewayId gateway) override;
    [[nodiscard]] Duration number_delay() override;
    void on_warm(GatewayId gateway, const keepers::Margin& margin) override;
    [[nodiscard]] Result<void> run(const effects::RunStep& step);
    void reset_services(GatewayId gateway);
    [[nodiscard]] std::vector<PluginToken> plugins_of(GatewayId gateway) const;
    void send_waiting();
    void schedule_install();
    [[nodiscard]] effects::Effects install(node::Node& node, TimePoint now);
    void schedule_tasks();
    void run_task();
    void report_carrier(LinkSide side, bool carrier);
    void arm_timer();
    void on_timer();
    [[nodiscard]] Duration in_world(Duration local) const;
    void rebase(TimePoint local);

    NodeId id_;
    Agenda& agenda_;
    test::Random& random_;
    Story& story_;
    const Plan& plan_;
    Surroundings& world_;
    std::vector<wire::Codec> codecs_;
    std::vector<keepers::Make> families_;

    bool powered_ = false;
    bool paused_ = false;
    Duration slow_{};
    unsigned failing_percent_ = 0;
    std::optional<TimePoint> disk_full_since_;
    std::deque<Saving> saving_;
    bool save_due_ = false;
    TimePoint started_at_{};
    std::vector<NodeId> voters_;
    double rate_ = 1.0;
    TimePoint base_world_{};
    TimePoint base_local_{};
    TimePoint ready_at_{};
    std::map<GatewayId, lease::Durable> disk_;
    std::map<GatewayId, TimePoint> open_;  // Until then.
    lease::Sender sender_;
    std::uint8_t boots_ = 0;
    TimePoint thawed_at_{};
    std::set<LinkSide> lost_;
    // As vpnhad was told: lost, with no time, or back since then.
    std::map<LinkSide, std::optional<TimePoint>> notified_lost_;

    std::unique_ptr<node::Node> node_;
    std::uint64_t process_ = 0;
    bool over_ = false;  // This vpnhad does nothing any more.
    Kernel kernel_;
    FlowBackend flows_;
    CallPath calls_;
    PeerDevices peers_;
    Numbers numbers_;
    Charon charon_;
    echo::FakeResponder responder_;
    bool numbers_ended_ = false;
    test::Random of_numbers_;
    test::Random of_saves_;
    std::map<PluginToken, Kernel::Key> plugins_;
    std::map<l2tp::SessionKey, GatewayId> new_calls_;  // Those that have a pppd.
    std::map<GatewayId, int> scores_;
    std::deque<Task> tasks_;
    bool task_due_ = false;
    bool install_due_ = false;
    bool silenced_ = false;
    std::deque<Bytes> waiting_;
    Alarm timer_{agenda_, [this] { on_timer(); }};
};

}  // namespace vpnha::sim
