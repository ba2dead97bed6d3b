// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps charon and vpnhad's end of the relay in a state in which their messages count.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "host/os/log.hpp"
#include "protocols/ipsec/backend/charon_relay.hpp"
#include "protocols/ipsec/service/charon_guard.hpp"

namespace vpnha::adapters {

namespace {

constexpr Duration kEmptyPause = std::chrono::seconds(1);
constexpr Duration kAskAgainPause = std::chrono::seconds(10);

}  // namespace

// Without its end of the relay vpnhad can do everything else, such as L2TP.
void CharonRelay::prepare() {
    warning_.clear();
    if (!fd_) {
        if (const Result<void> opened = open_socket(); !opened) {
            warning_ = opened.error().detail;
            return complain(warning_ + " event=charon-port");
        }
    }
    keep_guarded();
}

void CharonRelay::keep_guarded() {
    const Result<bool> guarded = is_charon_guarded();
    if (guarded.value_or(false)) {
        was_guarded_ = true;
        return;
    }
    if (!guarded || was_guarded_ || !guard_error_.empty()) {
        const std::string& reason = guarded ? guard_error_ : guarded.error().detail;
        warning_ = fmt::format(
            "the nftables table inet vpnha_charon is missing, without which other users of this "
            "node could read the keys of charon's SAs{}{}",
            reason.empty() ? "" : ": ", reason);
        complain(warning_ + " event=charon-guard");
    }
    if (guarding_) {
        return;
    }
    const Result<void> begun = background_.run(options_.guard, [this](const Result<void>& done) {
        guarding_ = false;
        guard_error_ = done ? std::string() : done.error().detail;
    });
    guarding_ = begun.has_value();
}

// No standby will ever learn of charon's messages that did not fit.
void CharonRelay::watch_own_queue() {
    const auto found = sockets_.find(kCharonEnd, kRelayEnd);
    if (!fd_ || !found || !*found) {
        return;
    }
    const std::uint32_t lost = (*found)->drops - std::exchange(own_drops_, (*found)->drops);
    drops_.from_charon += lost;
    if (lost == 0 || !is_here() || !peer_->is_active) {
        return;
    }
    if (!std::exchange(is_missing_, true)) {
        write_log(LogLevel::error,
                  "charon sent more than vpnhad could read, and is to send all of it again, for "
                  "which it rekeys its CHILD SAs event=charon-overrun");
    }
}

void CharonRelay::ask_again() {
    if (!is_here() || !peer_->is_active) {
        is_missing_ = false;  // charon reports no SAs, and its successor has what was replicated.
    }
    if (!is_missing_ || loop_.now() < ask_again_at_ || turn_.wanted) {
        return;
    }
    if (write_fifo("*1")) {
        is_missing_ = false;
        ask_again_at_ = loop_.now() + kAskAgainPause;
    }
}

void CharonRelay::make_empty(Duration pause) {
    peer_->empty_at = loop_.now() + pause;
    loop_.set_timer(options_.look_timer, loop_.now() + std::min(pause, kLookPause),
                    [this] { look_again(); });
}

void CharonRelay::list_sas() {
    peer_->empty_at.reset();
    const auto listed = std::make_shared<Result<std::vector<ipsec::IkeId>>>();
    const Result<void> begun = background_.run(
        [listed, list = options_.list_sas]() -> Result<void> {
            *listed = list();
            return {};
        },
        [this, listed, listing = ++listing_](const Result<void>&) {
            if (listing == listing_ && is_here()) {
                on_listed(*listed);
            }
        });
    if (!begun) {
        on_listed(tl::unexpected(begun.error()));
    }
}

void CharonRelay::on_listed(const Result<std::vector<ipsec::IkeId>>& listed) {
    if (!listed) {
        complain("charon does not list its SAs: " + listed.error().detail);
        return make_empty(kEmptyPause);
    }
    if (peer_->is_active) {
        return make_empty(kEmptyPause);  // It is being turned passive.
    }
    if (listed->empty()) {
        peer_->is_empty = true;
        return listener_.on_fresh(peer_->version);
    }
    write_log(LogLevel::info,
              fmt::format("{} IKE SAs that charon has already are deleted there", listed->size()));
    std::vector<Bytes> messages;
    for (const ipsec::IkeId& id : *listed) {
        messages.push_back(ipsec::build_ike_delete(id));
    }
    feed(std::move(messages), kOwnTicket);
}

void CharonRelay::rekey(std::vector<std::uint32_t> children, std::vector<ipsec::IkeKey> refusing) {
    ask_vici("charon was to rekey what is overdue",
             [rekey = options_.rekey, children = std::move(children),
              refusing = std::move(refusing)] { return rekey(children, refusing); });
}

void CharonRelay::end(std::vector<ipsec::IkeKey> sas) {
    const auto absent = std::make_shared<std::vector<ipsec::IkeKey>>();
    ask_vici(
        "charon was to end IKE SAs",
        [absent, end = options_.end, sas = std::move(sas)]() -> Result<void> {
            VPNHA_TRY(*absent, end(sas));
            return {};
        },
        [this, absent] {
            // charon would never report their end.
            for (const ipsec::IkeKey& key : *absent) {
                listener_.on_emitted(ipsec::build_ike_delete({.key = key}));
            }
        });
}

void CharonRelay::ask_vici(std::string what, std::function<Result<void>()> work,
                           std::function<void()> then) {
    if (!is_here() || !peer_->is_active) {
        return;  // Its successor repeats the request.
    }
    const auto done = [this, what = std::move(what),
                       then = std::move(then)](const Result<void>& result) {
        if (!result) {
            write_log(LogLevel::warning, what + ": " + result.error().detail);
        } else if (is_here() && peer_->is_active) {
            then();
        }
    };
    const Result<void> begun = background_.run(std::move(work), done);
    if (!begun) {
        done(begun);
    }
}

}  // namespace vpnha::adapters
