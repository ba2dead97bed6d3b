// SPDX-License-Identifier: GPL-2.0-or-later
// The start keys of MPPE on their way from the loop to a call of carry-calls, and what is left of
// them when the call is gone: a process does the work of both, and this one looks into its memory.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "host/helper/message_socket.hpp"
#include "protocols/pptp/backend/path_mailbox.hpp"
#include "protocols/pptp/backend/path_message.hpp"
#include "support/memory_of.hpp"
#include "support/sample_call.hpp"

namespace vpnha::adapters {
namespace call_keys_test {

constexpr int kCalls = 5;
constexpr std::uint64_t kPackets = 10;

// Octet by octet: no copy is left but the one that is asked for.
void make_key(std::uint64_t seed, mppe::Key& key) {
    for (std::uint8_t& octet : key) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        octet = static_cast<std::uint8_t>(seed >> 56);
    }
}

// The other end looks now.
void step(int socket) {
    char word = 0;
    if (::send(socket, "x", 1, MSG_NOSIGNAL) != 1 || ::recv(socket, &word, 1, 0) != 1) {
        ::_exit(1);
    }
}

void carry(int socket, std::uint64_t seed) {
    PathMailbox mailbox(UniqueFd(::eventfd(0, 0)), UniqueFd(::eventfd(0, 0)));
    for (int i = 0; i < kCalls; ++i) {
        DataPath::Prepare prepare{
            {GatewayId{7}, pptp::test::sample_call(), {}, 1}, pptp::StartKeys{}, 0};
        make_key(seed, prepare.keys->send);
        make_key(seed + 1, prepare.keys->receive);
        mailbox.post(std::move(prepare));
    }
    step(socket);
    auto ends = MessageSocket::make_pair();
    if (!ends) {
        ::_exit(1);
    }
    MessageSocket vpnhad(std::move(ends->first), MessageSocket::Descriptors::refused);
    MessageSocket program(std::move(ends->second), MessageSocket::Descriptors::taken);
    for (const DataPath::Command& command : mailbox.take_commands()) {
        const auto& prepare = std::get<DataPath::Prepare>(command);
        const PathPrepare order{1, GatewayId{7}, prepare.call.record, {}, prepare.keys};
        if (!vpnhad.post(encode_order(order))) {
            ::_exit(1);
        }
    }
    pptp::CallCounters counters;
    int calls = 0;
    const auto on_order = [&](ByteView message, std::span<UniqueFd>) -> Result<void> {
        VPNHA_TRY(const PathOrder order, parse_order(message));
        const auto& prepare = std::get<PathPrepare>(order);
        pptp::ResumedCall call(prepare.record, prepare.keys, counters);
        call.set_numbers({.mppe_out = kPackets, .mppe_in = kPackets}, TimePoint{});
        static_cast<void>(call.catch_up(100));
        ++calls;
        return {};
    };
    if (!program.receive(kCalls, on_order) || calls != kCalls) {
        ::_exit(1);
    }
    step(socket);
}

TEST(CallKeysTest, NothingIsLeftOfTheStartKeysOfACallThatIsGone) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
    const std::uint64_t seed = static_cast<std::uint64_t>(::getpid()) << 32 | 0x5eed;
    const pid_t process = ::fork();
    if (process == 0) {
        ::close(ends[0]);
        carry(ends[1], seed);
        ::_exit(0);
    }
    ::close(ends[1]);
    pptp::StartKeys keys;
    make_key(seed, keys.send);
    make_key(seed + 1, keys.receive);
    const auto traces = [&] {
        return traces_in_process(process, keys.send) + traces_in_process(process, keys.receive);
    };
    // Of the last packet that catch_up() made a key for.
    mppe::KeyChain chain(mppe::Strength::bits128, keys.send);
    while (chain.next() < kPackets) {
        chain.step();
    }
    char word = 0;
    ASSERT_EQ(::recv(ends[0], &word, 1, 0), 1);
    EXPECT_GE(traces(), std::size_t{2} * kCalls) << "what is looked for is found";
    ASSERT_EQ(::send(ends[0], "x", 1, MSG_NOSIGNAL), 1);
    ASSERT_EQ(::recv(ends[0], &word, 1, 0), 1);
    EXPECT_EQ(traces(), 0U);
    EXPECT_EQ(traces_in_process(process, chain.key()), 0U);
    ASSERT_EQ(::send(ends[0], "x", 1, MSG_NOSIGNAL), 1);
    ::close(ends[0]);
    int status = -1;
    EXPECT_EQ(::waitpid(process, &status, 0), process);
    EXPECT_EQ(status, 0);
}

}  // namespace call_keys_test
}  // namespace vpnha::adapters
