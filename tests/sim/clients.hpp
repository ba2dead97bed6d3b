// SPDX-License-Identifier: GPL-2.0-or-later
// The clients of the gateways: what is true of their sessions, whoever believes what about them.
// A client keeps its end of the tunnel as RFC 2661 5.8 wants it, answers LCP echoes, and knows
// nothing of a takeover.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cluster/effects/effects.hpp"
#include "protocols/keeper.hpp"
#include "protocols/l2tp/work.hpp"
#include "protocols/pptp/work.hpp"
#include "sim/session_names.hpp"
#include "support/l2tp_builder.hpp"
#include "support/ppp_builder.hpp"
#include "support/random.hpp"

namespace vpnha::sim {

// A session as its stock daemon has it.
using Negotiated = std::variant<l2tp::SessionRecord, node::StockCall>;

struct Session {
    GatewayId gateway;
    Negotiated record;
    bool resumable = true;
    bool alive = true;     // The client has it, and nobody told it otherwise.
    bool refused = false;  // No kernel takes it.
};

class Clients {
  public:
    explicit Clients(test::Random& random) : random_(random) {}

    // A session that a client has just brought up; of a new tunnel, or one more of an old one.
    wire::RecordKey dial(GatewayId gateway, bool poison, bool refused, bool resumable);
    // One that another class plays.
    wire::RecordKey put(GatewayId gateway, const Negotiated& record, bool resumable, bool refused);
    // The same client, with other addresses.
    const Session& negotiate_again(const wire::RecordKey& key);
    void hang_up(const wire::RecordKey& key);

    // What the client answers, if anything. An Ns that it has had with other content is put down in
    // reused(), but not of a sender that has just thawed: it takes its lease for valid for one
    // lease more (docs/explain/failure-model.md), and the client drops what it sends as old.
    std::optional<Bytes> on_datagram(const l2tp::TunnelKey& tunnel, const Bytes& bytes,
                                     bool has_just_thawed);
    [[nodiscard]] std::optional<Bytes> on_frame(const l2tp::SessionKey& key,
                                                const Bytes& bytes) const;
    // The client ends its session at whoever serves it now: a CDN.
    [[nodiscard]] Bytes emit_goodbye(const l2tp::SessionKey& key);
    // Another session of its tunnel was ever there, or is being set up.
    [[nodiscard]] bool is_shared(const l2tp::TunnelKey& tunnel) const;

    // A call in a tunnel that there is: what the client says, until it is acknowledged. nullopt:
    // the tunnel is over, or a call is being set up in it already.
    [[nodiscard]] std::optional<Bytes> begin_call(const l2tp::TunnelKey& tunnel);
    // What nobody has acknowledged; nullopt: there is nothing, or the tunnel is over.
    [[nodiscard]] std::optional<Bytes> repeat(const l2tp::TunnelKey& tunnel) const;
    // The pppd of the call that is being set up has come up. nullopt: it was given up.
    [[nodiscard]] std::optional<wire::RecordKey> connect(GatewayId gateway,
                                                         const l2tp::SessionKey& call);
    // Whatever is being set up in it.
    void give_up_call(const l2tp::TunnelKey& tunnel, std::uint16_t number);
    // Of the call that begin_call() has begun last.
    [[nodiscard]] std::uint16_t last_number() const { return next_ - 1; }

    // As far as anybody who asks it can know: the session, or without echoes its tunnel.
    [[nodiscard]] bool can_be_there(const wire::RecordKey& key, ByteView record) const;
    [[nodiscard]] const Session* find(const wire::RecordKey& key) const;
    [[nodiscard]] const std::map<wire::RecordKey, Session>& sessions() const { return sessions_; }
    [[nodiscard]] const std::optional<std::string>& reused() const { return reused_; }

  private:
    [[nodiscard]] bool is_alive(const l2tp::TunnelKey& tunnel) const;

    struct Emitted {
        l2tp::Seq16 ns{};
        test::L2tpPacket packet;
    };
    struct Tunnel {
        l2tp::Seq16 ns{};
        l2tp::Seq16 expected{};
        std::map<std::uint16_t, Bytes> accepted;
        std::optional<Emitted> emitted{};    // And not acknowledged.
        std::optional<SessionId> calling{};  // The client's id of the call that is being set up.
    };

    static Bytes emit(Tunnel& tunnel, test::L2tpPacket packet);
    [[nodiscard]] static Bytes bytes_of(const Tunnel& tunnel);

    test::Random& random_;
    std::map<wire::RecordKey, Session> sessions_;
    std::map<l2tp::TunnelKey, Tunnel> tunnels_;
    std::uint16_t next_ = 1;
    std::optional<std::string> reused_;
};

}  // namespace vpnha::sim
