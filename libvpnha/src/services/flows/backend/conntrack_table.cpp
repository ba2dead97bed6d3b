// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/backend/conntrack_table.hpp"

#include <fmt/format.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "host/os/text_file.hpp"
#include "services/flows/backend/conntrack_message.hpp"

namespace vpnha::adapters {

namespace {

using conntrack::Answer;
using conntrack::Flow;
using conntrack::FlowKey;
using conntrack::Live;
using conntrack::News;
using conntrack::Next;
using conntrack::Resident;

// Without helper, without parent, once more, two conflicting entries, and one to spare.
constexpr int kAttemptsMax = 6;

// For answers to requests, and for a listing's datagrams.
constexpr std::size_t kReceiveBytes = limits::kFlowsPerTrain * 4096;

Answer answer_of(int error_number) {
    switch (error_number) {
        case 0:
            return Answer::taken;
        case EEXIST:
            return Answer::exists;
        case ENOENT:
            return Answer::no_parent;
        case EOPNOTSUPP:
            return Answer::no_helper;
        case EAGAIN:
            return Answer::once_more;
        default:
            return Answer::refused;
    }
}

// A fixed timeout cannot be set again (EPERM): the entry is made anew, but not at each check.
bool is_half_over(const Flow& resident, std::uint32_t whole_s) {
    return resident.timeout_s < whole_s / 2;
}

}  // namespace

Result<std::unique_ptr<ConntrackTable>> ConntrackTable::open() {
    VPNHA_TRY(NetlinkTrain train, NetlinkTrain::open({.bus = NETLINK_NETFILTER,
                                                      .requests_max = limits::kFlowsPerTrain,
                                                      .request_bytes_max = kFlowMessageBytesMax,
                                                      .what = "ask the flow table"}));
    return std::unique_ptr<ConntrackTable>(new ConntrackTable(std::move(train)));
}

Result<std::vector<bool>> ConntrackTable::install(Flows flows, Live live) {
    VPNHA_TRY(const std::vector<int> answers,
              train_.ask(flows.size(), [&](char* buffer, std::size_t n) {
                  return put_flow(buffer, flows[n], FlowRequest::create);
              }));
    std::vector<bool> taken(flows.size(), true);
    for (std::size_t n = 0; n < flows.size(); ++n) {
        if (answers[n] != 0) {
            VPNHA_TRY(taken[n], insist(flows[n], answers[n], live));
        }
    }
    return taken;
}

Result<bool> ConntrackTable::insist(Flow flow, int error_number, Live live) {
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
        Next next = conntrack::after(answer_of(error_number), flow);
        if (next == Next::compare) {
            VPNHA_TRY(next, settle(flow, live));
        }
        switch (next) {
            case Next::done:
                return true;
            case Next::give_up:
                ++counters_.refused;
                return false;
            case Next::without_helper:
                ++counters_.without_helper;
                flow.helper.clear();
                break;
            case Next::without_parent:
                ++counters_.without_parent;
                flow.parent.reset();
                break;
            case Next::again:
            case Next::compare:
                break;
        }
        VPNHA_TRY(const std::vector<int> answers, train_.ask(1, [&flow](char* buffer, std::size_t) {
            return put_flow(buffer, flow, FlowRequest::create);
        }));
        error_number = answers.front();
    }
    ++counters_.refused;
    return false;
}

Result<Next> ConntrackTable::settle(Flow& flow, Live live) {
    const auto remove_other = [&](const FlowKey& key) -> Result<Next> {
        ++counters_.collisions;
        VPNHA_CHECK(remove(std::span(&key, 1)));
        return Next::again;
    };
    VPNHA_TRY(const std::optional<News> resident,
              look([&flow](char* buffer) { return put_key(buffer, flow.key, KeyRequest::find); }));
    const auto flow_of = [](const std::optional<News>& news) {
        return news ? std::optional(news->flow) : std::nullopt;
    };
    switch (conntrack::compare(flow, flow_of(resident), live)) {
        case Resident::other:
            return remove_other(flow.key);
        case Resident::none: {
            VPNHA_TRY(const std::optional<News> other, look([&flow](char* buffer) {
                          return put_reply(buffer, flow.key, flow.reply, KeyRequest::find);
                      }));
            return other ? remove_other(other->flow.key) : Next::again;
        }
        case Resident::live:
            return Next::done;
        case Resident::same:
            break;
    }
    if (flow.key.protocol == conntrack::kGre && is_half_over(resident->flow, flow.timeout_s)) {
        VPNHA_TRY(const int answer, make_anew(flow));
        return answer == 0 ? Next::done : Next::again;
    }
    // Bits are never taken back, and those of its parent not given.
    Flow changed = flow;
    changed.status |= resident->flow.status;
    changed.parent = resident->expected ? std::optional(flow.key) : std::nullopt;
    VPNHA_TRY(const std::vector<int> answers, train_.ask(1, [&changed](char* buffer, std::size_t) {
        return put_flow(buffer, changed, FlowRequest::change);
    }));
    return answers.front() == 0        ? Next::done
           : answers.front() == ENOENT ? Next::again
                                       : Next::give_up;
}

Result<std::vector<bool>> ConntrackTable::set_timeouts(
    std::span<const conntrack::Timeout> timeouts) {
    VPNHA_TRY(const std::vector<int> answers,
              train_.ask(timeouts.size(), [&timeouts](char* buffer, std::size_t n) {
                  return put_timeout(buffer, timeouts[n]);
              }));
    std::vector<bool> there(timeouts.size(), true);
    for (std::size_t n = 0; n < timeouts.size(); ++n) {
        there[n] = answers[n] != ENOENT;
        if (answers[n] == EPERM) {
            VPNHA_TRY(there[n], renew(timeouts[n]));
        }
    }
    return there;
}

Result<bool> ConntrackTable::renew(const conntrack::Timeout& timeout) {
    VPNHA_TRY(std::optional<Flow> flow, find(timeout.key));
    if (!flow || flow->key.protocol != conntrack::kGre || !is_half_over(*flow, timeout.seconds)) {
        return flow.has_value();
    }
    flow->timeout_s = timeout.seconds;
    VPNHA_TRY(const int answer, make_anew(*flow));
    return answer == 0 ? Result<bool>(true) : insist(std::move(*flow), answer, Live::changes);
}

// Both in one train: hardly any packet arrives in between.
Result<int> ConntrackTable::make_anew(const Flow& flow) {
    VPNHA_TRY(const std::vector<int> answers, train_.ask(2, [&flow](char* buffer, std::size_t n) {
        return n == 0 ? put_key(buffer, flow.key, KeyRequest::remove)
                      : put_flow(buffer, flow, FlowRequest::create);
    }));
    return answers.back();
}

Result<void> ConntrackTable::remove(std::span<const FlowKey> keys) {
    for (std::size_t begin = 0; begin < keys.size(); begin += limits::kFlowsPerTrain) {
        const auto part =
            keys.subspan(begin, std::min(limits::kFlowsPerTrain, keys.size() - begin));
        VPNHA_TRY(const std::vector<int> answers,
                  train_.ask(part.size(), [&part](char* buffer, std::size_t n) {
                      return put_key(buffer, part[n], KeyRequest::remove);
                  }));
        for (std::size_t n = 0; n < part.size(); ++n) {
            if (answers[n] != 0 && answers[n] != ENOENT) {
                return tl::unexpected(system_error(
                    fmt::format("remove flow {}", conntrack::to_string(part[n])), answers[n]));
            }
        }
    }
    return {};
}

Result<std::optional<Flow>> ConntrackTable::find(const FlowKey& key) {
    VPNHA_TRY(const std::optional<News> found,
              look([&key](char* buffer) { return put_key(buffer, key, KeyRequest::find); }));
    return found ? std::optional(found->flow) : std::nullopt;
}

Result<std::optional<News>> ConntrackTable::look(const std::function<nlmsghdr*(char*)>& write) {
    std::optional<News> found;
    VPNHA_TRY(const std::vector<int> answers,
              train_.ask(
                  1, [&write](char* buffer, std::size_t) { return write(buffer); },
                  [&found](std::size_t, const nlmsghdr* message) {
                      found = parse_flow_message(message, true);
                  }));
    if (answers.front() != 0 && answers.front() != ENOENT) {
        return tl::unexpected(system_error("look up a flow", answers.front()));
    }
    return found;
}

Result<ConntrackListing> ConntrackListing::start(std::string buckets) {
    VPNHA_TRY(OwnedNetlink socket, open_netlink(NETLINK_NETFILTER, kReceiveBytes));
    std::string before = read_text(buckets);
    std::array<char, kFlowMessageBytesMax> buffer{};
    const nlmsghdr* const message = put_listing(buffer.data());
    if (mnl_socket_sendto(socket.get(), message, message->nlmsg_len) < 0) {
        return tl::unexpected(system_error("list the flow table", errno));
    }
    return ConntrackListing(std::move(socket), std::move(buckets), std::move(before));
}

Result<ConntrackListing::State> ConntrackListing::read(const OnNews& on_news) {
    const auto resized = [] {
        return fail(Errc::busy, "list the flow table: it was resized meanwhile");
    };
    buffer_.resize(limits::kNetlinkAnswerBytesMax);
    const ssize_t got = recv(fd(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (got < 0) {
        if (errno == EAGAIN || errno == EINTR) {
            return State::more;
        }
        return tl::unexpected(system_error("list the flow table", errno));
    }
    int left = static_cast<int>(got);
    for (auto* message = reinterpret_cast<const nlmsghdr*>(buffer_.data());
         mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
        if ((message->nlmsg_flags & NLM_F_DUMP_INTR) != 0) {
            return resized();
        }
        if (message->nlmsg_type == NLMSG_DONE) {
            if (read_text(buckets_file_) != buckets_) {
                return resized();
            }
            return State::done;
        }
        if (message->nlmsg_type == NLMSG_ERROR) {
            return tl::unexpected(system_error("list the flow table", error_of(message)));
        }
        if (const auto news = parse_flow_message(message, true)) {
            on_news(*news);
        }
    }
    return State::more;
}

}  // namespace vpnha::adapters
