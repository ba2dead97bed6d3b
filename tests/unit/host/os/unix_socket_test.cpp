// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/unix_socket.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <future>
#include <vector>

#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace unix_socket_test {

UnixListenerOptions options_for(const std::string& name) {
    return {temporary_path(name), SOCK_STREAM, 0660, std::nullopt};
}

UniqueFd connected(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
    EXPECT_EQ(::connect(fd.get(), generic, sizeof(address)), 0);
    return fd;
}

TEST(UnixListenerTest, FileHasItsModeWhateverTheUmask) {
    const UnixListenerOptions options = options_for("mode.sock");
    const mode_t before = ::umask(0077);
    const Result<UnixListener> listener = UnixListener::open(options);
    ::umask(before);
    ASSERT_TRUE(listener.has_value()) << listener.error().detail;
    struct stat status {};
    ASSERT_EQ(::lstat(options.path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0660U);
}

TEST(UnixListenerTest, RefusesToStartWhileAnotherAnswers) {
    const UnixListenerOptions options = options_for("second.sock");
    const Result<UnixListener> first = UnixListener::open(options);
    ASSERT_TRUE(first.has_value());
    const Result<UnixListener> second = UnixListener::open(options);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, Errc::already_exists);
    connected(options.path);  // The first one is as it was.
    EXPECT_TRUE(first->accept().has_value());
}

TEST(UnixListenerTest, RefusesToStartWhileAnotherAnswersWithAnotherType) {
    UnixListenerOptions options = options_for("type.sock");
    const Result<UnixListener> first = UnixListener::open(options);
    ASSERT_TRUE(first.has_value());
    options.type = SOCK_SEQPACKET;
    EXPECT_FALSE(UnixListener::open(options).has_value());
}

// Bound and closed without unlinking, as a killed process leaves it.
void leave_stale(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    const UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
    ASSERT_EQ(::bind(dead.get(), generic, sizeof(address)), 0);
}

TEST(UnixListenerTest, ReplacesTheFileOfADeadDaemon) {
    const UnixListenerOptions options = options_for("stale.sock");
    leave_stale(options.path);
    const Result<UnixListener> listener = UnixListener::open(options);
    ASSERT_TRUE(listener.has_value()) << listener.error().detail;
    connected(options.path);
}

// Two agents that start vpnhad at once behind its death: the second must not take the first one's
// file for the dead one's.
TEST(UnixListenerTest, OfManyThatReplaceADeadDaemonsFileOneDoes) {
    const UnixListenerOptions options = options_for("race.sock");
    for (int round = 0; round < 50; ++round) {
        leave_stale(options.path);
        std::vector<std::future<Result<UnixListener>>> starts;
        for (int n = 0; n < 8; ++n) {
            starts.push_back(
                std::async(std::launch::async, [&options] { return UnixListener::open(options); }));
        }
        std::vector<UnixListener> opened;
        for (auto& start : starts) {
            if (Result<UnixListener> listener = start.get()) {
                opened.push_back(std::move(*listener));
            }
        }
        ASSERT_EQ(opened.size(), 1U);
        connected(options.path);
        EXPECT_TRUE(opened.front().accept().has_value());
    }
}

TEST(UnixListenerTest, LeavesAFileThatIsNoSocketAlone) {
    const UnixListenerOptions options = options_for("file.sock");
    std::ofstream(options.path) << "precious";
    EXPECT_FALSE(UnixListener::open(options).has_value());
    EXPECT_TRUE(std::ifstream(options.path).good());
    ::unlink(options.path.c_str());
}

TEST(UnixListenerTest, TakesItsFileWithItButNotASuccessors) {
    const UnixListenerOptions options = options_for("gone.sock");
    { const Result<UnixListener> listener = UnixListener::open(options); }
    EXPECT_NE(::access(options.path.c_str(), F_OK), 0);
    {
        const Result<UnixListener> listener = UnixListener::open(options);
        ::unlink(options.path.c_str());
        std::ofstream(options.path) << "successor";
    }
    EXPECT_EQ(::access(options.path.c_str(), F_OK), 0);
    ::unlink(options.path.c_str());
}

TEST(UnixListenerTest, RefusesAPathThatTheKernelWouldCut) {
    UnixListenerOptions options = options_for(std::string(200, 'x'));
    EXPECT_FALSE(UnixListener::open(options).has_value());
    options.path.clear();
    EXPECT_FALSE(UnixListener::open(options).has_value());
}

TEST(PeerCredentialsTest, AreThoseOfTheOtherEnd) {
    const UnixListenerOptions options = options_for("peer.sock");
    const Result<UnixListener> listener = UnixListener::open(options);
    ASSERT_TRUE(listener.has_value());
    const UniqueFd client = connected(options.path);
    const std::optional<UniqueFd> connection = listener->accept();
    ASSERT_TRUE(connection.has_value());
    const Result<PeerCredentials> peer = peer_credentials(connection->get());
    ASSERT_TRUE(peer.has_value()) << peer.error().detail;
    EXPECT_EQ(peer->pid, ::getpid());
    EXPECT_EQ(peer->uid, ::getuid());
    EXPECT_TRUE(peer->is_in(::getgid()));
    EXPECT_FALSE(peer->is_in(54'321));
}

}  // namespace unix_socket_test
}  // namespace vpnha::adapters
