// SPDX-License-Identifier: GPL-2.0-or-later
// What a new flow costs on its way from the promoted node's kernel into a standby's, step by step:
// CPU time of this process, the kernel's share of its calls included, without the group between
// the two. One line of JSON, ns a flow.
//
// Each step is measured with all that come before it, over flows of its own; a step's own share is
// the difference to the one before.
#include <fcntl.h>
#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <netinet/in.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "cluster/replica/replica.hpp"
#include "cluster/wire/codec.hpp"
#include "flows.hpp"
#include "host/netlink/netlink_train.hpp"
#include "host/os/unique_fd.hpp"
#include "services/flows/backend/conntrack_events.hpp"
#include "services/flows/backend/conntrack_table.hpp"
#include "services/flows/model/standby.hpp"

namespace vpnha::bench {

namespace {

// As many as are read in a few turns of the loop, so that caches are what they would be.
constexpr std::uint32_t kTurn = 2'048;
constexpr TimePoint kNow{std::chrono::hours(1)};
// Flows are sent after a pause.
constexpr TimePoint kLater = kNow + limits::kGatherPause;
constexpr GatewayId kGateway{1};
constexpr NodeId kPromoted{1};
constexpr NodeId kStandby{2};

double cpu_ns() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

class Namespace {
  public:
    Namespace() {
        VPNHA_ASSERT(unshare(CLONE_NEWNET) == 0);
        fd_.reset(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
        std::ofstream("/proc/sys/net/netfilter/nf_conntrack_events") << "1";
        auto opened = adapters::ConntrackTable::open();
        VPNHA_ASSERT(opened.has_value());
        table = std::move(*opened);
    }
    void enter() const { VPNHA_ASSERT(setns(fd_.get(), CLONE_NEWNET) == 0); }

    std::unique_ptr<adapters::ConntrackTable> table;

  private:
    adapters::UniqueFd fd_;
};

// The promoted node's side and the standby's, joined by bytes.
struct Pair {
    Pair() {
        const std::set<NodeId> members{kPromoted, kStandby};
        promoted.on_members(members, true, kNow);
        standby.on_members(members, true, kNow);
        deliver(promoted.begin_epoch(Epoch{1, kPromoted}, kNow));
        const auto held = [this](const conntrack::FlowId& id) {
            const auto* record = promoted.store().find(key_of(id.view()));
            return record == nullptr ? ByteView{} : ByteView(record->payload);
        };
        tracker.emplace(conntrack::Policy{}, held);
    }
    static wire::RecordKey key_of(ByteView id) {
        return {wire::RecordType::flow, wire::RecordId(id)};
    }
    // What the standby's kernel is to take.
    std::vector<replica::Install> deliver(const replica::Effects& effects) {
        std::vector<replica::Install> installs;
        for (const replica::Effect& effect : effects) {
            const auto* send = std::get_if<replica::Send>(&effect);
            VPNHA_ASSERT(send != nullptr);
            const Bytes bytes = dialects.encode(send->message, 1);
            octets += bytes.size();
            const auto message = dialects.parse(bytes);
            for (replica::Effect& notified : standby.on_message(kPromoted, *message, kNow)) {
                if (auto* install = std::get_if<replica::Install>(&notified)) {
                    installs.push_back(std::move(*install));
                }
            }
            static_cast<void>(promoted.on_message(kPromoted, *message, kNow));
        }
        return installs;
    }

    replica::Replica promoted{kGateway, kPromoted};
    replica::Replica standby{kGateway, kStandby};
    std::optional<conntrack::Tracker> tracker;
    wire::Dialects dialects;
    std::size_t octets = 0;
};

class Steps {
  public:
    explicit Steps(std::uint32_t count) : count_(count) {}

    // The mean over `count` new flows of what `step` costs.
    double cost(const std::function<void()>& step) {
        double used = 0;
        for (std::uint32_t done = 0; done < count_; done += kTurn) {
            here_.enter();
            install_numbers(*here_.table, next_, kTurn);
            next_ += kTurn;
            const double before = cpu_ns();
            step();
            used += cpu_ns() - before;
        }
        return used / count_;
    }
    double injection() {
        double used = 0;
        here_.enter();
        for (std::uint32_t done = 0; done < count_; done += kTurn) {
            const double before = cpu_ns();
            install_numbers(*here_.table, next_, kTurn);
            used += cpu_ns() - before;
            next_ += kTurn;
        }
        return used / count_;
    }
    void clear() {
        here_ = Namespace();
        next_ = 0;
    }

    Namespace here_;

  private:
    std::uint32_t count_;
    std::uint32_t next_ = 0;
};

adapters::ConntrackEvents listen() {
    auto events = adapters::ConntrackEvents::open({});
    VPNHA_ASSERT(events.has_value());
    return std::move(*events);
}

void read_all(adapters::ConntrackEvents& events, const adapters::ConntrackEvents::OnNews& on_news) {
    std::size_t received = 0;
    while (received < kTurn) {
        const auto turn = events.read([&](const conntrack::News& news) {
            ++received;
            on_news(news);
        });
        VPNHA_ASSERT(turn.whole);
    }
}

double with_libnetfilter_conntrack(Steps& steps) {
    nfct_handle* const handle = nfct_open(CONNTRACK, NF_NETLINK_CONNTRACK_NEW);
    VPNHA_ASSERT(handle != nullptr);
    nfnl_rcvbufsiz(nfct_nfnlh(handle), 32 * 1024 * 1024);
    std::size_t received = 0;
    nfct_callback_register(
        handle, NFCT_T_ALL,
        [](nf_conntrack_msg_type, nf_conntrack*, void* count) -> int {
            return ++*static_cast<std::size_t*>(count) % kTurn == 0 ? NFCT_CB_STOP
                                                                    : NFCT_CB_CONTINUE;
        },
        &received);
    const double cost = steps.cost([&] { VPNHA_ASSERT(nfct_catch(handle) >= 0); });
    nfct_close(handle);
    return cost;
}

// The whole table of the namespace: how many flows it has.
std::size_t listed() {
    auto listing = adapters::ConntrackListing::start();
    VPNHA_ASSERT(listing.has_value());
    std::size_t received = 0;
    auto state = adapters::ConntrackListing::State::more;
    while (state == adapters::ConntrackListing::State::more) {
        const auto read = listing->read([&received](const conntrack::News&) { ++received; });
        VPNHA_ASSERT(read.has_value());
        state = *read;
    }
    return received;
}

std::size_t listed_by_libnetfilter_conntrack() {
    nfct_handle* const handle = nfct_open(CONNTRACK, 0);
    VPNHA_ASSERT(handle != nullptr);
    std::size_t received = 0;
    nfct_callback_register(
        handle, NFCT_T_ALL,
        [](nf_conntrack_msg_type, nf_conntrack*, void* count) -> int {
            ++*static_cast<std::size_t*>(count);
            return NFCT_CB_CONTINUE;
        },
        &received);
    const std::uint32_t family = AF_INET;
    VPNHA_ASSERT(nfct_query(handle, NFCT_Q_DUMP, &family) == 0);
    nfct_close(handle);
    return received;
}

// The median of some turns, ns a flow. Both ways take turns, so that what else the machine does
// falls on both.
void add_listings(nlohmann::json& line, std::uint32_t count) {
    const Namespace here;
    for (std::uint32_t done = 0; done < count; done += kTurn) {
        install_numbers(*here.table, done, kTurn);
    }
    constexpr int kTurns = 7;
    std::array<std::vector<double>, 2> costs;
    for (int turn = 0; turn < 2 * kTurns; ++turn) {
        const double before = cpu_ns();
        const std::size_t received = turn % 2 == 0 ? listed() : listed_by_libnetfilter_conntrack();
        costs[turn % 2].push_back((cpu_ns() - before) / count);
        VPNHA_ASSERT(received == count);
    }
    for (std::vector<double>& each : costs) {
        std::ranges::nth_element(each, each.begin() + kTurns / 2);
    }
    line["table listed"] = costs[0][kTurns / 2];
    line["table listed by libnetfilter_conntrack"] = costs[1][kTurns / 2];
}

// A standby's request for the flow, made by libnetfilter_conntrack of an object that serves again.
nlmsghdr* put_by_library(char* buffer, std::uint16_t type, const conntrack::Flow& flow,
                         nf_conntrack* object) {
    const auto set_address = [object](nf_conntrack_attr attribute, const IpAddress& address) {
        nfct_set_attr_u32(object, attribute, htonl(address.v4()->value));
    };
    const auto set_part = [object](nf_conntrack_attr attribute, std::uint16_t part) {
        nfct_set_attr_u16(object, attribute, htons(part));
    };
    nfct_set_attr_u8(object, ATTR_L3PROTO, AF_INET);
    nfct_set_attr_u8(object, ATTR_L4PROTO, flow.key.protocol);
    set_address(ATTR_IPV4_SRC, flow.key.original.source);
    set_address(ATTR_IPV4_DST, flow.key.original.destination);
    set_part(ATTR_PORT_SRC, flow.key.original.source_part);
    set_part(ATTR_PORT_DST, flow.key.original.destination_part);
    if (type == IPCTNL_MSG_CT_NEW) {
        nfct_setobjopt(object, NFCT_SOPT_SETUP_REPLY);
        set_address(ATTR_SNAT_IPV4, flow.reply.destination);
        set_part(ATTR_SNAT_PORT, flow.reply.destination_part);
        set_address(ATTR_DNAT_IPV4, flow.reply.source);
        set_part(ATTR_DNAT_PORT, flow.reply.source_part);
        nfct_set_attr_u32(object, ATTR_STATUS, flow.status | IPS_CONFIRMED);
        nfct_set_attr_u32(object, ATTR_TIMEOUT, flow.timeout_s);
        nfct_set_attr_u8(object, ATTR_TCP_STATE, static_cast<std::uint8_t>(flow.tcp->state));
        nfct_set_attr_u8(object, ATTR_TCP_WSCALE_ORIG, flow.tcp->scale[0]);
        nfct_set_attr_u8(object, ATTR_TCP_WSCALE_REPL, flow.tcp->scale[1]);
        nfct_set_attr_u8(object, ATTR_TCP_FLAGS_ORIG, flow.tcp->flags[0]);
        nfct_set_attr_u8(object, ATTR_TCP_MASK_ORIG, flow.tcp->flags[0]);
        nfct_set_attr_u8(object, ATTR_TCP_FLAGS_REPL, flow.tcp->flags[1]);
        nfct_set_attr_u8(object, ATTR_TCP_MASK_REPL, flow.tcp->flags[1]);
    }
    nlmsghdr* const message = mnl_nlmsg_put_header(buffer);
    message->nlmsg_type = static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | type);
    message->nlmsg_flags =
        NLM_F_REQUEST | (type == IPCTNL_MSG_CT_NEW ? NLM_F_CREATE | NLM_F_EXCL : 0);
    auto* const family =
        static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(nfgenmsg)));
    *family = {.nfgen_family = AF_INET, .version = NFNETLINK_V0, .res_id = 0};
    VPNHA_ASSERT(nfct_nlmsg_build(message, object) == 0);
    return message;
}

// What entries of a standby cost, made and removed, by this project's requests and by the
// library's.
void add_entries(nlohmann::json& line, std::uint32_t count) {
    constexpr int kTurns = 7;
    std::vector<conntrack::Flow> flows;
    std::vector<conntrack::FlowKey> keys;
    for (std::uint32_t number = 0; number < count; ++number) {
        flows.push_back(conntrack::hot(flow_number(number)));
        keys.push_back(flows.back().key);
    }
    std::map<std::string, std::vector<double>> costs;
    for (int turn = 0; turn < 2 * kTurns; ++turn) {
        const bool by_library = turn % 2 == 1;
        const std::string by = by_library ? " by libnetfilter_conntrack" : "";
        const Namespace there;
        auto train = adapters::NetlinkTrain::open({.bus = NETLINK_NETFILTER,
                                                   .requests_max = limits::kFlowsPerTrain,
                                                   .request_bytes_max = 4096,
                                                   .what = "flow_bench"});
        VPNHA_ASSERT(train.has_value());
        nf_conntrack* const object = nfct_new();
        for (const std::uint16_t type : {IPCTNL_MSG_CT_NEW, IPCTNL_MSG_CT_DELETE}) {
            const double before = cpu_ns();
            for (std::size_t at = 0; at < flows.size(); at += limits::kFlowsPerTrain) {
                const std::size_t size = std::min(limits::kFlowsPerTrain, flows.size() - at);
                if (by_library) {
                    const auto answers = train->ask(size, [&](char* buffer, std::size_t n) {
                        return put_by_library(buffer, type, flows[at + n], object);
                    });
                    VPNHA_ASSERT(answers.has_value() && std::ranges::count(*answers, 0) ==
                                                            static_cast<std::ptrdiff_t>(size));
                } else if (type == IPCTNL_MSG_CT_NEW) {
                    VPNHA_ASSERT(there.table->install(std::span(flows).subspan(at, size),
                                                      conntrack::Live::changes));
                } else {
                    VPNHA_ASSERT(there.table->remove(std::span(keys).subspan(at, size)));
                }
            }
            costs[(type == IPCTNL_MSG_CT_NEW ? "entry made" : "entry removed") + by].push_back(
                (cpu_ns() - before) / count);
        }
        nfct_destroy(object);
    }
    for (auto& [what, each] : costs) {
        std::ranges::nth_element(each, each.begin() + kTurns / 2);
        line[what] = each[kTurns / 2];
    }
}

nlohmann::json promoted_side(std::uint32_t count) {
    nlohmann::json line;
    Steps steps(count);
    line["injection, nobody listens"] = steps.injection();
    steps.clear();
    {
        auto events = listen();
        line["events read"] = steps.cost([&] { read_all(events, [](const auto&) {}); });
    }
    steps.clear();
    line["events read by libnetfilter_conntrack"] = with_libnetfilter_conntrack(steps);
    steps.clear();
    {
        Pair pair;
        auto events = listen();
        std::size_t emitted = 0;
        line["tracked"] = steps.cost([&] {
            read_all(events, [&](const conntrack::News& news) {
                emitted +=
                    pair.tracker->on_news(news, kNow).action == conntrack::Decision::Action::emit;
            });
        });
        VPNHA_ASSERT(emitted >= count);
    }
    steps.clear();
    Pair pair;
    auto events = listen();
    line["sent"] = steps.cost([&] {
        read_all(events, [&](const conntrack::News& news) {
            const conntrack::Decision decision = pair.tracker->on_news(news, kNow);
            pair.promoted.publish(Pair::key_of(decision.id.view()), decision.payload.view());
        });
        static_cast<void>(pair.promoted.flush(kNow));
        for (const replica::Effect& effect : pair.promoted.flush(kLater)) {
            const Bytes bytes = pair.dialects.encode(std::get<replica::Send>(effect).message, 1);
            pair.octets += bytes.size();
            // Comes round the ring.
            const auto message = pair.dialects.parse_own(bytes);
            static_cast<void>(pair.promoted.on_message(kPromoted, *message, kLater));
        }
    });
    add_listings(line, count);
    line["octets on the wire"] = static_cast<double>(pair.octets) / count;
    return line;
}

nlohmann::json standby_side(std::uint32_t count) {
    nlohmann::json line;
    Pair pair;
    const Namespace there;
    double applied = 0;
    double parsed = 0;
    double installed = 0;
    for (std::uint32_t first = 0; first < count; first += kTurn) {
        std::vector<Bytes> messages;
        for (std::uint32_t number = first; number < first + kTurn; ++number) {
            const conntrack::Flow flow = flow_number(number);
            const auto id = conntrack::encode_key(flow.key);
            const auto payload = conntrack::encode_payload(flow);
            pair.promoted.publish(Pair::key_of(id.view()), payload.view());
        }
        static_cast<void>(pair.promoted.flush(kNow));
        for (const replica::Effect& effect : pair.promoted.flush(kLater)) {
            messages.push_back(pair.dialects.encode(std::get<replica::Send>(effect).message, 1));
            static_cast<void>(
                pair.promoted.on_message(kPromoted, std::get<replica::Send>(effect).message, kNow));
        }
        const double begin = cpu_ns();
        std::vector<replica::Install> installs;
        for (const Bytes& bytes : messages) {
            const auto message = pair.dialects.parse(bytes);
            for (replica::Effect& notified : pair.standby.on_message(kPromoted, *message, kNow)) {
                if (auto* install = std::get_if<replica::Install>(&notified)) {
                    installs.push_back(std::move(*install));
                }
            }
        }
        const double behind_replica = cpu_ns();
        std::vector<conntrack::Flow> flows;
        for (const replica::Install& install : installs) {
            auto flow = conntrack::parse_flow(install.key.id.view(), install.payload);
            VPNHA_ASSERT(flow.has_value());
            flows.push_back(conntrack::hot(std::move(*flow)));
        }
        const double behind_parser = cpu_ns();
        for (std::size_t at = 0; at < flows.size(); at += limits::kFlowsPerTrain) {
            const auto part =
                std::span(flows).subspan(at, std::min(limits::kFlowsPerTrain, flows.size() - at));
            VPNHA_ASSERT(there.table->install(part, conntrack::Live::changes).has_value());
        }
        const double behind_kernel = cpu_ns();
        for (const replica::Install& install : installs) {
            pair.standby.on_installed(install.key, install.ticket, replica::Outcome::installed,
                                      kNow);
        }
        static_cast<void>(pair.standby.flush(kNow));
        applied += behind_replica - begin + cpu_ns() - behind_kernel;
        parsed += behind_parser - behind_replica;
        installed += behind_kernel - behind_parser;
    }
    line["applied and confirmed"] = applied / count;
    line["parsed"] = parsed / count;
    line["installed"] = installed / count;
    add_entries(line, count);
    return line;
}

}  // namespace

}  // namespace vpnha::bench

int main(int argc, char** argv) {
    const auto wanted =
        static_cast<std::uint32_t>(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 65'536);
    const std::uint32_t count =
        (wanted + vpnha::bench::kTurn - 1) / vpnha::bench::kTurn * vpnha::bench::kTurn;
    const nlohmann::json line = {{"flows", count},
                                 {"promoted", vpnha::bench::promoted_side(count)},
                                 {"standby", vpnha::bench::standby_side(count)}};
    fmt::print("{}\n", line.dump());
    return 0;
}
