// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/node.hpp"

#include <fmt/format.h>

#include "base/assert.hpp"

namespace vpnha::node {

Node::Node(Settings settings) : settings_(std::move(settings)) {
    for (const GatewaySettings& gateway : settings_.gateways) {
        gateways_.try_emplace(gateway.id, gateway, settings_.self, settings_.confirm_wait);
    }
}

const GatewayNode* Node::find(GatewayId gateway) const {
    const auto found = gateways_.find(gateway);
    return found == gateways_.end() ? nullptr : &found->second;
}

Effects Node::on_members(const std::set<NodeId>& members, TimePoint now) {
    Effects effects;
    std::string list;
    for (const NodeId member : members) {
        list += fmt::format("{}{}", list.empty() ? "" : ",", member.value);
    }
    effects.emplace_back(Log{Level::info, fmt::format("members event=members list={}", list)});
    std::erase_if(peers_, [&](const auto& peer) { return !members.contains(peer.first); });
    members_ = members;
    last_hello_.reset();  // Joiners have not heard it.
    for (auto& [id, gateway] : gateways_) {
        gateway.on_members(members, now, effects);
    }
    settle(now, effects);
    return effects;
}

Effects Node::on_group_message(NodeId sender, ByteView bytes, TimePoint now) {
    Effects effects;
    const Result<wire::Message> message = wire::parse_message(bytes);
    if (!message) {
        ++(message.error().code == Errc::unsupported ? counters_.messages_unsupported
                                                     : counters_.messages_malformed);
        effects.emplace_back(
            Log{Level::warning, fmt::format("message dropped event=malformed sender={}: {}",
                                            sender.value, message.error().detail)});
        return effects;
    }
    if (const auto* hello = std::get_if<wire::Hello>(&*message)) {
        peers_[sender] = *hello;
    }
    for (auto& [id, gateway] : gateways_) {
        gateway.on_message(sender, *message, now, effects);
    }
    settle(now, effects);
    return effects;
}

Effects Node::set_group_writable(bool writable, TimePoint now) {
    Effects effects;
    writable_ = writable;
    settle(now, effects);
    return effects;
}

template <class Event>
Effects Node::tell(GatewayId gateway, TimePoint now, Event event) {
    const auto found = gateways_.find(gateway);
    VPNHA_ASSERT(found != gateways_.end());
    Effects effects;
    event(found->second, effects);
    settle(now, effects);
    return effects;
}

template <class Event>
Effects Node::for_gateway(RequestToken request, GatewayId gateway, TimePoint now, Event event) {
    if (find(gateway) == nullptr) {
        return {AnswerRequest{
            request, fail(Errc::not_found, fmt::format("no gateway with id {}", gateway.value))}};
    }
    return tell(gateway, now, event);
}

Effects Node::attach(RequestToken request, GatewayId gateway, const std::string& resource,
                     TimePoint now) {
    return for_gateway(request, gateway, now, [&](GatewayNode& node, Effects& effects) {
        node.attach(resource, members_, now, effects);
        // Introductions that came while nobody listened: peers do not repeat them.
        for (const auto& [peer, hello] : peers_) {
            node.on_message(peer, hello, now, effects);
        }
        effects.emplace_back(AnswerRequest{request, {}});
    });
}

Effects Node::detach(RequestToken request, GatewayId gateway, TimePoint now) {
    return for_gateway(request, gateway, now, [&](GatewayNode& node, Effects& effects) {
        node.detach(request, now, effects);
    });
}

Effects Node::promote(RequestToken request, GatewayId gateway, TimePoint now) {
    return for_gateway(request, gateway, now, [&](GatewayNode& node, Effects& effects) {
        node.promote(request, now, effects);
    });
}

Effects Node::demote(RequestToken request, GatewayId gateway, TimePoint now) {
    return for_gateway(request, gateway, now, [&](GatewayNode& node, Effects& effects) {
        node.demote(request, now, effects);
    });
}

Effects Node::on_step_done(GatewayId gateway, takeover::Step step, const Result<void>& result,
                           TimePoint now) {
    return tell(gateway, now, [&](GatewayNode& node, Effects& effects) {
        node.on_step_done(step, result, now, effects);
    });
}

Effects Node::on_installed(GatewayId gateway, const l2tp::SessionKey& key,
                           const Result<void>& result, TimePoint now) {
    return tell(gateway, now, [&](GatewayNode& node, Effects& effects) {
        node.on_installed(key, result, effects);
    });
}

Effects Node::on_plugin_up(PluginToken plugin, const std::string& gateway,
                           const l2tp::SessionRecord& record, const std::string& not_resumable,
                           TimePoint now) {
    Effects effects;
    for (auto& [id, node] : gateways_) {
        if (node.settings().name == gateway) {
            node.on_plugin_up(plugin, record, not_resumable, now, effects);
            settle(now, effects);
            return effects;
        }
    }
    ++counters_.unknown_gateway;
    effects.emplace_back(
        AnswerPlugin{plugin, false, fmt::format("no gateway '{}' in vpnha.toml", gateway)});
    return effects;
}

Effects Node::on_plugin_down(PluginToken plugin, TimePoint now) {
    Effects effects;
    for (auto& [id, gateway] : gateways_) {
        gateway.on_plugin_down(plugin, effects);
    }
    settle(now, effects);
    return effects;
}

Effects Node::on_datagram(GatewayId gateway, const l2tp::TunnelKey& tunnel, ByteView bytes,
                          TimePoint now) {
    if (find(gateway) == nullptr) {
        return {};
    }
    return tell(gateway, now, [&](GatewayNode& node, Effects& effects) {
        node.on_datagram(tunnel, bytes, now, effects);
    });
}

Effects Node::on_frame(GatewayId gateway, const l2tp::SessionKey& session, ByteView frame,
                       TimePoint now) {
    if (find(gateway) == nullptr) {
        return {};
    }
    return tell(gateway, now, [&](GatewayNode& node, Effects& effects) {
        node.on_frame(session, frame, now, effects);
    });
}

Effects Node::on_time(TimePoint now) {
    Effects effects;
    for (auto& [id, gateway] : gateways_) {
        gateway.on_time(now, effects);
    }
    settle(now, effects);
    return effects;
}

void Node::settle(TimePoint now, Effects& effects) {
    if (!writable_ || !members_.contains(settings_.self)) {
        return;
    }
    for (auto& [id, gateway] : gateways_) {
        gateway.flush(now, effects);
    }
    wire::Hello current = hello();
    if (current != last_hello_) {
        effects.emplace_back(SendToGroup{wire::encode(current)});
        last_hello_ = std::move(current);
    }
}

wire::Hello Node::hello() const {
    wire::Hello hello;
    hello.instance = settings_.instance;
    hello.node_name = settings_.name;
    for (const auto& [id, gateway] : gateways_) {
        if (gateway.attached()) {
            hello.gateways.push_back(gateway.wire_state());
        }
    }
    return hello;
}

std::optional<TimePoint> Node::next_deadline() const {
    std::optional<TimePoint> at;
    for (const auto& [id, gateway] : gateways_) {
        if (writable_ && gateway.has_more()) {
            return TimePoint{};  // The next chunk of a snapshot, as soon as others had their turn.
        }
        at = earliest(at, gateway.next_deadline());
    }
    return at;
}

bool Node::any_attached() const {
    for (const auto& [id, gateway] : gateways_) {
        if (gateway.attached()) {
            return true;
        }
    }
    return false;
}

}  // namespace vpnha::node
