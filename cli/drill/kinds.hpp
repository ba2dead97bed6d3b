// SPDX-License-Identifier: GPL-2.0-or-later
// The kinds of drills: what each does, where it runs, and which timer determines its silence.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace vpnha::cli::drill {

enum class Kind { switchover, node_power, daemon, service, link, partition };

// Where the drill runs, by the node that serves the gateway.
enum class Where { anywhere, elsewhere, there };

struct KindOf {
    Kind kind;
    std::string_view name;  // As typed by the user.
    Where where;
    std::string_view help;
};

inline constexpr std::array kKinds{
    KindOf{Kind::switchover, "switchover", Where::anywhere,
           "Moves the gateway to another node, as `vpnha switchover` does"},
    KindOf{Kind::node_power, "node-power", Where::elsewhere,
           "Has the cluster's own fencing reset the node that serves; on another node"},
    KindOf{Kind::daemon, "daemon", Where::there, "Kills vpnhad of this node, which serves"},
    KindOf{Kind::service, "service", Where::there,
           "Hangs a stock daemon of this node, which serves: SIGSTOP"},
    KindOf{Kind::link, "link", Where::there,
           "Sets the gateway's outside device down on this node, which serves"},
    KindOf{Kind::partition, "partition", Where::there,
           "Drops the cluster's packets on this node, which serves: it will be fenced"},
};

[[nodiscard]] const KindOf& kind_of(Kind kind);
[[nodiscard]] std::optional<Kind> kind_named(std::string_view name);

// The timers that determine the duration of a takeover, as they were at the drill.
struct Timers {
    bool stands_in = false;  // Standbys serve before Pacemaker has promoted one of them.
    double lease_ms = 0;
    std::optional<double> token_ms;  // Corosync's.
};

// The durations from the fault on.
struct Stages {
    std::optional<double> noticed_ms;  // Until a node knew.
    std::optional<double> served_ms;   // Until another node served.
};

struct Ruled {
    std::string timer;
    std::string set;  // What to set if that is too long.
};

// The longer one of the two stages counts. Without both it is the first one.
[[nodiscard]] Ruled ruled_by(Kind kind, const Timers& timers, const Stages& stages);

}  // namespace vpnha::cli::drill
