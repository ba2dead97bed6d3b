// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/lease/datagram.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "cluster/lease/timing.hpp"

namespace vpnha::lease {

namespace {

constexpr std::string_view kMagic = "VPNL";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kTagBytes = crypto_auth_BYTES;
static_assert(LeaseKey::Octets::size() == crypto_auth_KEYBYTES);

enum class Type : std::uint8_t {
    hello = 1,
    round,
    answer,
    refusal,
    release,
    mark_request,
    mark_answer,
    recall,
    memory,
    question,
    opinion
};

constexpr std::uint8_t kChallenge = 1;
constexpr std::uint8_t kSentAt = 4;
constexpr std::uint8_t kNeeds = 8;
constexpr std::uint8_t kRepeated = 2;
constexpr std::uint8_t kHandover = 1;
constexpr std::uint8_t kCannotSave = 2;
constexpr std::uint8_t kHeld = 1;
constexpr std::uint8_t kRunOut = 1;
constexpr std::uint8_t kNextList = 2;
constexpr std::uint8_t kReleased = 4;
constexpr std::uint8_t kOrdered = 8;
constexpr std::uint8_t kServed = 1;
constexpr std::uint8_t kByOrder = 2;
constexpr std::uint8_t kAnswered = 1;

class Writer {
  public:
    explicit Writer(ByteWriter& out) : out_(out) {}

    void operator()(const Hello& hello) {
        type(Type::hello);
        out_.u8(static_cast<std::uint8_t>(
            (hello.challenge ? kChallenge : 0) | (hello.repeated ? kRepeated : 0) |
            (hello.sent_at ? kSentAt : 0) | (hello.needs ? kNeeds : 0)));
        if (hello.challenge) {
            out_.u64(*hello.challenge);
        }
        if (hello.repeated) {
            out_.u64(hello.repeated->of.value).u64(hello.repeated->number);
        }
        if (hello.sent_at) {
            put(*hello.sent_at);
        }
        if (hello.needs) {
            out_.u64(static_cast<std::uint64_t>(hello.needs->count()));
        }
    }
    void operator()(const Round& round) {
        type(Type::round);
        put(round.id);
        put(round.sent_at);
        out_.u64(static_cast<std::uint64_t>(round.lease.count()));
        out_.u8(static_cast<std::uint8_t>(
            (round.held ? kHeld : 0) | (round.voters.next ? kNextList : 0) |
            (round.released ? kReleased : 0) | (round.ordered ? kOrdered : 0)));
        put(round.voters);
        if (round.released) {
            put(*round.released);
        }
        put(round.checkpoint);
        if (!round.held) {
            put(TimePoint(round.in_vain));
        }
        put(round.marks);
    }
    void operator()(const Answer& answer) {
        type(Type::answer);
        put(answer.id);
        out_.u8(static_cast<std::uint8_t>(answer.before.knowledge));
        if (answer.before.knowledge == Knowledge::received) {
            const Received& received = answer.before.received;
            put(received.epoch);
            out_.u64(received.number);
            put(received.until);
            out_.u8(received.held ? 1 : 0);
            put(received.checkpoint);
        }
        put(answer.before.elsewhere);
        out_.u8(static_cast<std::uint8_t>((answer.handover ? kHandover : 0) |
                                          (answer.saves ? 0 : kCannotSave)));
        if (answer.handover) {
            put(answer.handover->released);
            put(answer.handover->until);
            put(answer.handover->checkpoint);
        }
        put(answer.marks);
    }
    void operator()(const Refusal& refusal) {
        type(Type::refusal);
        put(refusal.id);
        out_.u8(static_cast<std::uint8_t>(refusal.reason));
        put(refusal.granted);
        out_.u8(refusal.voters.next ? kNextList : 0);
        put(refusal.voters);
        put(refusal.marks);
    }
    void operator()(const Release& release) {
        type(Type::release);
        put(release.epoch);
        out_.u8(static_cast<std::uint8_t>((release.served ? kServed : 0) |
                                          (release.ordered ? kByOrder : 0)));
    }
    void operator()(const MarkRequest& request) {
        type(Type::mark_request);
        out_.u32(request.victim.value).bytes(request.boot.octets);
    }
    void operator()(const MarkAnswer& answer) {
        type(Type::mark_answer);
        out_.u32(answer.victim.value).bytes(answer.boot.octets);
        out_.u8(static_cast<std::uint8_t>((answer.run_out ? kRunOut : 0) |
                                          (answer.voters.next ? kNextList : 0)));
        put(answer.voters);
        put(answer.marks);
    }
    void operator()(const Recall&) { type(Type::recall); }
    void operator()(const Memory& memory) {
        type(Type::memory);
        out_.u64(memory.to.value);
        put(memory.granted);
        out_.u8(memory.voters.next ? kNextList : 0);
        put(memory.voters);
        put(memory.marks);
    }
    void operator()(const Question& question) {
        type(Type::question);
        put(question.id);
        out_.u8(question.voters.next ? kNextList : 0);
        put(question.voters);
        put(question.position.epoch);
        out_.u64(question.position.sequence);
        put(question.marks);
    }
    void operator()(const Opinion& opinion) {
        type(Type::opinion);
        put(opinion.id);
        out_.u8(static_cast<std::uint8_t>(opinion.verdict));
        put(opinion.granted);
        out_.u8(static_cast<std::uint8_t>((opinion.answered_ago ? kAnswered : 0) |
                                          (opinion.voters.next ? kNextList : 0)));
        if (opinion.answered_ago) {
            put(TimePoint(*opinion.answered_ago));
        }
        put(opinion.voters);
        put(opinion.marks);
    }

  private:
    void type(Type value) { out_.u8(static_cast<std::uint8_t>(value)); }
    void put(const Epoch& epoch) { out_.u64(epoch.number).u32(epoch.node.value); }
    void put(const RoundId& id) {
        put(id.epoch);
        out_.u64(id.instance.value).u64(id.number);
    }
    void put(TimePoint time) {
        out_.u64(static_cast<std::uint64_t>(time.time_since_epoch().count()));
    }
    void put(const Checkpoint& checkpoint) {
        put(checkpoint.epoch);
        out_.u64(checkpoint.sequence);
        put(checkpoint.taken_at);
    }
    void put(const VoterList& list) {
        put(list.version.epoch);
        out_.u32(list.version.change).u8(static_cast<std::uint8_t>(list.nodes.size()));
        for (const NodeId node : list.nodes) {
            out_.u32(node.value);
        }
    }
    void put(const Voters& voters) {
        put(voters.current);
        if (voters.next) {
            put(*voters.next);
        }
    }

    void put(const Marks& marks) {
        VPNHA_ASSERT(marks.size() <= kMarksMax);
        out_.u8(static_cast<std::uint8_t>(marks.size()));
        for (const Mark& mark : marks) {
            out_.u32(mark.node.value).bytes(mark.boot.octets);
        }
    }

    ByteWriter& out_;
};

class Reader {
  public:
    explicit Reader(ByteReader& in) : in_(in) {}

    BootId boot() {
        BootId boot;
        const ByteView octets = in_.take(boot.octets.size());
        std::copy(octets.begin(), octets.end(), boot.octets.begin());
        return boot;
    }
    Epoch epoch() {
        const std::uint64_t number = counter();
        return {number, NodeId{in_.u32()}};
    }
    // Adding one to it must never wrap around.
    std::uint64_t counter() {
        const std::uint64_t value = in_.u64();
        if (value > limits::kCounterMax) {
            in_.fail();
        }
        return value;
    }
    Message message() {
        switch (static_cast<Type>(in_.u8())) {
            case Type::hello:
                return hello();
            case Type::round:
                return round();
            case Type::answer:
                return answer();
            case Type::refusal:
                return refusal();
            case Type::release: {
                const Epoch released = epoch();
                const std::uint8_t known = flags(kServed | kByOrder);
                return Release{released, (known & kServed) != 0, (known & kByOrder) != 0};
            }
            case Type::mark_request: {
                const NodeId victim{in_.u32()};
                return MarkRequest{victim, boot()};
            }
            case Type::mark_answer:
                return mark_answer();
            case Type::recall:
                return Recall{};
            case Type::memory:
                return memory();
            case Type::question: {
                const RoundId id = round_id();
                const Voters list = voters((flags(kNextList) & kNextList) != 0);
                const Epoch of = epoch();
                const std::uint64_t sequence = counter();
                return Question{id, list, {of, sequence}, marks()};
            }
            case Type::opinion: {
                const RoundId id = round_id();
                const auto verdict = choice(Verdict::behind);
                const Epoch granted = epoch();
                const std::uint8_t known = flags(kAnswered | kNextList);
                const auto answered = (known & kAnswered) != 0
                                          ? std::optional(time().time_since_epoch())
                                          : std::nullopt;
                const Voters list = voters((known & kNextList) != 0);
                return Opinion{id, verdict, granted, list, marks(), answered};
            }
        }
        in_.fail();
        return Hello{};
    }

  private:
    std::uint8_t flags(std::uint8_t known) {
        const std::uint8_t value = in_.u8();
        if ((value & ~known) != 0) {
            in_.fail();
        }
        return value;
    }
    template <class Enum>
    Enum choice(Enum last) {
        const std::uint8_t value = in_.u8();
        if (value > static_cast<std::uint8_t>(last)) {
            in_.fail();
            return last;
        }
        return static_cast<Enum>(value);
    }
    Duration lease() {
        const Duration lease(static_cast<Duration::rep>(in_.u64()));
        if (lease <= Duration{} || lease > kLeaseMax) {
            in_.fail();
        }
        return lease;
    }
    // No clock runs for 292 years.
    TimePoint time() {
        const std::uint64_t value = in_.u64();
        if (value > limits::kCounterMax << 10) {
            in_.fail();
            return {};
        }
        return TimePoint(Duration(static_cast<Duration::rep>(value)));
    }
    Hello hello() {
        Hello hello;
        const std::uint8_t known = flags(kChallenge | kRepeated | kSentAt | kNeeds);
        if ((known & kChallenge) != 0) {
            hello.challenge = counter();
        }
        if ((known & kRepeated) != 0) {
            const Instance of{counter()};
            hello.repeated = Challenge{of, counter()};
        }
        if ((known & kSentAt) != 0) {
            hello.sent_at = time();
        }
        if ((known & kNeeds) != 0) {
            hello.needs = lease();
        }
        return hello;
    }
    RoundId round_id() {
        RoundId id;
        id.epoch = epoch();
        id.instance.value = counter();
        id.number = counter();
        return id;
    }
    Checkpoint checkpoint() {
        const Epoch of = epoch();
        const std::uint64_t sequence = counter();
        return {of, sequence, time()};
    }
    VoterList list() {
        VoterList list;
        list.version.epoch = epoch();
        list.version.change = in_.u32();
        const std::size_t count = std::min<std::size_t>(in_.u8(), kVotersMax + 1);
        for (std::size_t i = 0; i < count; ++i) {
            list.nodes.push_back(NodeId{in_.u32()});
        }
        return list;
    }
    Voters voters(bool with_next) {
        Voters voters{list(), std::nullopt};
        if (with_next) {
            voters.next = list();
        }
        if (!is_sound(voters)) {
            in_.fail();
        }
        return voters;
    }
    Marks marks() {
        Marks marks;
        const std::size_t count = in_.u8();
        if (count > kMarksMax) {
            in_.fail();
            return marks;
        }
        for (std::size_t i = 0; i < count; ++i) {
            const NodeId node{in_.u32()};
            marks.push_back({node, boot()});
        }
        return marks;
    }
    Round round() {
        Round round;
        round.id = round_id();
        round.sent_at = time();
        round.lease = lease();
        const std::uint8_t known = flags(kHeld | kNextList | kReleased | kOrdered);
        round.held = (known & kHeld) != 0;
        round.ordered = (known & kOrdered) != 0;
        round.voters = voters((known & kNextList) != 0);
        if ((known & kReleased) != 0) {
            round.released = epoch();
        }
        round.checkpoint = checkpoint();
        if (!round.held) {
            round.in_vain = time().time_since_epoch();
        }
        round.marks = marks();
        return round;
    }
    Answer answer() {
        Answer answer;
        answer.id = round_id();
        answer.before.knowledge = choice(Knowledge::lost);
        if (answer.before.knowledge == Knowledge::received) {
            Received& received = answer.before.received;
            received.epoch = epoch();
            received.number = counter();
            received.until = time();
            received.held = flags(1) != 0;
            received.checkpoint = checkpoint();
        }
        answer.before.elsewhere = epoch();
        const std::uint8_t known = flags(kHandover | kCannotSave);
        answer.saves = (known & kCannotSave) == 0;
        if ((known & kHandover) != 0) {
            const Epoch released = epoch();
            const TimePoint until = time();
            answer.handover = Handover{released, until, checkpoint()};
        }
        answer.marks = marks();
        return answer;
    }
    MarkAnswer mark_answer() {
        MarkAnswer answer;
        answer.victim.value = in_.u32();
        answer.boot = boot();
        const std::uint8_t known = flags(kRunOut | kNextList);
        answer.run_out = (known & kRunOut) != 0;
        answer.voters = voters((known & kNextList) != 0);
        answer.marks = marks();
        return answer;
    }
    Refusal refusal() {
        Refusal refusal;
        refusal.id = round_id();
        refusal.reason = choice(Verdict::cannot_save);
        if (refusal.reason == Verdict::answered) {
            in_.fail();
        }
        refusal.granted = epoch();
        refusal.voters = voters((flags(kNextList) & kNextList) != 0);
        refusal.marks = marks();
        return refusal;
    }
    Memory memory() {
        Memory memory;
        memory.to.value = counter();
        memory.granted = epoch();
        memory.voters = voters((flags(kNextList) & kNextList) != 0);
        memory.marks = marks();
        return memory;
    }

    ByteReader& in_;
};

// A round or question has an epoch of its sender.
bool epoch_is_the_senders(const Datagram& datagram) {
    const auto* round = std::get_if<Round>(&datagram.message);
    const auto* question = std::get_if<Question>(&datagram.message);
    const RoundId* const id = round != nullptr      ? &round->id
                              : question != nullptr ? &question->id
                                                    : nullptr;
    return id == nullptr ||
           (id->epoch.node == datagram.sender.node && id->instance == datagram.sender.instance);
}

}  // namespace

Bytes encode(const Datagram& datagram, const LeaseKey& key) {
    ByteWriter out;
    out.bytes(to_bytes(kMagic)).u8(kVersion).u8(datagram.gateway.value);
    out.u32(datagram.sender.node.value).bytes(datagram.sender.boot.octets);
    out.u64(datagram.sender.instance.value).u64(datagram.sequence);
    std::visit(Writer(out), datagram.message);
    std::array<std::uint8_t, kTagBytes> tag{};
    crypto_auth(tag.data(), out.view().data(), out.view().size(), key.octets().data());
    out.bytes(tag);
    return std::move(out).take();
}

Result<Datagram> parse_datagram(ByteView bytes, const LeaseKey& key) {
    if (bytes.size() < kTagBytes) {
        return fail(Errc::malformed, fmt::format("a lease datagram of {} bytes", bytes.size()));
    }
    const ByteView covered = bytes.first(bytes.size() - kTagBytes);
    if (crypto_auth_verify(bytes.last(kTagBytes).data(), covered.data(), covered.size(),
                           key.octets().data()) != 0) {
        return fail(Errc::permission, "a lease datagram that is not of this cluster's key");
    }
    ByteReader in(covered);
    if (to_text(in.take(kMagic.size())) != kMagic) {
        return fail(Errc::malformed, "a lease datagram without its magic");
    }
    if (const std::uint8_t version = in.u8(); in.ok() && version != kVersion) {
        return fail(Errc::unsupported, fmt::format("lease datagrams of version {}; this node "
                                                   "speaks {}",
                                                   version, kVersion));
    }
    Datagram datagram;
    Reader reader(in);
    datagram.gateway.value = in.u8();
    datagram.sender.node.value = in.u32();
    datagram.sender.boot = reader.boot();
    datagram.sender.instance.value = reader.counter();
    datagram.sequence = reader.counter();
    datagram.message = reader.message();
    if (!in.finished() || datagram.gateway == GatewayId{} || datagram.sender.node == NodeId{} ||
        !epoch_is_the_senders(datagram)) {
        return fail(Errc::malformed, fmt::format("a malformed lease datagram of node {}",
                                                 datagram.sender.node.value));
    }
    return datagram;
}

}  // namespace vpnha::lease
