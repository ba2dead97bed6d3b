// SPDX-License-Identifier: GPL-2.0-or-later
// The table of tuning: what a gateway needs of a node's
// kernel, devices and limits, and what a machine misses.
// The file for sysctl.d, docs/operate/tuning.md and `vpnha
// doctor` are made from it. Pure: values in, findings out.
//
// Sessions break without a must: an error. The rest is advice: a warning.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "services/flows/model/settings.hpp"
#include "tuning/machine.hpp"

namespace vpnha::tuning {

struct Row;

// What was found on a machine, row by row.
struct Findings {
    std::vector<conntrack::Finding> list;
    std::vector<std::string> unread;  // What could not be checked, and why: "device x, which …".

    void add(const Row& row, std::string what, std::string now, std::string remedy);
};

// Of the sysctl that the row is named after, as a number.
struct Exactly {
    std::uint64_t value;
};
struct Minimum {
    std::uint64_t value;
};
// Of two consecutive numbers.
struct Either {
    std::uint64_t first;
    std::uint64_t second;
};
struct Other {
    std::string text;
    // nullptr: conntrack::check() checks it, since it knows the existing flows.
    void (*judge)(const Row& row, const Demand& demand, const Machine& machine, Findings& findings);
};
using Wanted = std::variant<Exactly, Minimum, Either, Other>;

enum class Weight : std::uint8_t { advice, must };
// Row::how of values that need not be set.
inline constexpr const char* kByKernel = "the kernel's default";

// The arguments of socket(2).
struct SocketKind {
    int domain;
    int type;
    int protocol;
};

struct Row {
    std::string name;
    Wanted wanted;
    Weight weight = Weight::advice;
    std::string_view need{};  // The demand that it is for, one of Demand::needs; empty: every one.
    std::string how;
    std::string why;  // A sentence without its full stop.
    // What the file of sysctl.d sets, "NAME = VALUE" each. None: it is not a sysctl, or the
    // kernel's default is right.
    std::vector<std::string> file{};
    // Machine::present has whether the kernel has such a socket, or that module.
    std::optional<SocketKind> socket{};
    std::string_view module{};
    // Of a protocol's row: the name of the row that it follows.
    std::string_view after{};
};
using Table = std::vector<Row>;

// The rows for every node, and these; protocols/tables.hpp has the table of all protocols.
[[nodiscard]] Table table_with(const Table& of_protocols);
[[nodiscard]] std::string to_string(const Wanted& wanted);
[[nodiscard]] bool matters(const Row& row, const Demand& demand);
// The sysctls that check() reads, with the names of sysctl(8).
[[nodiscard]] std::vector<std::string> sysctls_read(const Table& table);

[[nodiscard]] Findings check(const Table& table, const Demand& demand, const Machine& machine);

// For a row's own judge. The daemons of that name: a node has one for each gateway. If there is
// none, the row counts as not checked.
[[nodiscard]] std::vector<Machine::Daemon> daemons_of(const Machine& machine, std::string_view name,
                                                      std::string_view what, Findings& findings);
[[nodiscard]] std::string amount(std::uint64_t value);
// For a row with a socket or a module.
inline constexpr const char* kModuleWanted = "built in, or loaded when it is needed";
inline constexpr const char* kModuleHow = "Debian's kernels have it, except those of the cloud";
void judge_module(const Row& row, const Demand& demand, const Machine& machine, Findings& findings);

}  // namespace vpnha::tuning
