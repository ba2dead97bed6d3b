// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/ipsec/xfrm_table.hpp"

#include <fmt/format.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <sodium.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "adapters/ipsec/xfrm_message.hpp"
#include "base/limits.hpp"

namespace vpnha::adapters {

namespace {

using ipsec::SaCounters;

// A listing holds keys: the kernel's answer is wiped as soon as it was read.
class WipedBuffer {
  public:
    ~WipedBuffer() { sodium_memzero(octets_.data(), octets_.size()); }
    WipedBuffer() = default;
    WipedBuffer(const WipedBuffer&) = delete;
    WipedBuffer& operator=(const WipedBuffer&) = delete;
    [[nodiscard]] char* data() { return octets_.data(); }
    [[nodiscard]] std::size_t size() const { return octets_.size(); }

  private:
    alignas(nlmsghdr) std::array<char, limits::kNetlinkAnswerBytesMax> octets_{};
};

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

XfrmTable::~XfrmTable() {
    loop_.cancel_timer(timer_);
    if (listing_) {
        loop_.unwatch(mnl_socket_get_fd(listing_.get()));
    }
}

void XfrmTable::list(OnListed on_listed) {
    add(Listing{std::move(on_listed)});
}

void XfrmTable::set(Counters counters, bool exact, Done done) {
    add(Setting{std::move(counters), exact, std::move(done)});
}

void XfrmTable::flush(Done done) {
    add(Flushing{std::move(done)});
}

void XfrmTable::add(Job job) {
    jobs_.push_back(std::move(job));
    if (jobs_.size() == 1) {
        loop_.set_timer(timer_, loop_.now(), [this] { begin(); });
    }
}

void XfrmTable::begin() {
    Job& job = jobs_.front();
    if (const auto* setting = std::get_if<Setting>(&job)) {
        work(setting->counters, setting->done,
             [this, exact = setting->exact](auto part) { return set_train(part, exact); });
    } else if (const auto* removing = std::get_if<Removing>(&job)) {
        work(removing->sas, removing->done, [this](auto part) { return remove_train(part); });
    } else {
        begin_listing();
    }
}

void XfrmTable::begin_listing() {
    Result<OwnedNetlink> opened = open_netlink(NETLINK_XFRM, limits::kNetlinkAnswerBytesMax);
    if (!opened) {
        return end_listing(tl::unexpected(opened.error()));
    }
    listing_ = std::move(*opened);
    std::array<char, kXfrmRequestBytesMax> request{};
    const nlmsghdr* const message = put_sa_listing(request.data());
    if (mnl_socket_sendto(listing_.get(), message, message->nlmsg_len) < 0) {
        return end_listing(tl::unexpected(system_error("list the kernel's SAs", errno)));
    }
    if (const Result<void> watched =
            loop_.watch(mnl_socket_get_fd(listing_.get()), [this] { read_listing(); });
        !watched) {
        end_listing(watched);
    }
}

// One datagram: the kernel fills the next one when this one was read.
void XfrmTable::read_listing() {
    WipedBuffer buffer;
    const ssize_t got =
        recv(mnl_socket_get_fd(listing_.get()), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            end_listing(tl::unexpected(system_error("list the kernel's SAs", errno)));
        }
        return;
    }
    int left = static_cast<int>(got);
    for (auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
         mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
        if (message->nlmsg_type == NLMSG_DONE) {
            return end_listing({});
        }
        if (message->nlmsg_type == NLMSG_ERROR) {
            return end_listing(
                tl::unexpected(system_error("list the kernel's SAs", error_of(message))));
        }
        if (auto sa = parse_sa(message);
            sa && (addresses_.contains(sa->id.source) || addresses_.contains(sa->id.destination))) {
            listed_.push_back(std::move(*sa));
        }
    }
}

void XfrmTable::end_listing(const Result<void>& result) {
    if (listing_) {
        loop_.unwatch(mnl_socket_get_fd(listing_.get()));
        listing_.reset();
    }
    const Counters listed = std::exchange(listed_, {});
    if (const auto* flushing = std::get_if<Flushing>(&jobs_.front()); flushing && result) {
        jobs_.front() = Removing{listed, flushing->done};
        return begin();
    }
    end([job = std::move(jobs_.front()), &result, &listed] {
        if (const auto* flushing = std::get_if<Flushing>(&job)) {
            flushing->done(result);
        } else {
            std::get<Listing>(job).on_listed(result.map([&listed] { return Sas(listed); }));
        }
    });
}

void XfrmTable::work(const Counters& sas, const Done& done, const Ask& ask) {
    const std::size_t count = std::min(limits::kSasPerTrain, sas.size() - worked_);
    const Sas part = Sas(sas).subspan(worked_, count);
    const Result<std::vector<int>> answers = ask(part);
    for (std::size_t n = 0; worked_result_ && n < part.size(); ++n) {
        if (!answers) {
            worked_result_ = tl::unexpected(answers.error());
        } else if ((*answers)[n] != 0) {
            worked_result_ = tl::unexpected(system_error(name_of(part[n]), (*answers)[n]));
        }
    }
    worked_ += count;
    if (worked_ < sas.size()) {
        loop_.set_timer(timer_, loop_.now(), [this] { begin(); });
        return;
    }
    worked_ = 0;
    end([done, result = std::exchange(worked_result_, {})] { done(result); });
}

// What the kernel has decides what it is given, and in which shape.
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
    std::replace(answers.begin(), answers.end(), ESRCH, 0);  // It is gone.
    return answers;
}

// The next one begins at the loop's next turn.
void XfrmTable::end(const std::function<void()>& tell) {
    jobs_.pop_front();
    if (!jobs_.empty()) {
        loop_.set_timer(timer_, loop_.now(), [this] { begin(); });
    }
    tell();
}

}  // namespace vpnha::adapters
