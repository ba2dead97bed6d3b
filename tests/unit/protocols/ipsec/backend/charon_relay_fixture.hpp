// SPDX-License-Identifier: GPL-2.0-or-later
// A charon of the test's own, in a network namespace of the test's own. Unless a test is about
// that, it is empty: open() waits until vpnhad has found that out.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "protocols/ipsec/backend/charon_relay.hpp"
#include "protocols/ipsec/service/charon_guard.hpp"
#include "support/temporary_path.hpp"
#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {
namespace charon_relay_test {

using ipsec::HaTag;
using ipsec::HaType;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

inline const std::string kPsk = "the pre-shared key";

inline CharonSecrets secrets(std::string_view key = "a cluster's key") {
    auto box = SecretBox::make(key);
    EXPECT_TRUE(box) << box.error().detail;
    return CharonSecrets(std::move(*box));
}

inline Bytes about(HaType type, std::uint64_t number,
                   const std::vector<ipsec::Attribute>& more = {}) {
    ByteWriter id;
    id.u8(2).u64(number).u64(~number).u8(0);
    std::vector<ipsec::Attribute> attributes{{HaTag::ike_id, id.view()}};
    attributes.insert(attributes.end(), more.begin(), more.end());
    return ipsec::build_ha_message(type, attributes);
}

inline Bytes ike_add(std::uint64_t number, std::size_t dh_bytes = 256) {
    const Bytes dh(dh_bytes, 0x5a);
    const Bytes iv{1, 2, 3, 4};
    return about(HaType::ike_add, number,
                 {{HaTag::iv, iv}, {HaTag::psk, to_bytes(kPsk)}, {HaTag::local_dh, dh}});
}

// STATUS, RESYNC, SEGMENT_TAKE, SEGMENT_DROP.
inline Bytes between_nodes(HaType type, bool with_segment = false) {
    const Bytes segment{0, 1};
    const std::vector<ipsec::Attribute> attributes{{HaTag::segment, segment}};
    return ipsec::build_ha_message(type,
                                   with_segment ? attributes : std::vector<ipsec::Attribute>());
}

// A charon with its ha plugin's socket and fifo.
class FakeCharon {
  public:
    explicit FakeCharon(uid_t uid = 0) {
        EXPECT_EQ(seteuid(uid), 0);
        fd_.reset(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        EXPECT_EQ(seteuid(0), 0);
        const sockaddr_in own = at("127.0.0.1");
        const sockaddr_in other = at("127.0.0.2");
        EXPECT_EQ(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
        EXPECT_EQ(connect(fd_.get(), reinterpret_cast<const sockaddr*>(&other), sizeof other), 0);
    }
    void emit(const Bytes& message) const {
        EXPECT_EQ(send(fd_.get(), message.data(), message.size(), 0),
                  static_cast<ssize_t>(message.size()));
    }
    // All that is in its queue.
    std::vector<Bytes> received() const {
        std::vector<Bytes> messages;
        for (;;) {
            Bytes message(16384);
            const ssize_t got = recv(fd_.get(), message.data(), message.size(), 0);
            if (got < 0) {
                return messages;
            }
            message.resize(static_cast<std::size_t>(got));
            messages.push_back(std::move(message));
        }
    }
    void shrink_queue() const {
        const int bytes = 4096;
        EXPECT_EQ(setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes), 0);
    }

    static sockaddr_in at(const char* address) {
        sockaddr_in result{};
        result.sin_family = AF_INET;
        result.sin_port = htons(4510);
        inet_pton(AF_INET, address, &result.sin_addr);
        return result;
    }

  private:
    UniqueFd fd_;
};

inline void bind_at(const UniqueFd& fd, const char* address) {
    const sockaddr_in own = FakeCharon::at(address);
    ASSERT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
}

class CharonRelayTest : public ::testing::Test {
  protected:
    void SetUp() override {
        testing::Namespace::enter_new();
        ASSERT_EQ(mkfifo(fifo_.c_str(), 0600), 0);
        ASSERT_TRUE(guard_charon());
        open();
    }
    void TearDown() override { unlink(fifo_.c_str()); }
    void open(CharonSecrets with = secrets()) {
        relay_.reset();
        CharonRelayOptions options;
        options.look_timer = 11;
        options.feed_timer = 12;
        options.turn_timer = 13;
        options.fifo = fifo_;
        options.list_sas = [this]() -> Result<std::vector<ipsec::IkeId>> {
            const std::lock_guard<std::mutex> lock(mutex_);
            ++listings_;
            return has_;
        };
        options.guard = [this]() -> Result<void> {
            ++guards_;
            return guard_charon();
        };
        options.end =
            [this](const std::vector<ipsec::IkeKey>& sas) -> Result<std::vector<ipsec::IkeKey>> {
            const std::lock_guard<std::mutex> lock(mutex_);
            std::vector<ipsec::IkeKey> absent = sas;
            for (const ipsec::IkeId& id : has_) {
                std::erase(absent, id.key);
            }
            return absent;
        };
        options.end_half_open = [this]() -> Result<void> {
            ++clearings_;
            return {};
        };
        auto relay = CharonRelay::open(
            loop_, options, std::move(with),
            {.on_emitted =
                 [this](ByteView message) {
                     emitted_.emplace_back(message.begin(), message.end());
                 },
             .on_fresh =
                 [this](std::uint8_t version) {
                     news_.push_back(version == ipsec::kHaVersion
                                         ? "fresh"
                                         : "fresh of " + std::to_string(version));
                 },
             .on_turned =
                 [this](bool active) { news_.emplace_back(active ? "active" : "passive"); },
             .on_fed =
                 [this](std::uint64_t ticket, const Result<void>& result) {
                     news_.push_back("fed " + std::to_string(ticket) +
                                     (result ? "" : ": " + result.error().detail));
                 },
             .on_gone = [this] { news_.emplace_back("gone"); }});
        ASSERT_TRUE(relay) << relay.error().detail;
        relay_ = std::move(*relay);
        run();
        EXPECT_THAT(news(), ElementsAre("gone"));
    }
    // As a charon does a second after its start.
    void become_known(const FakeCharon& charon) {
        charon.emit(between_nodes(HaType::resync));
        ASSERT_TRUE(runs_until([this] { return !news_.empty(); }));
        EXPECT_THAT(news(), ElementsAre("fresh"));
    }
    void let_have(std::vector<ipsec::IkeId> sas) {
        const std::lock_guard<std::mutex> lock(mutex_);
        has_ = std::move(sas);
    }
    void run(Duration pause = std::chrono::milliseconds(20)) {
        loop_.set_timer(1, QbLoop::now() + pause, [this] { loop_.stop(); });
        loop_.run();
    }
    template <class Condition>
    [[nodiscard]] bool runs_until(const Condition& condition) {
        const TimePoint until = QbLoop::now() + std::chrono::seconds(10);
        while (!condition() && QbLoop::now() < until) {
            run(std::chrono::milliseconds(2));
        }
        return condition();
    }
    // The next one starts with nothing.
    std::vector<std::string> news() { return std::exchange(news_, {}); }
    // What the fifo was told; it is open for one command, like charon's.
    class Fifo {
      public:
        explicit Fifo(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_NONBLOCK)) {}
        [[nodiscard]] std::string notified() const {
            std::array<char, 8> text{};
            const ssize_t got = read(fd_.get(), text.data(), text.size());
            return {text.data(), got < 0 ? 0 : static_cast<std::size_t>(got)};
        }

      private:
        UniqueFd fd_;
    };

    std::mutex mutex_;
    std::vector<ipsec::IkeId> has_;  // What charon would list.
    int listings_ = 0;
    int guards_ = 0;
    std::atomic<int> clearings_ = 0;  // Of what was half open.
    std::string fifo_ = temporary_path("charon.ha");
    QbLoop loop_;
    std::vector<Bytes> emitted_;
    std::vector<std::string> news_;
    std::unique_ptr<CharonRelay> relay_;
};

}  // namespace charon_relay_test
}  // namespace vpnha::adapters
