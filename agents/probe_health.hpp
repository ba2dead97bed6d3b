// SPDX-License-Identifier: GPL-2.0-or-later
// What the probes of a service on one node have come to. Pure.
//
//   verdict | answered                     | not answered
//   --------+------------------------------+----------------------------------------------
//   unknown | alive                        | dead after `wanted` in a row, once it is proven
//   alive   | alive                        | dead after `wanted` in a row
//   dead    | alive after `wanted` in a row| dead
//
// Proven: a probe was answered once, on whichever node. A service that never was may be well, and
// the probe be wrong: no node would answer it.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace vpnha::agents {

struct ProbeHealth {
    enum class Verdict { unknown, alive, dead };

    Verdict verdict = Verdict::unknown;
    unsigned against = 0;          // Probes in a row that were against the verdict.
    std::chrono::seconds since{};  // Of the verdict: since the node's boot.
    std::string reason{};          // Of a service that does not answer, or whose probe cannot ask.
    unsigned without_login = 0;    // Monitors that are to pass before the next login.

    void answered(unsigned wanted, std::chrono::seconds now);
    void unanswered(std::string why, unsigned wanted, const std::function<bool()>& is_proven,
                    std::chrono::seconds now);
    // Whether the test accounts are to be used now. What is uncertain, or dead, is answered by a
    // login alone.
    [[nodiscard]] bool wants_login() const {
        return without_login == 0 || verdict != Verdict::alive || against != 0;
    }
    // All logins of a monitor were answered; `every`: monitors from one to the next.
    void logged_in(unsigned every) { without_login = every - 1; }
    void passed_without_login() { --without_login; }
    // Nothing was learned: what was counted is forgotten, the verdict stands, and a login is due.
    void not_asked();
    // The mark of a dead service is old.
    void forget() { *this = ProbeHealth{}; }

    // For the file that stands from start to stop, of that gateway's probe.
    [[nodiscard]] std::string text(const std::string& gateway) const;
    [[nodiscard]] static ProbeHealth of_text(const std::string& text);

    friend bool operator==(const ProbeHealth&, const ProbeHealth&) = default;
};

// "alive", "dead"; empty: it is not known.
[[nodiscard]] std::string_view to_string(ProbeHealth::Verdict verdict);

}  // namespace vpnha::agents
