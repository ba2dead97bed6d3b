// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/keeper/open_requests.hpp"

#include <limits>
#include <utility>

#include "base/limits.hpp"
#include "protocols/ipsec/work.hpp"

namespace vpnha::keepers {

namespace {

using ipsec::IkeKey;

wire::RecordKey open_record(const IkeKey& key, std::uint32_t mid) {
    return {wire::RecordType::open_request, wire::RecordId(ipsec::encode_id({key, mid, {}}))};
}

}  // namespace

void OpenRequests::install(const replica::Install& wanted, TimePoint now, Effects& effects) {
    auto request = ipsec::parse_open_request(wanted.key.id.view(), wanted.payload);
    if (!request) {
        set_aside(gateway_, wanted, request.error().detail, now, effects);
        return;
    }
    open_[request->key][request->mid] = std::move(request->datagram);
    gateway_.replica().on_installed(wanted.key, wanted.ticket, replica::Outcome::installed, now);
}

void OpenRequests::remove(const wire::RecordKey& key, Effects&) {
    const auto request = ipsec::parse_request_id(key.id.view());
    const auto found = request ? open_.find(request->key) : open_.end();
    if (found != open_.end()) {
        found->second.erase(request->mid);
        if (found->second.empty()) {
            open_.erase(found);
        }
    }
}

void OpenRequests::watch(bool on, Effects& effects) {
    if (std::exchange(watches_, on) != on) {
        effects.emplace_back(node::WatchIke{gateway_.id(), on});
    }
}

void OpenRequests::promote(TimePoint now, Effects& effects) {
    look_at_ = now + limits::kIkeRequestsPause;
    watch(true, effects);
}

void OpenRequests::pause(Effects& effects) {
    watch(false, effects);
}

void OpenRequests::unpause(TimePoint now, Effects& effects) {
    promote(now, effects);
}

void OpenRequests::mute(Effects& effects) {
    look_at_.reset();
    watch(false, effects);
}

void OpenRequests::detach(Effects& effects) {
    mute(effects);
    open_.clear();
}

std::optional<ipsec::IkePeer> OpenRequests::peer_of(const IkeKey& key) const {
    const Bytes id = ipsec::encode_key(key);
    const replica::StoredRecord* const held =
        gateway_.replica().store().find({wire::RecordType::ike_sa, wire::RecordId(id)});
    const auto sa =
        held == nullptr ? std::nullopt : std::optional(ipsec::parse_ike_sa(id, held->payload));
    return sa && *sa && !(*sa)->dead ? std::optional(ipsec::peer_of(**sa)) : std::nullopt;
}

void OpenRequests::on_event(const effects::KeeperEvent& event, TimePoint now, Effects& effects) {
    const auto* const own = event.get<node::IpsecEvent>();
    const auto* const seen = own == nullptr ? nullptr : std::get_if<node::IkeSeen>(own);
    if (seen == nullptr || !watches_ || !gateway_.replica().promoted()) {
        return;
    }
    if (seen->packet.is_sent && !seen->packet.is_answer) {
        on_request(seen->packet, now, effects);
    } else if (!seen->packet.is_sent && seen->packet.is_answer) {
        forget(seen->packet.key, seen->packet.mid, now);
    }
}

void OpenRequests::on_request(const ipsec::IkePacket& packet, TimePoint now, Effects& effects) {
    const auto peer = peer_of(packet.key);
    const auto local = peer ? ipsec::parse_host(peer->local) : std::nullopt;
    const auto remote = peer ? ipsec::parse_host(peer->remote) : std::nullopt;
    // Others may also send through this node.
    if (!local || !remote || packet.from.address != local->address) {
        return;
    }
    const auto found = open_.find(packet.key);
    if (found != open_.end()) {
        if (packet.mid < found->second.rbegin()->first) {
            return;  // A repeated request.
        }
        for (const auto& [mid, datagram] : found->second) {
            if (mid < packet.mid) {
                ++again_;
                effects.emplace_back(node::SendIke{gateway_.id(), *local, *remote, datagram});
            }
        }
    }
    const bool is_kept = !packet.makes_child && !packet.datagram.empty() &&
                         packet.datagram.size() <= limits::kIkeRequestBytesMax;
    if (!is_kept || (found != open_.end() && (found->second.contains(packet.mid) ||
                                              found->second.size() >= limits::kIkeRequestsMax))) {
        return;
    }
    Bytes datagram(packet.datagram.begin(), packet.datagram.end());
    const Bytes payload = ipsec::encode_record({packet.key, packet.mid, datagram});
    if (gateway_.replica().publish(open_record(packet.key, packet.mid), payload)) {
        open_[packet.key][packet.mid] = std::move(datagram);
    }
    look_at_ = earliest(look_at_, now + limits::kIkeRequestsPause);
}

void OpenRequests::forget(const IkeKey& key, std::uint32_t last, TimePoint now) {
    const auto found = open_.find(key);
    if (found == open_.end()) {
        return;
    }
    std::erase_if(found->second, [&](const auto& request) {
        const bool is_answered = request.first <= last;
        if (is_answered) {
            gateway_.replica().erase(open_record(key, request.first), now);
        }
        return is_answered;
    });
    if (found->second.empty()) {
        open_.erase(found);
    }
}

void OpenRequests::on_time(TimePoint now, Effects&) {
    if (!look_at_ || *look_at_ > now) {
        return;
    }
    look_at_.reset();
    if (!gateway_.replica().promoted()) {
        return;
    }
    std::vector<IkeKey> ended;
    for (const auto& [key, requests] : open_) {
        if (!peer_of(key)) {
            ended.push_back(key);
        }
    }
    for (const IkeKey& key : ended) {
        forget(key, std::numeric_limits<std::uint32_t>::max(), now);
    }
    if (!open_.empty()) {
        look_at_ = now + limits::kIkeRequestsPause;
    }
}

}  // namespace vpnha::keepers
