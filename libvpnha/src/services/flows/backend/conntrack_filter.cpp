// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/backend/conntrack_filter.hpp"

#include <linux/bpf_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>

#include <array>
#include <bit>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/assert.hpp"
#include "base/limits.hpp"

namespace vpnha::adapters {

namespace {

constexpr std::uint32_t kFirstAttribute = NLMSG_HDRLEN + sizeof(nfgenmsg);
constexpr std::uint32_t kContent = sizeof(nlattr);
constexpr std::uint32_t kAccept = ~std::uint32_t{0};

// Instructions with named places to jump to; all of them lie ahead and near.
class Program {
  public:
    using Place = std::size_t;
    static constexpr Place kNext = 0;  // The following instruction.

    void put(std::uint16_t code, std::uint32_t value) { code_.push_back({code, 0, 0, value}); }
    void accept() { put(BPF_RET | BPF_K, kAccept); }
    void refuse() { put(BPF_RET | BPF_K, 0); }

    [[nodiscard]] Place place() { return ++places_; }
    void jump(std::uint16_t condition, std::uint32_t value, Place yes, Place no) {
        jumps_.push_back({code_.size(), yes, no});
        put(static_cast<std::uint16_t>(BPF_JMP | condition | BPF_K), value);
    }
    // The next instruction is at `place`.
    void here(Place place) {
        for (const Jump& jump : jumps_) {
            sock_filter& instruction = code_[jump.at];
            const std::size_t distance = code_.size() - jump.at - 1;
            if (jump.yes == place || jump.no == place) {
                VPNHA_ASSERT(distance <= UINT8_MAX);
            }
            if (jump.yes == place) {
                instruction.jt = static_cast<std::uint8_t>(distance);
            }
            if (jump.no == place) {
                instruction.jf = static_cast<std::uint8_t>(distance);
            }
        }
    }

    // A: the offset of the attribute, 0: it is missing. The first of `path` is an outer one, each
    // other is nested in the one before.
    void find(std::initializer_list<std::uint32_t> path) {
        const Place missing = place();
        put(BPF_LD | BPF_IMM, kFirstAttribute);
        int extension = SKF_AD_OFF + SKF_AD_NLATTR;
        for (const std::uint32_t type : path) {
            if (extension == SKF_AD_OFF + SKF_AD_NLATTR_NEST) {
                jump(BPF_JEQ, 0, missing, kNext);
            }
            put(BPF_LDX | BPF_IMM, type);
            put(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(extension));
            extension = SKF_AD_OFF + SKF_AD_NLATTR_NEST;
        }
        here(missing);
    }
    // A: the content of the attribute at A, or 0 when A is 0. `size` is BPF_W, BPF_H or BPF_B.
    void load(std::uint16_t size) {
        const Place missing = place();
        jump(BPF_JEQ, 0, missing, kNext);
        put(BPF_MISC | BPF_TAX, 0);
        put(static_cast<std::uint16_t>(BPF_LD | size | BPF_IND), kContent);
        here(missing);
    }
    [[nodiscard]] std::vector<sock_filter> take() && { return std::move(code_); }

  private:
    struct Jump {
        std::size_t at;
        Place yes;
        Place no;
    };
    std::vector<sock_filter> code_;
    std::vector<Jump> jumps_;
    std::size_t places_ = 0;
};

// The octets of a number in the host's order.
constexpr bool kLowerFirst = std::endian::native == std::endian::little;
constexpr std::uint32_t kKind = offsetof(nlmsghdr, nlmsg_type) + (kLowerFirst ? 0 : 1);
constexpr std::uint32_t kSubsystem = offsetof(nlmsghdr, nlmsg_type) + (kLowerFirst ? 1 : 0);

// Accepts expectations: there are few, and they have little to filter by.
void put_expectations(Program& program) {
    const Program::Place flow = program.place();
    program.put(BPF_LD | BPF_B | BPF_ABS, kSubsystem);
    program.jump(BPF_JEQ, NFNL_SUBSYS_CTNETLINK_EXP, Program::kNext, flow);
    program.accept();
    program.here(flow);
}

// Refuses a flow that neither is worth a record (services/flows/model/policy.hpp) nor was.
void put_status(Program& program) {
    const Program::Place worth = program.place();
    const Program::Place replied = program.place();
    program.find({CTA_STATUS});
    program.load(BPF_W);
    program.jump(BPF_JSET, conntrack::kAssured, worth, Program::kNext);
    program.jump(BPF_JSET, conntrack::kSeenReply, replied, Program::kNext);
    program.refuse();
    program.here(replied);
    program.find({CTA_TUPLE_ORIG, CTA_TUPLE_PROTO, CTA_PROTO_NUM});
    program.load(BPF_B);
    for (const std::uint8_t protocol :
         {conntrack::kTcp, conntrack::kUdp, conntrack::kUdpLite, conntrack::kGre, conntrack::kIcmp,
          conntrack::kIcmpv6, conntrack::kSctp, conntrack::kDccp}) {
        const Program::Place other = program.place();
        program.jump(BPF_JEQ, protocol, Program::kNext, other);
        program.refuse();
        program.here(other);
    }
    program.here(worth);
}

// The ends of all flows pass, whatever their mark.
void put_mark(Program& program, std::uint32_t mark, std::uint32_t mask) {
    const Program::Place ours = program.place();
    // The flow may have had this mark before, and may still have a record.
    program.put(BPF_LD | BPF_B | BPF_ABS, kKind);
    program.jump(BPF_JEQ, IPCTNL_MSG_CT_DELETE, ours, Program::kNext);
    program.find({CTA_MARK});
    program.load(BPF_W);
    program.put(BPF_ALU | BPF_AND | BPF_K, mask);
    program.jump(BPF_JEQ, mark & mask, ours, Program::kNext);
    program.refuse();
    program.here(ours);
}

// The zone is in the entry, or in the one tuple to which it applies.
void put_zones(Program& program, const std::vector<std::uint16_t>& zones) {
    const Program::Place found = program.place();
    const Program::Place ours = program.place();
    program.find({CTA_ZONE});
    program.jump(BPF_JEQ, 0, Program::kNext, found);
    program.find({CTA_TUPLE_ORIG, CTA_TUPLE_ZONE});
    program.jump(BPF_JEQ, 0, Program::kNext, found);
    program.find({CTA_TUPLE_REPLY, CTA_TUPLE_ZONE});
    program.here(found);
    program.load(BPF_H);
    for (const std::uint16_t zone : zones) {
        program.jump(BPF_JEQ, zone, ours, Program::kNext);
    }
    program.refuse();
    program.here(ours);
}

void put_nets(Program& program, const std::vector<IpPrefix>& nets) {
    using Path = std::array<std::uint32_t, 2>;
    constexpr std::array<Path, 4> kAddresses{{{CTA_TUPLE_ORIG, CTA_IP_V4_SRC},
                                              {CTA_TUPLE_ORIG, CTA_IP_V4_DST},
                                              {CTA_TUPLE_REPLY, CTA_IP_V4_SRC},
                                              {CTA_TUPLE_REPLY, CTA_IP_V4_DST}}};
    for (std::uint32_t word = 0; word < kAddresses.size(); ++word) {
        const auto& [tuple, address] = kAddresses[word];
        const Program::Place ipv4 = program.place();
        program.find({tuple, CTA_TUPLE_IP, address});
        program.jump(BPF_JEQ, 0, Program::kNext, ipv4);
        program.accept();
        program.here(ipv4);
        program.load(BPF_W);
        program.put(BPF_ST, word);
    }
    for (const IpPrefix& net : nets) {
        const std::optional<Ipv4Address> first = net.address.masked(net.length).v4();
        if (!first) {
            continue;
        }
        const std::uint32_t mask = net.length == 0 ? 0 : ~std::uint32_t{0} << (32 - net.length);
        for (std::uint32_t word = 0; word < kAddresses.size(); ++word) {
            const Program::Place other = program.place();
            program.put(BPF_LD | BPF_MEM, word);
            program.put(BPF_ALU | BPF_AND | BPF_K, mask);
            program.jump(BPF_JEQ, first->value, Program::kNext, other);
            program.accept();
            program.here(other);
        }
    }
    program.refuse();
}

}  // namespace

std::vector<sock_filter> flow_event_filter(const conntrack::Policy& policy) {
    // Each net takes 16 instructions.
    static_assert(16 * (2 * limits::kAddressesPerSideMax + limits::kPoolsPerGatewayMax) + 256 <=
                  BPF_MAXINSNS);
    Program program;
    put_expectations(program);
    if (!policy.unassured) {
        put_status(program);
    }
    if (policy.mark_mask != 0) {
        put_mark(program, policy.mark, policy.mark_mask);
    }
    if (!policy.zones.empty() && policy.zones.size() <= limits::kGatewaysMax / 2) {
        put_zones(program, policy.zones);
    }
    if (!policy.nets.empty() &&
        policy.nets.size() <= 2 * limits::kAddressesPerSideMax + limits::kPoolsPerGatewayMax) {
        put_nets(program, policy.nets);
    } else {
        program.accept();
    }
    return std::move(program).take();
}

}  // namespace vpnha::adapters
