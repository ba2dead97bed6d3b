// SPDX-License-Identifier: GPL-2.0-or-later
// The table of tuning: what a gateway wants of a node's kernel, devices and limits, and what of it
// a machine lacks. The file for sysctl.d, docs/operate/tuning.md and `vpnha config check` are made
// of it.
// Pure: values in, findings out.
//
// A must is what sessions break without: an error. The rest is advice: a warning.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "services/flows/model/settings.hpp"
#include "tuning/machine.hpp"

namespace vpnha::tuning {

struct Row;

// What was found on a machine, row by row.
struct Findings {
    std::vector<conntrack::Finding> list;
    std::vector<std::string> unread;  // What could not be looked at, and why: "device x, which …".

    void add(const Row& row, std::string what, std::string now, std::string remedy);
};

// Of the sysctl that the row is named after, as a number.
struct Exactly {
    std::uint64_t value;
};
struct Minimum {
    std::uint64_t value;
};
struct Other {
    std::string text;
    // nullptr: conntrack::check() looks at it, which knows the flows that are there.
    void (*judge)(const Row& row, const Demand& demand, const Machine& machine, Findings& findings);
};
using Wanted = std::variant<Exactly, Minimum, Other>;

enum class Weight : std::uint8_t { advice, must };
// Whose configuration it matters to.
enum class Need : std::uint8_t { always, flows, ipsec, l2tp, pptp, dialled /* l2tp or pptp */ };

struct Row {
    std::string name;
    Wanted wanted;
    Weight weight;
    Need need;
    std::string how;
    std::string why;  // A sentence without its full stop.
    // What the file of sysctl.d sets, "NAME = VALUE" each; none: it is no sysctl, or the kernel's
    // default is as wanted.
    std::vector<std::string> file{};
};

[[nodiscard]] const std::vector<Row>& table();
[[nodiscard]] std::string to_string(const Wanted& wanted);
// The sysctls that check() wants to be read, as sysctl(8) names them.
[[nodiscard]] std::vector<std::string> sysctls_read();

[[nodiscard]] Findings check(const Demand& demand, const Machine& machine);

}  // namespace vpnha::tuning
