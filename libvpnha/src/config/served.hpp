// SPDX-License-Identifier: GPL-2.0-or-later
// The protocols that a gateway serves. The table of each is a value of its own type, which only its
// folder knows; the others get facts about it.
#pragma once

#include <algorithm>
#include <any>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ip.hpp"
#include "config/gate_rule.hpp"
#include "vpnha/result.hpp"

namespace vpnha::config {

struct Protocol;

// Whether the order of a file's lines matters.
enum class LineOrder { free, counts };

// A file that the nodes compare by keyed hashes.
struct ComparedFile {
    std::string what;  // "secrets": the item is "secrets PATH".
    std::string path;
    LineOrder order = LineOrder::counts;
    // Its faults, a line each; nullptr: there is no check.
    Result<void> (*check)(std::string_view content, std::string_view path) = nullptr;
};

// Those of pppd, with the files that @include lines in them name.
inline constexpr std::int64_t kSecretFilesMax = 16;
[[nodiscard]] std::vector<ComparedFile> pppd_files(const std::vector<std::string>& secrets,
                                                   const std::string& options);

// What the rest of vpnha needs to know about a protocol that a gateway serves.
struct Facts {
    std::string_view section{};  // Of its table: "l2tp". Set by ServedProtocols.
    std::string_view title;      // "L2TP".
    std::string_view daemon;     // The stock one, by the name of its service.
    // pppd's options of its sessions, IPv4 within; nullopt: its sessions have no pppd.
    std::optional<std::string> ppp_options{};
    std::uint64_t tasks_per_client = 1;  // Of the stock daemon's cgroup.
    std::vector<ComparedFile> files{};
    // The UDP port that clients dial, for tunnels that may pass within IPsec.
    std::optional<std::uint16_t> tunnel_port{};
    std::string_view name_in_esp{};  // The name of such a tunnel in `vpnha sessions`.
    std::vector<GateRule> gate_rules{};
    // The kernel sends by a socket of its own; a mark routes that by Gateway::mark_table().
    bool is_marked = false;
    bool needs_esp = false;  // The tunnels pass within IPsec only.
    bool has_esp = false;    // The gateway sends ESP, by SAs that the gate can hold back.
    std::vector<IpPrefix> led_outside{};  // Of the pools: nets that no session's device serves.
};

class ServedProtocols {
  public:
    // nullptr: the gateway does not serve it.
    template <class Table>
    [[nodiscard]] const Table* get() const {
        return find<Table>(*this);
    }
    template <class Table>
    [[nodiscard]] Table* get() {
        return find<Table>(*this);
    }
    // With the defaults of its table.
    template <class Table>
    Table& serve() {
        serve(Table::kProtocol);
        return *get<Table>();
    }
    void serve(const Protocol& protocol);
    [[nodiscard]] bool has(std::string_view section) const;

    // In the order of the file.
    [[nodiscard]] std::vector<Facts> facts() const;
    // Those of the first protocol that meets the condition.
    template <class Fact>
    [[nodiscard]] std::optional<Facts> first(const Fact& is_so) const {
        const std::vector<Facts> all = facts();
        const auto found = std::ranges::find_if(all, is_so);
        return found == all.end() ? std::nullopt : std::optional(*found);
    }
    // The protocol that has such tunnels.
    [[nodiscard]] std::optional<Facts> tunnels() const;
    // nullopt: there are no such tunnels.
    [[nodiscard]] std::optional<std::uint16_t> tunnel_port() const;

    struct Served {
        const Protocol* protocol;
        std::any table;
    };
    [[nodiscard]] const std::vector<Served>& all() const { return served_; }

  private:
    template <class Table, class Self>
    static auto find(Self& self) -> decltype(std::any_cast<Table>(&self.served_.front().table)) {
        for (auto& each : self.served_) {
            if (auto* const table = std::any_cast<Table>(&each.table)) {
                return table;
            }
        }
        return nullptr;
    }

    std::vector<Served> served_;
};

}  // namespace vpnha::config
