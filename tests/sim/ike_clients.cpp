// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/ike_clients.hpp"

#include <algorithm>

namespace vpnha::sim {

namespace {

constexpr std::size_t kLivingMax = 6;
constexpr std::size_t kClientsMax = 200;
constexpr std::uint32_t kInbound = 0xc0000000;
constexpr std::uint32_t kOutbound = 0xd0000000;
// Of packets that a client sends between two that are looked at.
constexpr std::uint64_t kBurstMax = 5000;

}  // namespace

std::vector<IkeClient*> IkeClients::living() {
    std::vector<IkeClient*> all;
    for (IkeClient& client : clients_) {
        if (client.alive) {
            all.push_back(&client);
        }
    }
    return all;
}

IkeClient* IkeClients::owner_of(const ipsec::IkeKey& key) {
    const auto found = std::ranges::find_if(
        clients_, [&](const IkeClient& each) { return each.alive && each.key() == key; });
    return found == clients_.end() ? nullptr : &*found;
}

const IkeClient* IkeClients::find(const ipsec::IkeKey& key) const {
    return const_cast<IkeClients*>(this)->owner_of(key);
}

void IkeClients::act(Charon& charon) {
    if (!charon.is_active()) {
        return;
    }
    const std::vector<IkeClient*> all = living();
    const std::uint64_t what = random_.below(20);
    if (what < 5 && all.size() < kLivingMax && clients_.size() < kClientsMax) {
        dial(charon);
        return;
    }
    if (random_.chance(20)) {
        end_dead(charon);
    }
    IkeClient* const client = all.empty() ? nullptr : all[random_.below(all.size())];
    if (client == nullptr || !client->alive) {
        return;
    }
    if (!charon.has(client->key())) {
        mend(charon, *client);
    } else if (what < 9) {
        add_child(charon, *client);
    } else if (what < 11) {
        rekey_ike(charon, *client);
    } else if (what < 12) {
        hang_up(charon, *client);
    } else if (what < 15) {
        mend(charon, *client);
    } else {
        ask(charon, *client);
    }
}

void IkeClients::settle(Charon& charon) {
    if (charon.is_active()) {
        end_dead(charon);
        for (IkeClient* const client : living()) {
            mend(charon, *client);
        }
    }
}

void IkeClients::dial(Charon& charon) {
    IkeClient client;
    client.sample.id = test::ike_id(2, ++last_);
    client.sample.client = "client" + std::to_string(last_);
    client.sample.address =
        "198.51." + std::to_string(last_ / 256) + "." + std::to_string(last_ % 256);
    if (of_addresses_.chance(inner_percent_)) {
        client.inner = charon.free_address();
    }
    story_.notify("{} dials by IPsec{}{}", client.sample.client, client.inner.empty() ? "" : " as ",
                  client.inner);
    charon.emit(client.sample.add());
    charon.emit(build_mid(ipsec::HaType::ike_mid_responder, client.sample.id, client.mid));
    charon.emit(client.sample.update());
    clients_.push_back(client);
    make_child(charon, clients_.back());
    if (!client.inner.empty()) {
        charon.emit(client.sample.vip(client.inner));
    }
}

// charon narrows a dynamic selector to the addresses that the client has of it (get_dynamic_hosts()
// of strongSwan's child_create.c): without the report of its address it refuses the client's.
bool IkeClients::add_child(Charon& charon, IkeClient& client) {
    if (!client.inner.empty() && !charon.has_address(client.key(), client.inner)) {
        ask(charon, client);
        return false;
    }
    make_child(charon, client);
    return true;
}

void IkeClients::make_child(Charon& charon, IkeClient& client) {
    const std::uint32_t number = ++last_;
    ask(charon, client);
    const std::string_view remote =
        client.inner.empty() ? "10.1.0.7" : std::string_view(client.inner);
    charon.emit(client.sample.child(kInbound + number, kOutbound + number, remote));
    client.children.insert(kInbound + number);
    while (client.children.size() > 2) {
        end_child(charon, client, *client.children.begin());
    }
}

void IkeClients::end_child(Charon& charon, IkeClient& client, std::uint32_t spi) {
    client.children.erase(spi);
    if (charon.sas().children.contains(spi)) {
        charon.emit(ipsec::build_child_delete(client.sample.id, spi));
    }
}

void IkeClients::rekey_child(Charon& charon, std::uint32_t spi) {
    const auto child = charon.sas().children.find(spi);
    IkeClient* const client =
        child == charon.sas().children.end() ? nullptr : owner_of(child->second.owner);
    if (client != nullptr && client->children.contains(spi) && add_child(charon, *client)) {
        end_child(charon, *client, spi);
    }
}

void IkeClients::rekey_ike(Charon& charon, IkeClient& client) {
    const ipsec::IkeId old = client.sample.id;
    ask(charon, client);
    client.sample.id = test::ike_id(2, ++last_);
    client.mid = 0;
    story_.notify("{} has a new IKE SA", client.sample.client);
    charon.emit(client.sample.add({old.key}));
    charon.emit(client.sample.update());
    charon.emit(ipsec::build_ike_delete(old));
}

void IkeClients::ask(Charon& charon, IkeClient& client) {
    charon.emit(build_mid(ipsec::HaType::ike_mid_responder, client.sample.id, ++client.mid));
}

void IkeClients::hang_up(Charon& charon, IkeClient& client) {
    client.alive = false;
    story_.notify("{} ends its IKE SA", client.sample.client);
    charon.emit(ipsec::build_ike_delete(client.sample.id));
}

void IkeClients::on_end(const ipsec::IkeKey& key) {
    if (IkeClient* const client = owner_of(key)) {
        story_.notify("{} is told that its IKE SA is over", client->sample.client);
        client->alive = false;
    }
}

void IkeClients::end_dead(Charon& charon) {
    std::vector<ipsec::IkeKey> dead;
    for (const auto& [key, ike] : charon.sas().ikes) {
        if (owner_of(key) == nullptr) {
            dead.push_back(key);
        }
    }
    for (const ipsec::IkeKey& key : dead) {
        charon.emit(ipsec::build_ike_delete({key, false}));
    }
}

// What the last holder did with this client, and did not live to replicate.
void IkeClients::mend(Charon& charon, IkeClient& client) {
    if (!charon.has(client.key())) {
        story_.notify("{} finds that its IKE SA is gone", client.sample.client);
        client.alive = false;
        return;
    }
    std::vector<std::uint32_t> unknown;
    for (const auto& [spi, child] : charon.sas().children) {
        if (child.owner == client.key() && !client.children.contains(spi)) {
            unknown.push_back(spi);
        }
    }
    // Nor has charon what the kernel did not take: the client notices as it rekeys.
    for (const std::uint32_t spi : std::set(client.children)) {
        if (!charon.has_child(spi)) {
            end_child(charon, client, spi);
        }
    }
    if (client.children.empty() && !unknown.empty()) {
        add_child(charon, client);
    }
    for (const std::uint32_t spi : unknown) {
        end_child(charon, client, spi);
    }
}

std::vector<std::uint32_t> IkeClients::send(Charon& charon) {
    std::vector<std::uint32_t> refused;
    for (const IkeClient* const client : living()) {
        for (const std::uint32_t spi : client->children) {
            sent_[spi] += 1 + random_.below(kBurstMax);
            if (charon.has_kernel(spi) && !charon.receive(spi, sent_[spi])) {
                refused.push_back(spi);
            }
        }
    }
    return refused;
}

}  // namespace vpnha::sim
