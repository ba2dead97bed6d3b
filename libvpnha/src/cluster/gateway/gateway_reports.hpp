// SPDX-License-Identifier: GPL-2.0-or-later
// Reports to Pacemaker, before its own monitors find a fault. Standbys report the promoted node's
// vpnhad (watch/holder_watch.hpp) by withdrawing its score. The lowest node that has the gateway
// withdraws the score of any other node whose vpnhad has died, so that Pacemaker does not promote
// it next. The promoted node reports its services. Pure.
#pragma once

#include <optional>
#include <string>

#include "cluster/gateway/gateway_views.hpp"

namespace vpnha::node {

class GatewayReports {
  public:
    // The parts of the gateway that this is about. They outlive it.
    struct Parts {
        const GatewaySettings& settings;
        const Attachment& attachment;
        const GatewayView& view;
        const replica::Replica& replica;
        SavedLease& lease;
        const Members& members;
        const KeeperList& keepers;
    };
    explicit GatewayReports(const Parts& parts) : parts_(parts) {}

    // That member's vpnhad has died, its node lives.
    void on_process_died(NodeId member, TimePoint now, Effects& effects);
    // This node, `name`, is left with sessions that nobody keeps, unless another one takes them.
    void on_service_died(const std::string& resource, const std::string& name, Effects& effects);
    // After each message of the lease and of the group.
    void note() { holder_.note(parts_.view.sight()); }
    void on_word_of_witness(const lease::Message& message, TimePoint now) {
        holder_.on_word_of_witness(message, now);
    }
    // A report of the holder that is due; send() sends it.
    [[nodiscard]] std::optional<HolderWatch::Report> look(TimePoint now);
    // The witness is to be asked whether the holder answers it.
    [[nodiscard]] bool asks_witness(TimePoint now) const;
    // It was asked, as asks_witness() wants.
    void on_asked(TimePoint now);
    void send(const HolderWatch::Report& report, Effects& effects) const;
    // Names the sessions that the end of this pass removes here.
    void log_lost(NodeId sender, const wire::SnapshotEnd& end, Effects& effects) const;

    [[nodiscard]] const HolderWatch& holder() const { return holder_; }

  private:
    [[nodiscard]] NodeId self() const { return parts_.settings.lease.self.node; }
    [[nodiscard]] std::string tag() const { return parts_.keepers.tag(); }

    Parts parts_;
    HolderWatch holder_;
};

}  // namespace vpnha::node
