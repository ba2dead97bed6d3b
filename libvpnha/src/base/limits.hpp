// SPDX-License-Identifier: GPL-2.0-or-later
// Every bound of the program in one place, with the arithmetic behind it. The effect at a bound is
// documented where it is used.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace vpnha::limits {

// A user name as PPP carries it (RFC 1994, 1 length octet).
inline constexpr std::size_t kUserNameBytesMax = 255;
// Networks behind one client.
inline constexpr std::size_t kSessionRoutesMax = 16;
// Addresses for which a gateway answers instead of one client.
inline constexpr std::size_t kSessionProxiedMax = 4;
// Why no other node can resume a session, in its record.
inline constexpr std::size_t kObstacleBytesMax = 200;
// IFNAMSIZ less its terminator.
inline constexpr std::size_t kInterfaceNameBytesMax = 15;
// A gateway's name: fits into every log line, path and metric label.
inline constexpr std::size_t kGatewayNameBytesMax = 32;
// Gateways of one cluster: one octet on the wire, and the gate's array of deadlines.
inline constexpr std::size_t kGatewaysMax = 255;
// Records of one gateway. 100 000 sessions at <= 1 KiB each are 100 MB in user space.
inline constexpr std::size_t kRecordsPerGatewayMax = 100'000;
// Flows of one gateway, besides the other records: a flood of them displaces no session. At <= 200
// octets each they are 100 MB.
inline constexpr std::size_t kFlowsPerGatewayMax = 500'000;
// A record's identity: the longest (a flow of IPv6 in a zone) has 40 octets.
inline constexpr std::size_t kRecordIdBytesMax = 40;
// A helper's name: NF_CT_HELPER_NAME_LEN less its terminator.
inline constexpr std::size_t kHelperNameBytesMax = 15;
// The kernel's name of a function that it calls for an expected connection; the longest of its own
// ("nat-follow-master") has 17 octets.
inline constexpr std::size_t kExpectFunctionBytesMax = 31;
// NF_CT_MAX_EXPECT_CLASSES less one.
inline constexpr std::uint8_t kExpectClassMax = 3;
// A flow's timeout; the kernel counts it in jiffies of 31 bits, so at 1000 Hz it has 24 days.
inline constexpr std::chrono::hours kFlowTimeoutMax{24 * 24};
// The lifetime of a standby's flows without news: UDP and GRE are refreshed by packets without an
// event, so the flow's own timeout would end them there. Longer than a node is left unattended, and
// renewed long before.
inline constexpr std::chrono::hours kStandbyFlowTimeout{7 * 24};
// Flows that are held back before they are published (20 000 a second for 3 s): at the bound a flow
// is published at once.
inline constexpr std::size_t kFlowsHeldBackMax = 65'536;
// A TCP connection that is ending has usually ended within a second; the state in between is
// published only when it lasts.
inline constexpr std::chrono::seconds kFlowEndingPause{1};
// The delay of a listing after one that failed,
// and after a takeover: packets come first.
inline constexpr std::chrono::seconds kFlowListingPause{1};
// When a tenth of the room is free, a listing searches for flows that found no room. The check has
// a pause, because a listing of a full table keeps a core busy for a second.
inline constexpr std::size_t kFlowsForRoom = kFlowsPerGatewayMax - kFlowsPerGatewayMax / 10;
inline constexpr std::chrono::seconds kFlowRoomPause{30};
// A standby checks so many of its flows at a time, in turn: 500 000 have their timeout again every
// six hours, for 0.01 % of a core. Hurried, after a loss or a demotion, 100 000 in 5 s.
inline constexpr std::size_t kFlowsPerLook = 256;
inline constexpr std::chrono::seconds kFlowLookPause{10};
inline constexpr std::size_t kFlowsPerHurriedLook = 2048;
inline constexpr std::chrono::milliseconds kFlowHurriedLookPause{100};
// A flow with more time left than the kernel gives any flow (TCP's five days) was installed by a
// vpnhad of this node.
inline constexpr std::chrono::hours kKernelFlowTimeoutMax{5 * 24};
// A call of PPTP without a control connection at two checks, so far apart, has ended: a live one
// has packets each minute.
inline constexpr std::chrono::minutes kOrphanedCallPause{3};
// The pause between a promoted node's checks of its PPTP calls' timeouts, a look-up each: they are
// renewed in the kernel when half of the week is over.
inline constexpr std::chrono::hours kCallRenewalPause{1};
// The pause between listings of expectations while there are any: at the kernel's usual bound of
// 1024, 0.3 ms. A registration (SIP) that was refreshed lasts longer than its detection takes.
inline constexpr std::chrono::seconds kExpectationListingPause{2};
// Expectations of which the parent is being looked up.
inline constexpr std::size_t kExpectationsWaitingMax = 1024;
// The pause between messages with changes of flows and counters: a token that always has a load
// costs half a core, whatever the load, and this delay does no harm.
inline constexpr std::chrono::milliseconds kGatherPause{100};
// The wait of a pppd for an address whose record no standby has confirmed: usually while a ring
// forms. Less than the second that pppd itself waits (pppd-plugin/plugin.c).
inline constexpr std::chrono::milliseconds kAddressWait{1000};
// The pause, and the number of sessions, when a promoted node checks whether resumed sessions still
// have their addresses: 10 000 in two seconds, 0.1 ms each time.
inline constexpr std::chrono::milliseconds kAddressLookPause{100};
inline constexpr std::size_t kAddressesPerLook = 512;
// A Class attribute of an Access-Accept (RFC 2865 5.25), and how many of them a session has.
inline constexpr std::size_t kRadiusTextBytesMax = 253;
inline constexpr std::size_t kRadiusClassesMax = 2;
// Prefixes of IPv6 from an Access-Accept: one for the link, one for the networks behind it.
inline constexpr std::size_t kRadiusPrefixesMax = 2;
// Ended sessions whose Stop no accounting server has answered: the oldest is dropped for a newer
// one. A day of a gateway with seven ends a minute.
inline constexpr std::size_t kAccountsEndedMax = 10'000;
// The pause between readings of the devices' counters. Later traffic is lost with a node.
inline constexpr std::chrono::seconds kTrafficPause{1};
// A reading without an answer is requested again.
inline constexpr std::chrono::seconds kTrafficWait{10};
// The number of accounts with changed counters that are published at a time: 1 ms, then the others'
// turn comes.
inline constexpr std::size_t kAccountsPerTurn = 512;
inline constexpr std::chrono::milliseconds kAccountTurn{5};
// How long a Start waits for a standby to have its account.
inline constexpr std::chrono::seconds kAccountConfirmWait{1};
// Accounting-Requests of a gateway under way, and of all gateways of a node: a server that takes 50
// ms receives 160 sessions a second.
inline constexpr std::size_t kAccountsUnderWay = 8;
// No accounting server answers, or none accepts this request: tried again after 1, 2, 4 … 60 s.
inline constexpr std::chrono::seconds kAccountAgainFirst{1};
inline constexpr std::chrono::seconds kAccountAgainMax{60};
// How long after a takeover the sessions in the records of a lost node are searched for among the
// records.
inline constexpr std::chrono::seconds kAccountLookPause{2};
// The pause between log lines about a pool without a free address.
inline constexpr std::chrono::minutes kAddressComplaintPause{1};
// For a planned move: how long the old node forwards packets. It covers the loss of the new one's
// first announcement, which is repeated 100 ms later.
inline constexpr std::chrono::milliseconds kSendsOn{200};
// How long the new node holds packets, from its claim on: as long as the old one forwards, and the
// time of the claim and its answer.
inline constexpr std::chrono::milliseconds kHolds{250};
// The time in which packets within the old node leave it when it gives the gateway up. A packet
// takes 10 us, but vpnhad runs before ksoftirqd, in whose queue a loaded node has packets.
inline constexpr std::chrono::milliseconds kLetsOut{5};
// The same for a gateway with PPTP, whose calls are carried by processes.
inline constexpr std::chrono::milliseconds kLetsOutCalls{20};
// With PPTP, held packets wait so long after the opening for the calls to be resumed: 10 ms, and
// 130 if the data path shares one processor with Pacemaker's agents. It ends before kHolds does.
inline constexpr std::chrono::milliseconds kCallsResume{150};
// How much longer packets straight from their sender wait than those that the old node has
// forwarded: these are under way for 50 to 200 us.
inline constexpr std::chrono::milliseconds kDirectWaits{2};
// A successor's wait for its predecessor's last messages: CPG delivers them in one round of the
// token, ~1 ms, but not while a ring is being formed.
inline constexpr std::chrono::milliseconds kLastCountersWait{50};
// Counters are in the kernel within this time of a grant, or the promotion fails: 2 000 SAs take 30
// ms.
inline constexpr std::chrono::milliseconds kWarmingMax{500};
// How long a release or a promotion waits for a daemon that is to change its role.
inline constexpr std::chrono::milliseconds kServicesWait{500};
// Readings of counters that standbys have yet to confirm; beyond that the newest replaces others.
inline constexpr std::size_t kReadingsMax = 16;
// Requests for the kernel's flow table in one send call, with one acknowledgement: ~230 octets
// each, 60 KB of netlink's send buffer of 208 KB. More gain nothing (1: 227 000/s, 64: 530 000/s,
// 256: 555 000/s), and block the loop for longer than ~0.5 ms.
inline constexpr std::size_t kFlowsPerTrain = 256;
// The octets that may wait in charon's receive queue before more is sent: a third of its size (208
// KiB, of which an octet of a message may cost two).
inline constexpr std::size_t kCharonQueueBytes = std::size_t{64} * 1024;
// Requests about ESP SAs in one send call. In the lab's kernel, ten times slower than a host's, a
// query and a change take 0.1 ms: a train blocks the loop for 6 ms there.
inline constexpr std::size_t kSasPerTrain = 64;
// Events of flows that the kernel queues for us: ~1.3 KB each with the kernel's overhead, so 25 000
// of them, 0.1 s of the fastest stream that was measured.
inline constexpr std::size_t kFlowEventBytes = std::size_t{32} * 1024 * 1024;
// Flows that the promoted node checks in one turn of the loop after a listing, ~0.7 us each: 500
// 000 in one turn took longer than a lease lasts.
inline constexpr std::size_t kFlowsPerUnlistedTurn = 8192;
// Events read in one turn of the loop: ~1 ms, then the others' turn comes.
inline constexpr std::size_t kFlowEventsPerTurnMax = 1024;
// A record's payload; an L2TP session has ~100 octets and at most 255 of user name.
inline constexpr std::size_t kRecordPayloadBytesMax = 1024;
// One CPG message: an eighth of Corosync's largest, and ~1 ms of its throughput (88 MB/s), so that
// an urgent record never waits long for a snapshot's chunk.
inline constexpr std::size_t kGroupMessageBytesMax = std::size_t{64} * 1024;
// Messages with changes of one gateway that may be under way in the ring at once: ~1 600 session
// records, 256 KiB. Changes in between are coalesced.
inline constexpr std::size_t kUpdatesOnTheirWay = 4;
// A chunk of a pass, ~100 session records: all nodes read it, only the joiner needs it.
inline constexpr std::size_t kChunkBytesMax = std::size_t{16} * 1024;
// The same for chunks of a pass: an urgent change waits for at most one of them.
inline constexpr std::size_t kChunksOnTheirWay = 1;
// Tombstones of one gateway: 16 384 of ~150 octets are 2.5 MB; at 100 erasures a second they last
// longer than their lifetime. A node that missed more receives everything.
inline constexpr std::size_t kTombstonesMax = 16'384;
// A replica that missed something sends a request within seconds of the ring's healing.
inline constexpr std::chrono::seconds kTombstoneLife{60};
// Versions of refused records in one confirmation (20 octets each): a node whose kernel refuses
// more is broken, and confirms nothing.
inline constexpr std::size_t kRefusedPerConfirmMax = 1024;
// A file of the state directory: epochs, sixteen marks, two lists of seven voters.
inline constexpr std::size_t kStateFileBytesMax = std::size_t{16} * 1024;
// Compared items of a gateway's set-up: all keys of vpnha.toml, and a few files.
inline constexpr std::size_t kFingerprintsMax = 256;
// The pause between comparisons of digests: 60 octets a gateway.
inline constexpr std::chrono::seconds kDigestInterval{10};
// The permitted difference of a node's Unix time from that of the node that serves.
inline constexpr std::chrono::seconds kClockDifferenceMax{2};
// A request without an answer, or whose answer did not match, is repeated after 1, 2, 4 … s: a
// difference that no pass can remove must not keep the group busy.
inline constexpr std::chrono::seconds kAskAgainFirst{1};
// A node that has just joined a ring sends hello within milliseconds; a busy node, and one whose
// hello cannot be read, is waited for so long.
inline constexpr std::chrono::milliseconds kMeetingMax{300};
inline constexpr std::chrono::seconds kAskAgainMax{60};
// An installation that the kernel refused is tried again after 1, 2, 4 … s.
inline constexpr std::chrono::seconds kInstallRetryFirst{1};
inline constexpr std::chrono::seconds kInstallRetryMax{60};
// Records that are checked for it in one turn of the loop: ~1 ms when all of them are due.
inline constexpr std::size_t kRecordsPerRetry = 1024;
// A PPP control packet on a channel.
inline constexpr std::size_t kPppFrameBytesMax = 2048;
// A secret that is sealed: charon's messages, which contain the secrets, have 8 KiB.
inline constexpr std::size_t kSecretBytesMax = std::size_t{8} * 1024;
// A message of the pppd plugin.
inline constexpr std::size_t kPluginMessageBytesMax = 2048;
// One request or answer on the control socket; 10 000 sessions as JSON have 5 MB.
inline constexpr std::size_t kControlMessageBytesMax = std::size_t{64} * 1024 * 1024;
// JSON nests three deep in our requests.
inline constexpr std::size_t kControlJsonDepthMax = 16;
// Connections at the control socket at once: root's (agents, fence_vpnha, CLIs), those of all
// others, and of each other user.
inline constexpr std::size_t kControlRootClientsMax = 64;
inline constexpr std::size_t kControlClientsMax = 64;
inline constexpr std::size_t kControlClientsOfUserMax = 8;
// Log lines that wait for the file: 10 000 of them, as many as thousands of sessions that begin at
// once cause. The writer's thread holds as much again. vpnhad waits for them at its end.
inline constexpr std::size_t kLogWaitingBytesMax = std::size_t{1} << 20;
inline constexpr std::chrono::milliseconds kLogEndPatience{1000};
// Log lines with an event: the number kept, a few hundred octets each, and in one answer.
inline constexpr std::size_t kEventsKept = 1000;
inline constexpr std::ptrdiff_t kEventsAnswered = 200;
// One packet of charon's vici socket, by its protocol.
inline constexpr std::size_t kViciPacketBytesMax = std::size_t{512} * 1024;
// Sections of a vici message nest five deep in charon's answers.
inline constexpr std::size_t kViciDepthMax = 16;
// One datagram of netlink answers: the most that the kernel writes per read of a dump
// (NLMSG_GOODSIZE is smaller than 32 KiB).
inline constexpr std::size_t kNetlinkAnswerBytesMax = std::size_t{32} * 1024;
// Events of devices that wait to be read, each ~2 KB of the kernel's memory: 3 000 sessions that
// end at once cause ~6 000 of them. After an overrun, all devices are read.
inline constexpr std::size_t kLinkNewsBytes = std::size_t{8} * 1024 * 1024;
// Kernel names tried for one resumed tunnel: each refusal is a tunnel of a former vpnhad that the
// kernel has not quite freed yet, so a few are plenty.
inline constexpr std::size_t kTunnelNameAttemptsMax = 64;
// Devices of ended sessions that are removed together: for ~1 ms each no other program changes an
// address or a route of the node, and a takeover does.
inline constexpr std::size_t kDevicesRemovedAtOnce = 16;
// Ready descriptors from which one packet each is read in one turn of the loop: flooding peers cost
// a turn ~0.1 ms, and the ends of as many sessions ~1 ms; then the others' turn comes.
inline constexpr std::size_t kSessionEventsPerTurnMax = 16;
// Resumed tunnels that send in one turn, after a promotion as well as when they are due: each is
// made from its record, sends three packets and receives two answers, at 50 us 1 ms in all. 10 000
// have had their turn after 3 s; meanwhile their peers' data passes.
inline constexpr std::size_t kTunnelsPerTurn = 16;
inline constexpr std::chrono::milliseconds kTunnelTurn{5};
// pppd's scripts of resumed sessions that run at once: at 5 ms of a processor each, those of 10 000
// sessions are done after 15 s, and the node has processors left for packets.
inline constexpr std::size_t kScriptsAtOnce = 4;
// A script that lasts longer is killed: 4 that hang delay the others for so long.
inline constexpr std::chrono::seconds kScriptMax{30};
// Sessions whose scripts have run or wait: all that a gateway may have, and as many that have ended
// while scripts hung. For any further session none run.
inline constexpr std::size_t kScriptedSessionsMax = 2 * kRecordsPerGatewayMax;
// The pause between warnings about scripts that fail.
inline constexpr std::chrono::minutes kScriptComplaintPause{1};
// How long vpnhad waits at its end for scripts of sessions that it no longer carries, as many as
// fit. The agent's stop waits 5 s.
inline constexpr std::chrono::seconds kScriptsAtEnd{3};
// Open files: 4 per hot session (UDP, PPPoX, channel, unit), so 100 000 sessions and 1 024 others;
// below the kernel's fs.nr_open of 1 048 576.
inline constexpr std::size_t kOpenFilesMax = 4 * kRecordsPerGatewayMax + 1024;
// vpnha.toml: 255 gateways with 64 pools and 64 addresses each, 20 octets an entry, are 650 KB.
inline constexpr std::size_t kConfigFileBytesMax = std::size_t{1024} * 1024;
// Errors of vpnha.toml that are listed: two screens, and the log of one start.
inline constexpr std::size_t kConfigErrorsMax = 50;
// VIPs of one side of a gateway; each is announced within a promotion, ~50 us apiece.
inline constexpr std::size_t kAddressesPerSideMax = 64;
// Neighbours of one side that are queried: its routers, and a few servers.
inline constexpr std::size_t kNeighboursPerSideMax = 16;
// Pools of one gateway: a few ranges on each of 16 nodes.
inline constexpr std::size_t kPoolsPerGatewayMax = 64;
// Nets whose flows belong to a gateway, if these are not its pools: 16 instructions of the filter
// of events each.
inline constexpr std::size_t kFlowNetsMax = 64;
// A request on the control socket; ours have at most a few names.
inline constexpr std::size_t kControlRequestBytesMax = std::size_t{64} * 1024;
// Answers not yet read by their clients, root's together and all others': two of the largest.
inline constexpr std::size_t kControlPendingBytesMax = 2 * kControlMessageBytesMax;
// pppds connected to the plugin's socket: each is a process of ~1 MB, so memory ends before.
inline constexpr std::size_t kPluginClientsMax = 16'384;
// A message of strongSwan's ha plugin: charon accepts as many octets as `buflen`, 8 192 in the
// shipped version. An IKEv1 SA with a group of 8 192 bits has 3.2 kB; each of its secrets is 40
// longer sealed.
inline constexpr std::size_t kHaMessageBytesMax = 8192;
// IKE_ADDs of an IKE SA after its first one: RFC 9370 has seven additional key exchanges.
inline constexpr std::size_t kIkeAddsFurtherMax = 7;
// IKE_UPDATEs of an SA with different attributes: charon sends two or three (its establishment,
// virtual addresses).
inline constexpr std::size_t kIkeUpdatesMax = 8;
// A block of any cipher.
inline constexpr std::size_t kIkeIvBytesMax = 64;
// A request of the gateway that nobody has answered: dead peer detection has 61 to 84 octets, the
// end of a CHILD SA few more.
inline constexpr std::size_t kIkeRequestBytesMax = 512;
// Of one IKE SA: each gateway that dies leaves one, as long as the client receives none.
inline constexpr std::size_t kIkeRequestsMax = 4;
// The pause between searches for those of SAs that have ended.
inline constexpr std::chrono::seconds kIkeRequestsPause{10};
// IKE SAs that are being set up: charon gives each up after 30 s, so this is a flood.
inline constexpr std::size_t kHalfOpenSasMax = 10'000;
// charon reports the end of a rekeyed IKE SA right before its successor's establishment.
inline constexpr std::chrono::seconds kIkeRekeyPause{1};
// Messages for a passive charon in one feed, some families more: 0.2 s of its work. Changes in
// between are coalesced.
inline constexpr std::size_t kCharonFeedMessages = 256;
// The pause before a failed feed is repeated. For so long a charon is also fed nothing while the
// replica resyncs, so that an IKE SA comes with its children.
inline constexpr std::chrono::seconds kCharonFeedPause{1};
// The records of a node that is promoted are usually in its charon; the rest is left out after this
// time.
inline constexpr std::chrono::milliseconds kCharonTurnPause{300};
// The same for a charon that has started on the node that serves: 1 000 SAs take 4 s.
inline constexpr std::chrono::seconds kCharonFreshPause{10};
// charon has not confirmed its turn: the request is repeated.
inline constexpr std::chrono::seconds kCharonTurnAgain{2};
// The pause between warnings about messages that cannot be read.
inline constexpr std::chrono::minutes kCharonComplaintPause{1};
// The pause between listings of the ESP SAs on the node that serves: 2 000 of them in 2 ms. The
// packets between two listings have to be far below half of the lead.
inline constexpr std::chrono::milliseconds kSaListingPause{500};
inline constexpr std::chrono::seconds kSaListingWait{2};
// Fed SAs are usually in the kernel at once: the pause between checks, and their duration.
inline constexpr std::chrono::milliseconds kSaLookPause{200};
inline constexpr std::chrono::seconds kChildSaWait{5};
// A CHILD SA that a client has just made is usually in the kernel at once: the pause between checks
// there, and their duration.
inline constexpr std::chrono::milliseconds kNewChildPause{20};
inline constexpr std::chrono::seconds kNewChildWait{1};
// Private ports of clients of L2TP/IPsec within a gateway.
inline constexpr std::uint16_t kPrivatePortFirst = 20'000;
inline constexpr std::uint16_t kPrivatePorts = 40'000;
// A standby's kernel is compared with the feeds of its charon.
inline constexpr std::chrono::seconds kSaAuditPause{10};
// The most packets that an ESP SA sends in a second: one core encrypts an SA. And in an epoch of
// unknown length: 70 000 a second in the hour that a child lives.
inline constexpr std::uint64_t kEspPerSecond = 1'000'000;
inline constexpr std::uint64_t kEspPerEpoch = std::uint64_t{1} << 28;
// How far a standby's outbound numbers are ahead of the record, at least half of it: a second's
// packets. That is the age of the records after a power cut, so no number has to be set then. With
// 32 bits 2 048 takeovers use up all numbers.
inline constexpr std::uint64_t kEspLead = std::uint64_t{1} << 21;
// A jump in the upper half of 64 bits is not sent: a peer takes it for one back.
inline constexpr std::uint64_t kEspJumpMax = 0xffff'0000;
// XFRMA_REPLAY_ESN_MAX, in packets.
inline constexpr std::size_t kReplayWindowMax = 4096;
// Code- and Protocol-Rejects of one link: a peer that sends a foreign protocol at line rate
// receives enough to notice.
inline constexpr std::size_t kPppRejectsPerSecondMax = 4;

// Time for one task in one turn of the loop: as long as a message of the group, or a renewal of a
// lease, may wait.
inline constexpr std::chrono::milliseconds kLoopSlice{5};

// Epochs and sequences: one a microsecond lasts 140 years; far from where adding one wraps around.
inline constexpr std::uint64_t kCounterMax = std::uint64_t{1} << 52;

// A broken or hostile member must not use up the epoch numbers: an epoch is not granted, accepted
// or outbid if it is so much higher than all known ones. No absence has so many promotions.
inline constexpr std::uint64_t kEpochJumpMax = std::uint64_t{1} << 20;
// The same for a witness, above the epochs that nodes have named. A stolen one that is outbid ten
// times a second reaches 2^52 in 14 000 years.
inline constexpr std::uint64_t kWitnessEpochJumpMax = 1024;

}  // namespace vpnha::limits
