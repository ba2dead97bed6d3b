// SPDX-License-Identifier: GPL-2.0-or-later
// Two nodes of one gateway for tests, as far as the lease goes: engines that speak with each other
// at once, and with a witness by UDP, in real time.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "cluster/lease/replay_guard.hpp"
#include "host/os/boot_clock.hpp"
#include "host/os/unique_fd.hpp"
#include "unit/cluster/lease/cluster.hpp"
#include "witness/endpoint.hpp"

namespace vpnha::witness {

class LivePair {
  public:
    static constexpr GatewayId kGateway{4};

    // `witness`: its address for node 1, and for node 2.
    LivePair(const lease::LeaseKey& key, const std::array<Endpoint, 2>& witness) : key_(key) {
        for (const unsigned node : {1U, 2U}) {
            const Endpoint& to = witness[node - 1];
            adapters::UniqueFd socket(
                ::socket(to.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
            EXPECT_EQ(::connect(socket.get(), to.get(), to.size), 0);
            const lease::Sender self = lease::sender_of(node, node + 10);
            const TimePoint long_ago = adapters::boot_time() - lease::Timing{}.abstention();
            nodes_.emplace(
                node, Node{self,
                           std::move(socket),
                           lease::ReplayGuard(self.instance),
                           lease::Engine({self, {}, kPair}, lease::durable_of(kPair), long_ago),
                           {},
                           0});
            nodes_.at(node).guard.set_senders({lease::kWitness});
        }
        for (const unsigned node : {1U, 2U}) {
            run(node, engine(node).on_members({kPair.begin(), kPair.end()}, true, now()));
        }
        greet();
    }

    lease::Engine& engine(unsigned node) { return nodes_.at(node).engine; }
    void promote(unsigned node) { run(node, engine(node).promote(now())); }
    // As the holder does when the configuration has a witness.
    void add_witness(unsigned holder) {
        const auto begun =
            engine(holder).change_voters({NodeId{1}, NodeId{2}, lease::kWitness}, now());
        ASSERT_TRUE(begun) << begun.error().detail;
        run(holder, *begun);
    }
    void cut_power(unsigned node) { nodes_.erase(node); }
    void stand_in(unsigned node) { run(node, engine(node).stand_in(now())); }
    [[nodiscard]] bool speaks(unsigned node) const { return now() < nodes_.at(node).gate; }
    // The lease is that of a voter list with the witness.
    bool has_witness(unsigned node) {
        return lease::is_in(engine(node).state().voters.current.nodes, lease::kWitness) &&
               !engine(node).state().voters.next;
    }
    // What an honest node would never send.
    void emit(unsigned node, const Bytes& bytes) {
        EXPECT_EQ(::send(nodes_.at(node).socket.get(), bytes.data(), bytes.size(), 0),
                  static_cast<ssize_t>(bytes.size()));
    }
    // Until it is so. False: not within 20 s.
    bool until(const std::function<bool()>& done) {
        const TimePoint end = now() + std::chrono::seconds(20);
        while (!done()) {
            if (now() > end) {
                return false;
            }
            turn();
        }
        return true;
    }
    // What the witness has sent so far, that is authentic.
    [[nodiscard]] std::uint64_t words() const { return words_; }

  private:
    struct Node {
        lease::Sender self;
        adapters::UniqueFd socket;
        lease::ReplayGuard guard;
        lease::Engine engine;
        TimePoint gate;
        std::uint64_t sequence = 0;
    };
    struct Local {
        unsigned from;
        unsigned to;
        lease::Message message;
    };

    static TimePoint now() { return adapters::boot_time(); }

    void notify_witness(Node& node, const lease::Message& message) {
        const Bytes bytes = lease::encode({kGateway, node.self, ++node.sequence, message}, key_);
        // It may be down.
        static_cast<void>(::send(node.socket.get(), bytes.data(), bytes.size(), 0));
    }
    void greet() {
        for (auto& [id, node] : nodes_) {
            notify_witness(node, node.guard.greeting(lease::kWitness));
        }
        greet_at_ = now() + std::chrono::milliseconds(200);
    }
    void run(unsigned from, const lease::Effects& effects) {
        Node& node = nodes_.at(from);
        for (const lease::Effect& effect : effects) {
            if (const auto* const deadline = std::get_if<lease::SetDeadline>(&effect)) {
                node.gate = deadline->deadline;
            } else if (std::holds_alternative<lease::Leave>(effect)) {
                node.gate = {};
            } else if (const auto* const send = std::get_if<lease::Send>(&effect)) {
                if (send->to == lease::kWitness) {
                    notify_witness(node, send->message);
                } else {
                    local_.push_back({from, send->to.value, send->message});
                }
            }
        }
    }
    void receive(unsigned id) {
        std::array<std::uint8_t, 2048> buffer{};
        while (nodes_.contains(id)) {
            Node& node = nodes_.at(id);
            const ssize_t got = ::recv(node.socket.get(), buffer.data(), buffer.size(), 0);
            if (got < 0) {
                return;
            }
            const auto datagram =
                lease::parse_datagram({buffer.data(), static_cast<std::size_t>(got)}, key_);
            ASSERT_TRUE(datagram) << datagram.error().detail;
            ASSERT_TRUE(lease::is_word_of_witness(datagram->message));
            ++words_;
            const auto* const hello = std::get_if<lease::Hello>(&datagram->message);
            const auto seen =
                node.guard.on_datagram(datagram->sender, datagram->sequence, datagram->message);
            if (const auto answer = node.guard.greeting(lease::kWitness, datagram->sender, hello)) {
                notify_witness(node, *answer);
            }
            const bool taken = seen == lease::ReplayGuard::Seen::fresh ||
                               seen == lease::ReplayGuard::Seen::new_life;
            if (taken && hello == nullptr) {
                run(id, node.engine.on_message(datagram->sender, datagram->message, now()));
            }
        }
    }
    void turn() {
        std::vector<pollfd> waited;
        std::optional<TimePoint> next = greet_at_;
        for (const auto& [id, node] : nodes_) {
            waited.push_back({node.socket.get(), POLLIN, 0});
            next = earliest(next, node.engine.next_deadline());
        }
        const Duration left = local_.empty() ? *next - now() : Duration{};
        const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
        // What a test waits for may be a file.
        ::poll(waited.data(), waited.size(), static_cast<int>(std::clamp<long>(ms, 0, 10)));
        for (const unsigned id : {1U, 2U}) {
            receive(id);
        }
        while (!local_.empty()) {
            const Local local = std::move(local_.front());
            local_.pop_front();
            if (nodes_.contains(local.to) && nodes_.contains(local.from)) {
                run(local.to,
                    engine(local.to).on_message(nodes_.at(local.from).self, local.message, now()));
            }
        }
        for (auto& [id, node] : nodes_) {
            if (const auto due = node.engine.next_deadline(); due && *due <= now()) {
                run(id, node.engine.on_time(now()));
            }
        }
        if (now() >= greet_at_) {
            greet();
        }
    }

    inline static const std::vector<NodeId> kPair{NodeId{1}, NodeId{2}};

    const lease::LeaseKey& key_;
    std::map<unsigned, Node> nodes_;
    std::deque<Local> local_;
    TimePoint greet_at_;
    std::uint64_t words_ = 0;
};

}  // namespace vpnha::witness
