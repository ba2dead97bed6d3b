// SPDX-License-Identifier: GPL-2.0-or-later
// A secret on its way from one vpnhad to another, and who finds it where: a process does with it
// what vpnhads do, by a real corosync, and this one looks into the memory of both, and into the
// shared memory between them. It makes the secret after the fork, so that nobody has it by
// heritage.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <functional>
#include <thread>

#include "cluster/wire/codec.hpp"
#include "host/corosync/corosync_group.hpp"
#include "host/os/qb_loop.hpp"
#include "host/secrets/secret_box.hpp"
#include "support/memory_of.hpp"
#include "unit/cluster/replica/group.hpp"
#include "unit/host/corosync/own_corosync.hpp"

namespace vpnha::adapters {
namespace secret_memory_test {

using namespace std::chrono_literals;

constexpr std::size_t kSecretBytes = 200;
constexpr std::string_view kContext = "an IKE SA";
constexpr auto kSoon = 20s;

// Octet by octet: no copy of it is left but the one that is asked for.
void make_secret(std::uint64_t seed, std::span<std::uint8_t> out) {
    for (std::uint8_t& octet : out) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        octet = static_cast<std::uint8_t>(seed >> 56);
    }
}

// What the process stops at; its corosync ends with it.
struct Ended {};

// One end of the talk between the process and who looks into it: at each step it stands still.
class Talk {
  public:
    explicit Talk(int socket) : socket_(socket) {}
    void send(ByteView bytes) const {
        EXPECT_EQ(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(bytes.size()));
    }
    // Empty: the other one has ended.
    [[nodiscard]] Bytes receive() const {
        Bytes bytes(4096);
        const ssize_t got = ::recv(socket_, bytes.data(), bytes.size(), 0);
        bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
        return bytes;
    }
    // Of the process: shows a step, and waits until it was looked at.
    void step(std::string_view name) const {
        send(to_bytes(name));
        if (receive().empty() || ::testing::Test::HasFailure()) {
            throw Ended();
        }
    }

  private:
    int socket_;
};

// The group of all vpnhads, of which this process is the only member.
class Cluster {
  public:
    Cluster()
        : corosync_("    crypto_cipher: aes256\n    crypto_hash: sha256\n",
                    "    provider: corosync_votequorum\n") {
        const auto until = QbLoop::now() + kSoon;
        while (!group_ && QbLoop::now() < until) {
            auto joined =
                CorosyncGroup::join(loop_, "vpnha",
                                    {.on_members = [](const std::set<NodeId>&, bool) {},
                                     .on_message =
                                         [this](NodeId, ByteView bytes) {
                                             delivered_.assign(bytes.begin(), bytes.end());
                                             loop_.stop();
                                         },
                                     .on_process_died = [](NodeId) {},
                                     .on_lost = [] { FAIL() << "corosync ended"; }});
            if (joined) {
                group_ = std::move(*joined);
            }
            std::this_thread::yield();
        }
        EXPECT_TRUE(group_);
    }

    // As all members get it.
    Bytes deliver(const Bytes& message) {
        const std::function<void()> send = [&] {
            if (const auto sent = group_->send(message); sent && !*sent) {
                loop_.set_timer(1, QbLoop::now() + 5ms, send);
            }
        };
        send();
        loop_.run();
        return delivered_;
    }

  private:
    testing::OwnCorosync corosync_;
    QbLoop loop_;
    std::unique_ptr<CorosyncGroup> group_;
    Bytes delivered_;
};

Bytes sealed_secret(const SecretBox& box, std::uint64_t seed, const Talk& talk) {
    auto plain = SecretBytes::with_room(kSecretBytes);
    EXPECT_TRUE(plain);
    make_secret(seed, plain->room());
    plain->take(kSecretBytes);
    talk.step("collected");
    const auto sealed = box.seal(to_bytes(kContext), plain->view());
    EXPECT_TRUE(sealed);
    return *sealed;
}

// What vpnhad of the holder and that of a standby do.
void replicate(const Talk& talk) {
    const Bytes recipe = talk.receive();
    ByteReader reader{ByteView(recipe)};
    const std::uint64_t seed = reader.u64();
    const auto box = SecretBox::make("the key of the cluster");
    EXPECT_TRUE(box);
    Cluster cluster;
    replica::Group group;
    group.kernels_answer = false;
    group.join(1);
    group.join(2);
    group.promote(1);

    const Bytes sealed = sealed_secret(*box, seed, talk);
    talk.step("sealed");
    EXPECT_TRUE(group.at(1).publish(replica::key(7), sealed));
    group.run(NodeId{1}, group.at(1).flush(group.now()));
    for (auto& [sender, message] : group.queue()) {
        auto delivered =
            wire::Dialects().parse(cluster.deliver(wire::Dialects().encode(message, 1)));
        EXPECT_TRUE(delivered);
        message = std::move(*delivered);
    }
    group.settle();
    talk.send(sealed);
    talk.step("replicated");

    EXPECT_EQ(group.installing.size(), 1U);
    const SmallBytes& record = group.installing.front().second.payload;
    {
        auto plain = SecretBytes::with_room(kSecretBytes);
        EXPECT_TRUE(plain);
        EXPECT_TRUE(box->open(to_bytes(kContext), {record.data(), record.size()}, *plain));
        talk.step("opened");
    }
    talk.step("installed");
}

// The process and the corosync that it started.
std::vector<pid_t> with_children(pid_t process) {
    const std::string id = std::to_string(process);
    std::ifstream file("/proc/" + id + "/task/" + id + "/children");
    std::vector<pid_t> all{process};
    for (pid_t child = 0; file >> child;) {
        all.push_back(child);
    }
    return all;
}

class Search {
  public:
    explicit Search(pid_t process) : all_(with_children(process)) {
        shared_ = "/proc/" + std::to_string(process) + "/root/dev/shm";
    }
    [[nodiscard]] std::size_t in_memory(ByteView wanted) const {
        std::size_t count = 0;
        for (const pid_t each : all_) {
            count += traces_in_process(each, wanted);
        }
        return count;
    }
    [[nodiscard]] std::size_t in_shared_memory(ByteView wanted) const {
        return traces_in_files(shared_, wanted);
    }
    [[nodiscard]] std::size_t processes() const { return all_.size(); }

  private:
    std::vector<pid_t> all_;
    std::string shared_;
};

TEST(SecretMemoryTest, ASecretIsFoundNowhereBetweenItsCollectorAndItsInstaller) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
    const pid_t process = ::fork();
    if (process == 0) {
        ::close(ends[0]);
        try {
            replicate(Talk(ends[1]));
        } catch (const Ended&) {
            ::_exit(1);
        }
        ::_exit(0);
    }
    ::close(ends[1]);
    const Talk talk(ends[0]);
    const std::uint64_t seed = static_cast<std::uint64_t>(::getpid()) << 32 | 0x5eed;
    talk.send(std::move(ByteWriter().u64(seed)).take());
    Bytes secret(kSecretBytes);
    make_secret(seed, secret);
    const std::size_t once = traces_in(secret, secret);
    const auto expect_step = [&talk](std::string_view name) {
        ASSERT_EQ(to_text(talk.receive()), name);
    };
    const auto proceed = [&talk] { talk.send(to_bytes("seen")); };

    expect_step("collected");
    const Search search(process);
    EXPECT_EQ(search.processes(), 2U);
    EXPECT_EQ(search.in_memory(secret), once);
    proceed();
    expect_step("sealed");
    EXPECT_EQ(search.in_memory(secret), 0U);
    proceed();
    const Bytes sealed = talk.receive();
    ASSERT_EQ(sealed.size(), kSecretBytes + SecretBox::kOverhead);
    expect_step("replicated");
    EXPECT_EQ(search.in_memory(secret), 0U);
    EXPECT_EQ(search.in_shared_memory(secret), 0U);
    // Of both replicas, and of the messages: what is looked for is found.
    EXPECT_GE(search.in_memory(sealed), 2 * traces_in(sealed, sealed));
    EXPECT_GE(search.in_shared_memory(sealed), traces_in(sealed, sealed));
    proceed();
    expect_step("opened");
    EXPECT_EQ(search.in_memory(secret), once);
    proceed();
    expect_step("installed");
    EXPECT_EQ(search.in_memory(secret), 0U);
    proceed();

    ::close(ends[0]);
    int status = -1;
    EXPECT_EQ(::waitpid(process, &status, 0), process);
    EXPECT_EQ(status, 0);
}

}  // namespace secret_memory_test
}  // namespace vpnha::adapters
