// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/bandwidth/backend/traffic_control.hpp"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <array>

#include "host/netlink/netlink_values.hpp"

namespace vpnha::adapters {

namespace {

using bandwidth::Shaping;

// "vp", and one more; pppd-plugin/device.c has the first.
constexpr std::uint32_t kRoot = 0x76700000;
constexpr std::uint32_t kQueues = 0x76710000;
constexpr std::uint32_t kClassOfRoot = kRoot | 1;
constexpr std::uint32_t kIngress = 0xffff0000;
constexpr std::uint32_t kFilterPriority = 1;
// A device's flows hash into so many queues. The kernel's default takes 70 kB for each session.
constexpr std::uint32_t kFlowQueues = 64;
constexpr std::uint32_t kPacketsMax = 1'000;
constexpr std::uint32_t kQueueOctetsMax = 4'000'000;
// No device receives a longer packet.
constexpr std::uint32_t kPacketOctetsMax = 65'535;
// The kernel's unit of time there is 64 ns.
constexpr unsigned kTickShift = 6;
constexpr std::uint64_t kNanosecondsOfASecond = 1'000'000'000;
// The kernel requires a table of times, and has ignored it since 3.8.
constexpr std::size_t kRateTableBytes = 1'024;
constexpr std::uint8_t kRateCellLog = 8;

template <class Value>
ByteView octets_of(const Value& value) {
    return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

NetlinkRequest request_for(std::uint16_t type, std::uint16_t flags, std::uint32_t link,
                           std::uint32_t parent, std::uint32_t handle = 0, std::uint32_t info = 0) {
    NetlinkRequest request(type, flags);
    auto& header = request.header<tcmsg>();
    header.tcm_family = AF_UNSPEC;
    header.tcm_ifindex = static_cast<int>(link);
    header.tcm_parent = parent;
    header.tcm_handle = handle;
    header.tcm_info = info;
    return request;
}

tc_ratespec rate_of(const Shaping::Bucket& bucket) {
    tc_ratespec rate{};
    rate.cell_log = kRateCellLog;
    rate.linklayer = TC_LINKLAYER_ETHERNET;
    rate.rate = bucket.octets_per_s;
    return rate;
}

std::uint32_t ticks_of(const Shaping::Bucket& bucket) {
    const std::uint64_t ns = kNanosecondsOfASecond * bucket.burst / bucket.octets_per_s;
    return static_cast<std::uint32_t>(ns >> kTickShift);
}

}  // namespace

Result<TrafficControl> TrafficControl::open() {
    VPNHA_TRY(NetlinkSocket socket, NetlinkSocket::open(NETLINK_ROUTE));
    return TrafficControl(std::move(socket));
}

Result<void> TrafficControl::set(std::uint32_t link, const Shaping& shaping) {
    VPNHA_CHECK(set_bucket(link, shaping.down));
    VPNHA_CHECK(set_queues(link, shaping));
    VPNHA_CHECK(remove_from(link, TC_H_INGRESS));
    return shaping.up ? set_policer(link, *shaping.up) : Result<void>{};
}

Result<void> TrafficControl::remove(std::uint32_t link) {
    VPNHA_CHECK(remove_from(link, TC_H_ROOT));
    return remove_from(link, TC_H_INGRESS);
}

// If the bucket exists its rate is changed, and the packets in it stay.
Result<void> TrafficControl::set_bucket(std::uint32_t link, const Shaping::Bucket& bucket) {
    tc_tbf_qopt options{};
    options.rate = rate_of(bucket);
    options.limit = bucket.burst;  // Of a queue that set_queues() replaces.
    options.buffer = ticks_of(bucket);
    NetlinkRequest request =
        request_for(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, link, TC_H_ROOT, kRoot);
    request.text(TCA_KIND, "tbf").nested(TCA_OPTIONS, [&] {
        request.bytes(TCA_TBF_PARMS, octets_of(options)).u32(TCA_TBF_BURST, bucket.burst);
    });
    return socket_.ask(request, "limit a session's rate (sch_tbf)");
}

Result<void> TrafficControl::set_queues(std::uint32_t link, const Shaping& shaping) {
    // The number of queues can be set only at the start.
    NetlinkRequest first = request_for(RTM_NEWQDISC, kCreate, link, kClassOfRoot, kQueues);
    first.text(TCA_KIND, "fq_codel").nested(TCA_OPTIONS, [&first] {
        first.u32(TCA_FQ_CODEL_FLOWS, kFlowQueues)
            .u32(TCA_FQ_CODEL_LIMIT, kPacketsMax)
            .u32(TCA_FQ_CODEL_MEMORY_LIMIT, kQueueOctetsMax);
    });
    VPNHA_CHECK(
        accept(socket_.ask(first, "queue a session's flows (sch_fq_codel)"), Errc::already_exists));
    NetlinkRequest request = request_for(RTM_NEWQDISC, NLM_F_REPLACE, link, kClassOfRoot, kQueues);
    request.text(TCA_KIND, "fq_codel").nested(TCA_OPTIONS, [&] {
        request.u32(TCA_FQ_CODEL_TARGET, shaping.target_us)
            .u32(TCA_FQ_CODEL_INTERVAL, shaping.interval_us);
    });
    return socket_.ask(request, "queue a session's flows (sch_fq_codel)");
}

// Only without an ingress qdisc: a filter of the kind matchall cannot be changed.
Result<void> TrafficControl::set_policer(std::uint32_t link, const Shaping::Bucket& bucket) {
    NetlinkRequest ingress = request_for(RTM_NEWQDISC, kCreate, link, TC_H_INGRESS, kIngress);
    ingress.text(TCA_KIND, "ingress");
    VPNHA_CHECK(socket_.ask(ingress, "limit what a client sends (sch_ingress)"));
    tc_police police{};
    police.action = TC_POLICE_SHOT;
    police.rate = rate_of(bucket);
    police.burst = ticks_of(bucket);
    police.mtu = kPacketOctetsMax;
    constexpr std::array<std::uint8_t, kRateTableBytes> kTable{};
    NetlinkRequest filter = request_for(RTM_NEWTFILTER, kCreate, link, kIngress, 0,
                                        TC_H_MAKE(kFilterPriority << 16U, htons(ETH_P_ALL)));
    filter.text(TCA_KIND, "matchall").nested(TCA_OPTIONS, [&] {
        filter.nested(TCA_MATCHALL_ACT, [&] {
            filter.nested(1, [&] {
                filter.text(TCA_ACT_KIND, "police").nested(TCA_ACT_OPTIONS, [&] {
                    filter.bytes(TCA_POLICE_TBF, octets_of(police))
                        .bytes(TCA_POLICE_RATE, ByteView(kTable));
                });
            });
        });
    });
    return socket_.ask(filter, "limit what a client sends (cls_matchall, act_police)");
}

Result<void> TrafficControl::remove_from(std::uint32_t link, std::uint32_t parent) {
    NetlinkRequest request = request_for(RTM_DELQDISC, 0, link, parent);
    return accept(socket_.ask(request, "remove a session's limit"), Errc::not_found);
}

}  // namespace vpnha::adapters
