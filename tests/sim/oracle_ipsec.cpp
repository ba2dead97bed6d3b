// SPDX-License-Identifier: GPL-2.0-or-later
// IPsec: who has which SA. Their numbers are in oracle_counters.cpp.
#include <algorithm>

#include "protocols/ipsec/model/sa_record.hpp"
#include "sim/oracle.hpp"

namespace vpnha::sim {

namespace {

constexpr std::array kSaTypes{wire::RecordType::ike_sa, wire::RecordType::child_sa};

wire::RecordKey ike_record(const ipsec::IkeKey& key) {
    return {wire::RecordType::ike_sa, wire::RecordId(ipsec::encode_key(key))};
}

wire::RecordKey child_record(std::uint32_t spi) {
    return {wire::RecordType::child_sa, wire::RecordId(ipsec::encode_spi(spi))};
}

std::string name_of_sa(const wire::RecordKey& sa) {
    if (sa.type == wire::RecordType::child_sa) {
        return fmt::format("CHILD SA {:08x}", *ipsec::parse_spi(sa.id.view()));
    }
    return fmt::format("IKE SA {:x}", ipsec::parse_ike_key(sa.id.view())->spi_i);
}

// A passive charon is fed it: it is not kept for what it made.
bool lives(const wire::RecordKey& sa, ByteView payload) {
    if (sa.type == wire::RecordType::child_sa) {
        return true;
    }
    const Result<ipsec::IkeSa> ike = ipsec::parse_ike_sa(sa.id.view(), payload);
    return ike && !ike->dead && !ike->heir;
}

}  // namespace

bool Oracle::has_sa(const Machine& machine, const wire::RecordKey& sa) {
    const Charon& charon = machine.charon();
    return sa.type == wire::RecordType::child_sa ? charon.has_child(*ipsec::parse_spi(sa.id.view()))
                                                 : charon.has(*ipsec::parse_ike_key(sa.id.view()));
}

bool Oracle::had_sa(const Machine& machine, const wire::RecordKey& sa) {
    const Charon& charon = machine.charon();
    return sa.type == wire::RecordType::child_sa ? charon.had_child(*ipsec::parse_spi(sa.id.view()))
                                                 : charon.had(*ipsec::parse_ike_key(sa.id.view()));
}

bool Oracle::was_elsewhere(const Machine& machine, const wire::RecordKey& sa) const {
    return std::ranges::any_of(machines_, [&](const auto& each) {
        const Charon& charon = each.second->charon();
        const bool had = sa.type == wire::RecordType::child_sa
                             ? charon.ever_had_child(*ipsec::parse_spi(sa.id.view()))
                             : charon.ever_had(*ipsec::parse_ike_key(sa.id.view()));
        return each.first != machine.id() && had;
    });
}

bool Oracle::is_wanted(const wire::RecordKey& sa) const {
    if (sa.type == wire::RecordType::ike_sa) {
        return ike_clients_.find(*ipsec::parse_ike_key(sa.id.view())) != nullptr;
    }
    const std::uint32_t spi = *ipsec::parse_spi(sa.id.view());
    return std::ranges::any_of(ike_clients_.all(), [&](const IkeClient& client) {
        return client.alive && client.children.contains(spi);
    });
}

void Oracle::on_charon_broken(const Machine& machine, const std::string& what) const {
    fail("ipsec", machine.id(), "charon: " + what);
}

void Oracle::check_sa_promises(const Machine& machine, const node::GatewayNode& gateway) {
    if (!plan_.ipsec || gateway.cores().settings.id != kIpsecGateway) {
        return;
    }
    const replica::Replica& replica = gateway.cores().replica;
    for (const wire::RecordType type : kSaTypes) {
        for (const auto& [key, stored] : replica.store().all(type)) {
            const auto promise = sa_promises_.find(key);
            if (!replica.is_protected(key)) {
                if (promise != sa_promises_.end() && promise->second == machine.id()) {
                    sa_promises_.erase(promise);
                }
            } else if (promise != sa_promises_.end()) {
                promise->second = machine.id();
            } else if (lives(key, stored.payload)) {
                if (!was_elsewhere(machine, key)) {
                    fail("protected", machine.id(),
                         fmt::format("reports {} as protected, and no other charon ever had it",
                                     name_of_sa(key)));
                }
                sa_promises_[key] = machine.id();
            }
        }
    }
}

void Oracle::check_sas_confirmed(const Machine& machine, const wire::Confirm& confirm) const {
    // A charon that is absent is fed what it misses when it starts.
    if (!plan_.ipsec || confirm.gateway != kIpsecGateway || !machine.charon().is_met()) {
        return;
    }
    const replica::Store& store = machine.gateway(confirm.gateway)->cores().replica.store();
    for (const wire::RecordType type : kSaTypes) {
        for (const auto& [key, stored] : store.all(type)) {
            const bool is_refused =
                std::ranges::find(confirm.refused, stored.version) != confirm.refused.end();
            const bool is_covered =
                stored.version <= wire::Version{confirm.epoch, confirm.sequence};
            if (is_covered && !is_refused && lives(key, stored.payload) && !had_sa(machine, key)) {
                fail("confirm", machine.id(),
                     fmt::format("confirms {}/{}, and its charon never had {} of {}/{}",
                                 to_string(confirm.epoch), confirm.sequence, name_of_sa(key),
                                 to_string(stored.version.epoch), stored.version.sequence));
            }
        }
    }
}

void Oracle::expect_sas(const Machine& machine, GatewayId gateway) {
    if (!plan_.ipsec || gateway != kIpsecGateway) {
        return;
    }
    sas_expected_ = {machine.id(), {}};
    const replica::Store& store = machine.gateway(gateway)->cores().replica.store();
    for (const auto& [key, holder] : std::exchange(sa_promises_, {})) {
        // A restarted vpnhad empties the charon that it meets, and feeds it the records. An SA of
        // which no node has a record ends there (docs/explain/failure-model.md, "vpnhad of the only
        // node that has the gateway restarts").
        const bool stays = machine.charon().is_met() || store.find(key) != nullptr;
        if (stays && is_wanted(key) && has_sa(machine, key)) {
            sas_expected_.second.insert(key);
        }
    }
}

void Oracle::on_charon_death(NodeId node) {
    if (sas_expected_.first == node) {
        sas_expected_ = {};
    }
}

void Oracle::on_charon_active(const Machine& machine) {
    if (sas_expected_.first != machine.id()) {
        return;
    }
    for (const wire::RecordKey& key : std::exchange(sas_expected_, {}).second) {
        // Another holder may have ended it, or replaced it, until this one's claim.
        if (!is_wanted(key)) {
            continue;
        }
        const bool is_refused = key.type == wire::RecordType::child_sa &&
                                machine.charon().is_refused(*ipsec::parse_spi(key.id.view()));
        if (!has_sa(machine, key) && !is_refused) {
            fail(
                "lost", machine.id(),
                fmt::format("charon speaks without the protected {} that it had", name_of_sa(key)));
        }
        ++tally_.sas_kept;
    }
}

void Oracle::on_ike_end(const Machine& machine, const ipsec::IkeKey& key) {
    const IkeClient* const client = ike_clients_.find(key);
    if (client != nullptr && std::ranges::any_of(client->children, [&](std::uint32_t spi) {
            return machine.charon().has_child(spi);
        })) {
        fail("lost", machine.id(),
             fmt::format("ends the {} of a client that lives", name_of_sa(ike_record(key))));
    }
}

void Oracle::on_esp_refused(const Machine& machine, std::uint32_t spi) const {
    fail("ipsec", machine.id(),
         fmt::format("its kernel drops what the client of {} sends under a new number",
                     name_of_sa(child_record(spi))));
}

void Oracle::check_replays(const Machine& machine) const {
    const replica::Store& store = machine.gateway(kIpsecGateway)->cores().replica.store();
    for (const auto& [key, stored] : store.all(wire::RecordType::esp_counters)) {
        const auto counters = ipsec::parse_esp_counters(key.id.view(), stored.payload);
        const Charon& charon = machine.charon();
        if (charon.has_kernel(counters->spi) && !charon.is_held(counters->spi) &&
            charon.received(counters->spi) < counters->seq) {
            fail("ipsec", machine.id(),
                 fmt::format("takes packets of {} again, up to {}",
                             name_of_sa(child_record(counters->spi)), counters->seq));
        }
    }
}

void Oracle::check_sas_settled(const Machine& holder) const {
    const replica::Replica& replica = holder.gateway(kIpsecGateway)->cores().replica;
    for (const IkeClient& client : ike_clients_.all()) {
        if (!client.alive) {
            continue;
        }
        std::vector<wire::RecordKey> sas{ike_record(client.key())};
        std::ranges::transform(client.children, std::back_inserter(sas), child_record);
        for (const wire::RecordKey& sa : sas) {
            if (!replica.is_protected(sa)) {
                fail("settled", holder.id(), name_of_sa(sa) + " is not protected");
            }
            for (const auto& [node, machine] : machines_) {
                if (!has_sa(*machine, sa)) {
                    fail("settled", node, "its charon misses " + name_of_sa(sa));
                }
            }
        }
        for (const auto& [node, machine] : machines_) {
            const Charon& charon = machine->charon();
            if (!client.inner.empty() && (!charon.has_address(client.key(), client.inner) ||
                                          !charon.is_reserved(client.inner))) {
                fail("settled", node,
                     fmt::format("its charon {} {} of {}",
                                 charon.is_reserved(client.inner) ? "does not know" : "gives away",
                                 client.inner, client.sample.client));
            }
        }
    }
    for (const auto& [node, machine] : machines_) {
        for (const auto& [key, ike] : machine->charon().sas().ikes) {
            if (ike_clients_.find(key) == nullptr) {
                fail("settled", node, "its charon still has " + name_of_sa(ike_record(key)));
            }
        }
    }
}

}  // namespace vpnha::sim
