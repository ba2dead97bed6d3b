// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/backend/xfrm_table.hpp"

#include <fmt/format.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/limits.hpp"
#include "host/netlink/secret_listing.hpp"
#include "protocols/ipsec/backend/xfrm_message.hpp"

namespace vpnha::adapters {

namespace {

using ipsec::SaCounters;

std::string name_of(const SaCounters& sa) {
    return fmt::format("ESP SA {:#010x} from {} to {}", sa.id.spi, to_string(sa.id.source),
                       to_string(sa.id.destination));
}

}  // namespace

Result<std::unique_ptr<XfrmTable>> XfrmTable::open(QbLoop& loop, int timer,
                                                   std::set<IpAddress> addresses) {
    VPNHA_TRY(NetlinkTrain train, NetlinkTrain::open({.bus = NETLINK_XFRM,
                                                      .requests_max = limits::kSasPerTrain,
                                                      .request_bytes_max = kXfrmRequestBytesMax,
                                                      .what = "ask for the kernel's SAs"}));
    return std::unique_ptr<XfrmTable>(
        new XfrmTable(loop, timer, std::move(addresses), std::move(train)));
}

void XfrmTable::list(OnListed on_listed) {
    auto listed = std::make_shared<Counters>();
    jobs_.add(
        [this, listed]() -> Result<void> {
            VPNHA_TRY(*listed, read_all());
            return {};
        },
        [listed, on_listed = std::move(on_listed)](const Result<void>& result) {
            on_listed(result.map([&listed] { return Sas(*listed); }));
        });
}

void XfrmTable::set(Counters counters, bool exact, Done done) {
    jobs_.add(
        [this, counters = std::move(counters), exact] {
            return in_trains(counters, [this, exact](Sas part) { return set_train(part, exact); });
        },
        std::move(done));
}

void XfrmTable::flush(Done done) {
    jobs_.add(
        [this]() -> Result<void> {
            VPNHA_TRY(const Counters all, read_all());
            return in_trains(all, [this](Sas part) { return remove_train(part); });
        },
        std::move(done));
}

Result<XfrmTable::Counters> XfrmTable::read_all() const {
    const std::string what = "list the kernel's SAs";
    std::array<char, kXfrmRequestBytesMax> request{};
    Counters listed;
    VPNHA_TRY(const int error,
              list_secrets(NETLINK_XFRM, put_sa_listing(request.data()), what,
                           [this, &listed](const nlmsghdr* message) {
                               auto sa = parse_sa(message);
                               if (sa && (addresses_.contains(sa->id.source) ||
                                          addresses_.contains(sa->id.destination))) {
                                   listed.push_back(std::move(*sa));
                               }
                           }));
    if (error != 0) {
        return tl::unexpected(system_error(what, error));
    }
    return listed;
}

Result<void> XfrmTable::in_trains(Sas sas, const Ask& ask) {
    Result<void> result;
    while (!sas.empty()) {
        const Sas part = sas.first(std::min(limits::kSasPerTrain, sas.size()));
        sas = sas.subspan(part.size());
        const Result<std::vector<int>> answers = ask(part);
        for (std::size_t n = 0; result && n < part.size(); ++n) {
            if (!answers) {
                result = tl::unexpected(answers.error());
            } else if ((*answers)[n] != 0) {
                result = tl::unexpected(system_error(name_of(part[n]), (*answers)[n]));
            }
        }
    }
    return result;
}

// The kernel's present state decides which values are set, and in which format.
Result<std::vector<int>> XfrmTable::set_train(Sas part, bool exact) {
    std::vector<std::optional<SaReplay>> now(part.size());
    VPNHA_TRY(
        std::vector<int> answers,
        train_.ask(
            part.size(),
            [&part](char* buffer, std::size_t n) { return put_replay_question(buffer, part[n]); },
            [&now](std::size_t n, const nlmsghdr* message) { now[n] = parse_replay(message); }));
    std::vector<std::size_t> changed;
    std::vector<SaReplay> wanted(part.size());
    for (std::size_t n = 0; n < part.size(); ++n) {
        if (answers[n] == 0 && !now[n]) {
            answers[n] = EBADMSG;
        } else if (answers[n] == 0) {
            wanted[n] = advanced(*now[n], part[n]);
            if (exact) {
                wanted[n].oseq = part[n].oseq;
            }
            if (wanted[n] != *now[n]) {
                changed.push_back(n);
            }
        }
    }
    VPNHA_TRY(const std::vector<int> taken,
              train_.ask(changed.size(), [&](char* buffer, std::size_t i) {
                  return put_replay(buffer, part[changed[i]], wanted[changed[i]]);
              }));
    for (std::size_t i = 0; i < changed.size(); ++i) {
        answers[changed[i]] = taken[i];
    }
    return answers;
}

Result<std::vector<int>> XfrmTable::remove_train(Sas part) {
    VPNHA_TRY(std::vector<int> answers,
              train_.ask(part.size(), [&part](char* buffer, std::size_t n) {
                  return put_sa_removal(buffer, part[n]);
              }));
    std::replace(answers.begin(), answers.end(), ESRCH, 0);  // The SA is gone.
    return answers;
}

}  // namespace vpnha::adapters
