// SPDX-License-Identifier: GPL-2.0-or-later
// What goes to systemd, as sockets of this test receive it.
#include "host/systemd/journal.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "host/os/log.hpp"
#include "support/contents_of.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace journal_test {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr int kPatienceMs = 10'000;

class Receiver {
  public:
    explicit Receiver(std::string path)
        : path_(std::move(path)), fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        std::ranges::copy(path_, name.sun_path);
        EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
    }
    ~Receiver() { ::unlink(path_.c_str()); }
    Receiver(const Receiver&) = delete;
    Receiver& operator=(const Receiver&) = delete;

    // Empty: nothing came in time.
    [[nodiscard]] std::string next(int patience_ms = kPatienceMs) const {
        pollfd ready{fd_.get(), POLLIN, 0};
        if (::poll(&ready, 1, patience_ms) != 1) {
            return {};
        }
        std::array<char, 4096> octets{};
        const ssize_t got = ::recv(fd_.get(), octets.data(), octets.size(), 0);
        return {octets.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
    }

  private:
    std::string path_;
    UniqueFd fd_;
};

TEST(JournalTest, ALineWithAnEventHasFields) {
    EXPECT_EQ(journal_entry(LogLevel::warning,
                            "session lost event=lost gateway=dialin epoch=3.1 session=0123456789ab "
                            "192.0.2.1:1701: no room"),
              "MESSAGE=session lost event=lost gateway=dialin epoch=3.1 session=0123456789ab "
              "192.0.2.1:1701: no room\n"
              "PRIORITY=4\nSYSLOG_IDENTIFIER=vpnhad\nEVENT=lost\nMESSAGE_ID=" +
                  message_id("lost") + "\nGATEWAY=dialin\nSESSION=0123456789ab\n");
}

TEST(JournalTest, AnyOtherLineIsAMessage) {
    EXPECT_EQ(journal_entry(LogLevel::info, "nothing of note"),
              "MESSAGE=nothing of note\nPRIORITY=6\nSYSLOG_IDENTIFIER=vpnhad\n");
}

// The other form of a field: its length in 64 bits, the lowest octet first.
TEST(JournalTest, SeveralLinesAreOneEntry) {
    EXPECT_THAT(journal_entry(LogLevel::error, "a\nb"),
                StartsWith(std::string("MESSAGE\n\x03\0\0\0\0\0\0\0a\nb\nPRIORITY=3\n", 28)));
}

TEST(JournalTest, TheCatalogueHasEachId) {
    const std::string catalogue = contents_of(VPNHA_CATALOG);
    for (const char* const word : {"promoted", "stand-in", "journal-limited", "config-changed"}) {
        EXPECT_THAT(catalogue, HasSubstr(fmt::format("\n-- {}\nSubject: vpnhad: {} @GATEWAY@\n",
                                                     message_id(word), word)));
    }
}

class JournalSocketTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(open_log("info", file_).has_value());
        ASSERT_TRUE(log_to_journal(path_).has_value());
    }
    void TearDown() override {
        close_log();
        ::unlink(file_.c_str());
    }
    std::string file_ = temporary_path("journal.log");
    std::string path_ = temporary_path("journal.socket");
    Receiver journal_{path_};
};

TEST_F(JournalSocketTest, WhatIsLoggedComesThere) {
    write_log(LogLevel::debug, "below the level");
    write_log(LogLevel::info, "now promoted event=promoted gateway=dialin");
    EXPECT_THAT(journal_.next(), StartsWith("MESSAGE=now promoted event=promoted"));
    close_log();
    EXPECT_THAT(contents_of(file_), HasSubstr("now promoted"));
    write_log(LogLevel::info, "behind its end");
    EXPECT_EQ(journal_.next(0), "");
}

TEST_F(JournalSocketTest, OfABurstTheRestIsInTheFileAlone) {
    constexpr int kLines = 5000;
    for (int line = 0; line < kLines; ++line) {
        write_log(LogLevel::info, fmt::format("line {}", line));
    }
    int came = 0;
    while (journal_.next(came < 2000 ? kPatienceMs : 0).starts_with("MESSAGE=line")) {
        ++came;
    }
    EXPECT_GE(came, 2000);
    EXPECT_LT(came, kLines);
    close_log();
    EXPECT_THAT(contents_of(file_), HasSubstr("line 4999"));
}

TEST(JournalTest, WithoutAJournalThereIsAnError) {
    const std::string nowhere = temporary_path("nowhere");
    const Result<void> logged = log_to_journal(nowhere);
    ASSERT_FALSE(logged);
    EXPECT_THAT(logged.error().detail, HasSubstr(nowhere));
    EXPECT_FALSE(log_to_journal(std::string(200, 'x')));
}

}  // namespace journal_test
}  // namespace vpnha::adapters
