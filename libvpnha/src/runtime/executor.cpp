// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/executor.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "adapters/log.hpp"
#include "base/assert.hpp"
#include "runtime/timers.hpp"

namespace vpnha::runtime {

namespace {

// Corosync's flow control lasts while a token goes round: a few hundred microseconds to
// milliseconds.
constexpr Duration kGroupRetry = std::chrono::milliseconds(2);

constexpr Duration kTurn = std::chrono::milliseconds(1);

}  // namespace

Executor::Executor(adapters::QbLoop& loop, node::Node& node, Ports ports, Answers answers)
    : loop_(loop), node_(node), ports_(ports), answers_(std::move(answers)) {}

void Executor::run(node::Effects effects) {
    std::deque<node::Effect> queue(std::make_move_iterator(effects.begin()),
                                   std::make_move_iterator(effects.end()));
    while (!queue.empty()) {
        node::Effect effect = std::move(queue.front());
        queue.pop_front();
        execute(effect, queue);
    }
    arm_timer();
}

void Executor::execute(node::Effect& effect, std::deque<node::Effect>& queue) {
    // What an effect leads to comes before what was behind it: a transition runs to its end.
    const auto next = [&queue](node::Effects more) {
        queue.insert(queue.begin(), std::make_move_iterator(more.begin()),
                     std::make_move_iterator(more.end()));
    };
    const auto report = [](const char* what, const Result<void>& result) {
        if (!result) {
            adapters::write_log(node::Level::warning,
                                fmt::format("{}: {}", what, result.error().detail));
        }
    };
    if (auto* message = std::get_if<node::SendToGroup>(&effect)) {
        send(std::move(message->message));
    } else if (auto* install = std::get_if<node::InstallSession>(&effect)) {
        const Result<void> result = ports_.kernel.install(install->gateway, install->record);
        next(node_.on_installed(install->gateway, install->record.key, result, loop_.now()));
    } else if (auto* remove = std::get_if<node::RemoveSession>(&effect)) {
        report("removing a session", ports_.kernel.remove(remove->gateway, remove->key));
    } else if (auto* step = std::get_if<node::RunStep>(&effect)) {
        const Result<void> result = run_step(step->gateway, step->step);
        next(node_.on_step_done(step->gateway, step->step, result, loop_.now()));
    } else if (auto* announce = std::get_if<node::Announce>(&effect)) {
        report("gratuitous ARP", ports_.network.announce(announce->gateway));
    } else if (auto* datagram = std::get_if<node::SendDatagram>(&effect)) {
        report("L2TP control",
               ports_.kernel.send_datagram(datagram->gateway, datagram->tunnel, datagram->bytes));
    } else if (auto* frame = std::get_if<node::SendFrame>(&effect)) {
        report("LCP", ports_.kernel.send_frame(frame->gateway, frame->session, frame->frame));
    } else if (auto* plugin = std::get_if<node::AnswerPlugin>(&effect)) {
        answers_.plugin(*plugin);
    } else if (auto* request = std::get_if<node::AnswerRequest>(&effect)) {
        answers_.request(*request);
    } else if (auto* score = std::get_if<node::WriteScore>(&effect)) {
        answers_.score(*score);
    } else if (auto* line = std::get_if<node::Log>(&effect)) {
        adapters::write_log(line->level, line->text);
    } else if (std::holds_alternative<node::Detached>(effect)) {
        if (!node_.any_attached()) {
            answers_.idle();
        }
    }
}

Result<void> Executor::run_step(GatewayId gateway, takeover::Step step) {
    switch (step) {
        case takeover::Step::add_addresses:
            return ports_.network.add_addresses(gateway);
        case takeover::Step::open_gate:
            return ports_.gate.open_until(gateway, ports::kNoDeadline);
        case takeover::Step::announce:
            return ports_.network.announce(gateway);
        case takeover::Step::shut_gate:
            return ports_.gate.shut(gateway);
        case takeover::Step::remove_addresses:
            return ports_.network.remove_addresses(gateway);
        case takeover::Step::reset_services:
            return ports_.services.reset(gateway);
        case takeover::Step::claim:
        case takeover::Step::resume_sessions:
        case takeover::Step::mute_sessions:
        case takeover::Step::install_hot:
            break;  // Run within the node.
    }
    VPNHA_ASSERT(false);
}

void Executor::send(Bytes message) {
    waiting_.push_back(std::move(message));
    if (waiting_.size() == 1) {
        send_waiting();
    }
}

void Executor::send_waiting() {
    while (!waiting_.empty() && group_ != nullptr) {
        const Result<bool> sent = group_->send(waiting_.front());
        if (!sent) {
            // Corosync is going away; on_lost ends the daemon.
            waiting_.clear();
            return;
        }
        if (!*sent) {
            break;
        }
        waiting_.pop_front();
    }
    if (!waiting_.empty()) {
        // The node says nothing more until the queue is empty, so the queue stays short.
        run(node_.set_group_writable(false, loop_.now()));
        loop_.set_timer(kGroupTimer, loop_.now() + kGroupRetry, [this] {
            send_waiting();
            if (waiting_.empty()) {
                run(node_.set_group_writable(true, loop_.now()));
            }
        });
    }
}

void Executor::arm_timer() {
    const auto at = node_.next_deadline();
    if (!at) {
        loop_.cancel_timer(kNodeTimer);
        return;
    }
    // Never in a tight circle: what is due and cannot be done now (flow control) comes again.
    const TimePoint earliest_turn = loop_.now() + kTurn;
    loop_.set_timer(kNodeTimer, std::max(*at, earliest_turn),
                    [this] { run(node_.on_time(loop_.now())); });
}

}  // namespace vpnha::runtime
