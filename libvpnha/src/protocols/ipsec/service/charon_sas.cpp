// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/service/charon_sas.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/number.hpp"
#include "protocols/ipsec/service/charon_service.hpp"
#include "protocols/ipsec/service/vici_client.hpp"

namespace vpnha::adapters {

namespace {

constexpr int kHexadecimal = 16;
// Searches for half-open IKE SAs; the second one usually finds none.
constexpr int kRounds = 10;

Result<ipsec::IkeId> parse_listed(const ViciSection& sa) {
    const std::string version = sa.value("version");
    const auto spi_i = parse_whole<std::uint64_t>(sa.value("initiator-spi"), kHexadecimal);
    const auto spi_r = parse_whole<std::uint64_t>(sa.value("responder-spi"), kHexadecimal);
    if ((version != "1" && version != "2") || !spi_i || !spi_r) {
        return fail(Errc::malformed, "charon lists an IKE SA without version or SPIs");
    }
    return ipsec::IkeId{.key = {.version = static_cast<std::uint8_t>(version == "1" ? 1 : 2),
                                .spi_i = *spi_i,
                                .spi_r = *spi_r},
                        .initiator = sa.value("initiator") == "yes"};
}

bool is_overdue(const ViciSection& child) {
    const auto seconds = parse_whole<std::int64_t>(child.value("rekey-time"));
    return seconds && *seconds <= 0;
}

}  // namespace

Result<std::vector<ipsec::IkeId>> list_ike_sas(const std::string& socket,
                                               std::chrono::milliseconds timeout) {
    VPNHA_TRY(ViciClient client, ViciClient::connect(socket, timeout));
    VPNHA_TRY(const auto events, client.list("list-sas", "list-sa"));
    std::vector<ipsec::IkeId> ids;
    for (const ViciSection& event : events) {
        // Keyed by the name of its connection.
        for (const auto& [name, sa] : event.sections) {
            VPNHA_TRY(const ipsec::IkeId id, parse_listed(sa));
            ids.push_back(id);
        }
    }
    return ids;
}

Result<std::vector<ipsec::IkeId>> list_ike_sas(const StockService& charon, const std::string& netns,
                                               std::chrono::milliseconds timeout) {
    VPNHA_CHECK(charon.wait_idle());
    return list_ike_sas(charon_vici(netns), timeout);
}

Result<void> rekey_children(const std::string& socket, const std::vector<std::uint32_t>& children,
                            const std::vector<ipsec::IkeKey>& refusing,
                            std::chrono::milliseconds timeout) {
    VPNHA_TRY(ViciClient client, ViciClient::connect(socket, timeout));
    VPNHA_TRY(const auto events, client.list("list-sas", "list-sa"));
    const auto is_wanted = [&](const ViciSection& child) {
        const auto spi = parse_whole<std::uint32_t>(child.value("spi-in"), kHexadecimal);
        return child.value("state") == "INSTALLED" &&
               (is_overdue(child) || (spi && std::ranges::find(children, *spi) != children.end()));
    };
    Result<void> result;
    for (const ViciSection& event : events) {
        for (const auto& [connection, sa] : event.sections) {
            const Result<ipsec::IkeId> id = parse_listed(sa);
            const bool refuses = id && std::ranges::find(refusing, id->key) != refusing.end();
            for (const auto& [kind, listed] : sa.sections) {
                for (const auto& [name, child] : listed.sections) {
                    if (kind != "child-sas" || !is_wanted(child)) {
                        continue;
                    }
                    const std::pair child_id{"child-id", child.value("uniqueid")};
                    const auto asked =
                        refuses
                            ? client.ask("terminate",
                                         {.values = {child_id, {"force", "no"}, {"timeout", "-1"}}})
                            : client.ask("rekey", {.values = {child_id}});
                    if (!asked) {
                        result = tl::unexpected(asked.error());
                    }
                }
            }
        }
    }
    return result;
}

Result<std::vector<ipsec::IkeKey>> end_ike_sas(const std::string& socket,
                                               const std::vector<ipsec::IkeKey>& sas,
                                               std::chrono::milliseconds timeout) {
    VPNHA_TRY(ViciClient client, ViciClient::connect(socket, timeout));
    VPNHA_TRY(const auto events, client.list("list-sas", "list-sa"));
    std::vector<ipsec::IkeKey> absent = sas;
    Result<void> result;
    for (const ViciSection& event : events) {
        for (const auto& [connection, sa] : event.sections) {
            VPNHA_TRY(const ipsec::IkeId id, parse_listed(sa));
            // In any other state charon is ending it already, or would end it without a DELETE.
            if (std::erase(absent, id.key) == 0 || sa.value("state") != "ESTABLISHED") {
                continue;
            }
            const auto asked = client.ask(
                "terminate",
                {.values = {{"ike-id", sa.value("uniqueid")}, {"force", "no"}, {"timeout", "-1"}}});
            if (!asked) {
                result = tl::unexpected(asked.error());
            }
        }
    }
    if (!result) {
        return tl::unexpected(result.error());
    }
    return absent;
}

Result<void> end_half_open_sas(const std::string& socket, std::chrono::milliseconds timeout) {
    VPNHA_TRY(ViciClient client, ViciClient::connect(socket, timeout));
    // One that was answered meanwhile is not half open any more: it cannot be found, or is
    // established.
    Error last{Errc::busy, "charon has half-open IKE SAs still"};
    for (int round = 0; round < kRounds; ++round) {
        VPNHA_TRY(const auto events, client.list("list-sas", "list-sa"));
        bool any = false;
        for (const ViciSection& event : events) {
            for (const auto& [connection, sa] : event.sections) {
                if (sa.value("state") != "CONNECTING") {
                    continue;
                }
                any = true;
                const auto asked = client.ask(
                    "terminate",
                    {.values = {
                         {"ike-id", sa.value("uniqueid")}, {"force", "yes"}, {"timeout", "-1"}}});
                if (!asked) {
                    last = asked.error();
                }
            }
        }
        if (!any) {
            return {};
        }
    }
    return tl::unexpected(last);
}

}  // namespace vpnha::adapters
