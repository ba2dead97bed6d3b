// SPDX-License-Identifier: GPL-2.0-or-later
// What a machine's kernel does with sequence numbers, and how its vpnhad reads and sets them.
#include "sim/machine.hpp"

namespace vpnha::sim {

void Machine::shut_gates() {
    use_numbers();
    open_.clear();
}

void Machine::use_numbers() {
    if (paused_ || !powered_ || numbers_ended_) {
        return;
    }
    const auto open_until = [this](const Numbers::Key& sa) {
        const auto found = open_.find(sa.first);
        const bool is_held = plan_.ipsec && charon_.holds(static_cast<std::uint32_t>(sa.second));
        return found == open_.end() || is_held ? TimePoint{} : found->second;
    };
    numbers_.pass(
        local_now(), open_until,
        [this](const Numbers::Key& sa, std::uint64_t first, std::uint64_t count, TimePoint from) {
            // Another node may use them as well, as the oracle knows: see just_thawed().
            if (thawed_at_ == TimePoint{} || from >= thawed_at_ + lease::Timing{}.lease) {
                world_.on_numbers(*this, sa, first, count);
            }
        });
}

void Machine::end_numbers() {
    use_numbers();
    numbers_ended_ = true;
}

std::map<SaNumber, std::uint64_t> Machine::read_numbers(GatewayId gateway) {
    use_numbers();
    std::map<SaNumber, std::uint64_t> next;
    for (const auto& [key, sa] : numbers_.sas()) {
        if (key.first == gateway) {
            next[key.second] = sa.next;
        }
    }
    return next;
}

void Machine::set_number(GatewayId gateway, SaNumber sa, std::uint64_t next) {
    use_numbers();
    world_.on_number_set(*this, {gateway, sa}, next);
    numbers_.set({gateway, sa}, next, local_now());
}

void Machine::drop_numbers(GatewayId gateway) {
    use_numbers();
    numbers_.drop(gateway);
}

Duration Machine::number_delay() {
    const std::uint64_t how = of_numbers_.below(100);
    return how < 60 ? Duration{}
           : how < 95
               ? between(of_numbers_, std::chrono::milliseconds(1), std::chrono::milliseconds(30))
               : between(of_numbers_, std::chrono::milliseconds(40),
                         std::chrono::milliseconds(120));
}

void Machine::on_warm(GatewayId gateway, const keepers::Margin& margin) {
    world_.on_warm(*this, gateway, margin);
}

echo::FakeResponder::Ports Machine::responder_ports() {
    return {.wake =
                [this] {
                    agenda_.after(number_delay(), [this, process = process_] {
                        if (process == process_) {
                            responder_.deliver();
                        }
                    });
                },
            .notify =
                [this](GatewayId gateway, const echo::Event& event) {
                    post([gateway, event](node::Node& node, TimePoint now) {
                        return node.on_event(gateway, event, now);
                    });
                },
            .read = [this](GatewayId gateway) { return read_numbers(gateway); },
            .set = [this](GatewayId gateway, echo::SessionId session,
                          std::uint64_t next) { set_number(gateway, session, next); },
            .drop =
                [this](GatewayId gateway, echo::SessionId session) {
                    use_numbers();
                    numbers_.drop({gateway, session});
                }};
}

Charon::Ports Machine::charon_ports() {
    return {.post = [this](Call call) { post(std::move(call)); },
            .stands_still = [this] { return paused_; },
            .use_numbers = [this] { use_numbers(); },
            .now = [this] { return local_now(); },
            .active = [this] { world_.on_charon_active(*this); },
            .ends = [this](const ipsec::IkeKey& key) { world_.on_ike_end(*this, key); },
            .rekeys = [this](std::uint32_t spi) { world_.on_child_rekey(*this, spi); },
            .broken = [this](const std::string& what) { world_.on_charon_broken(*this, what); }};
}

}  // namespace vpnha::sim
