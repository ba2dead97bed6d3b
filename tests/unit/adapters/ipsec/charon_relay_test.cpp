// SPDX-License-Identifier: GPL-2.0-or-later
// A charon of the test's own, in a network namespace of the test's own.
#include "adapters/ipsec/charon_relay.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "support/temporary_path.hpp"
#include "unit/adapters/addresses/two_hosts.hpp"

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

constexpr CharonRelayOptions kTimers{.look_timer = 11, .feed_timer = 12, .turn_timer = 13};
const std::string kPsk = "the pre-shared key";

CharonSecrets secrets(std::string_view key = "a cluster's key") {
    auto box = SecretBox::make(key);
    EXPECT_TRUE(box) << box.error().detail;
    return CharonSecrets(std::move(*box));
}

Bytes about(HaType type, std::uint64_t number, const std::vector<ipsec::Attribute>& more = {}) {
    ByteWriter id;
    id.u8(2).u64(number).u64(~number).u8(0);
    std::vector<ipsec::Attribute> attributes{{HaTag::ike_id, id.view()}};
    attributes.insert(attributes.end(), more.begin(), more.end());
    return ipsec::build_ha_message(type, attributes);
}

Bytes ike_add(std::uint64_t number, std::size_t dh_bytes = 256) {
    const Bytes dh(dh_bytes, 0x5a);
    const Bytes iv{1, 2, 3, 4};
    return about(HaType::ike_add, number,
                 {{HaTag::iv, iv}, {HaTag::psk, to_bytes(kPsk)}, {HaTag::local_dh, dh}});
}

// STATUS, RESYNC, SEGMENT_TAKE, SEGMENT_DROP.
Bytes between_nodes(HaType type, bool with_segment = false) {
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
    void say(const Bytes& message) const {
        EXPECT_EQ(send(fd_.get(), message.data(), message.size(), 0),
                  static_cast<ssize_t>(message.size()));
    }
    // All that is in its queue.
    std::vector<Bytes> heard() const {
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

  private:
    static sockaddr_in at(const char* address) {
        sockaddr_in result{};
        result.sin_family = AF_INET;
        result.sin_port = htons(4510);
        inet_pton(AF_INET, address, &result.sin_addr);
        return result;
    }
    UniqueFd fd_;
};

class CharonRelayTest : public ::testing::Test {
  protected:
    void SetUp() override {
        testing::Namespace::enter_new();
        ASSERT_EQ(mkfifo(fifo_.c_str(), 0600), 0);
        open();
    }
    void TearDown() override { unlink(fifo_.c_str()); }
    void open(CharonSecrets with = secrets()) {
        relay_.reset();
        CharonRelayOptions options = kTimers;
        options.fifo = fifo_;
        auto relay = CharonRelay::open(
            loop_, options, std::move(with),
            {.on_said =
                 [this](ByteView message) { said_.emplace_back(message.begin(), message.end()); },
             .on_fresh = [this] { news_.emplace_back("fresh"); },
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
        [[nodiscard]] std::string told() const {
            std::array<char, 8> text{};
            const ssize_t got = read(fd_.get(), text.data(), text.size());
            return {text.data(), got < 0 ? 0 : static_cast<std::size_t>(got)};
        }

      private:
        UniqueFd fd_;
    };

    std::string fifo_ = temporary_path("charon.ha");
    QbLoop loop_;
    std::vector<Bytes> said_;
    std::vector<std::string> news_;
    std::unique_ptr<CharonRelay> relay_;
};

TEST_F(CharonRelayTest, WhatCharonSaysGoesUpWithItsSecretsSealed) {
    const FakeCharon charon;
    charon.say(ike_add(7));
    run();
    ASSERT_THAT(said_, SizeIs(1));
    EXPECT_THAT(to_text(said_[0]), Not(HasSubstr(kPsk)));
    const auto sealed = ipsec::parse_ha_message(said_[0]);
    ASSERT_TRUE(sealed) << sealed.error().detail;
    EXPECT_EQ(sealed->find(HaTag::psk)->size(), kPsk.size() + SecretBox::kOverhead);
    EXPECT_THAT(*sealed->find(HaTag::iv), ElementsAre(1, 2, 3, 4));
    EXPECT_THAT(news(), IsEmpty());
}

TEST_F(CharonRelayTest, AnotherNodesCharonGetsTheVeryMessage) {
    const FakeCharon charon;
    charon.say(ike_add(7));
    charon.say(about(HaType::ike_delete, 7));
    run();
    relay_->feed(said_, 42);
    EXPECT_THAT(charon.heard(), IsEmpty()) << "not from within the call";
    run();
    EXPECT_THAT(news(), IsEmpty()) << "it has read nothing yet";
    EXPECT_THAT(charon.heard(), ElementsAre(ike_add(7), about(HaType::ike_delete, 7)));
    run();
    EXPECT_THAT(news(), ElementsAre("fed 42"));
}

TEST_F(CharonRelayTest, WhatAnotherClusterSealedIsRefused) {
    const FakeCharon charon;
    charon.say(ike_add(7));
    run();
    open(secrets("another key"));
    run();
    relay_->feed(said_, 1);
    relay_->feed({about(HaType::ike_delete, 7)}, 2);
    run();
    EXPECT_THAT(charon.heard(), ElementsAre(about(HaType::ike_delete, 7)));
    run();
    EXPECT_THAT(news(), ElementsAre(HasSubstr("fed 1: a sealed secret does not open"), "fed 2"));
}

TEST_F(CharonRelayTest, ASecretIsBoundToItsSa) {
    const FakeCharon charon;
    charon.say(ike_add(7));
    run();
    // The other SA's identity in front of this one's secrets.
    Bytes moved = said_.at(0);
    const Bytes other = ike_add(8);
    std::copy_n(other.begin(), 3 + 18, moved.begin());
    relay_->feed({moved}, 1);
    run();
    EXPECT_THAT(charon.heard(), IsEmpty());
    EXPECT_THAT(news(), ElementsAre(HasSubstr("fed 1: a sealed secret does not open")));
}

TEST_F(CharonRelayTest, WhatIsBetweenTwoNodesOfAPairGoesNeitherWay) {
    const FakeCharon charon;
    run();
    for (const HaType type :
         {HaType::status, HaType::resync, HaType::segment_take, HaType::segment_drop}) {
        relay_->feed({between_nodes(type)}, static_cast<std::uint64_t>(type));
        run();
        charon.say(between_nodes(type, type == HaType::segment_take));
        run();
    }
    EXPECT_THAT(said_, IsEmpty());
    EXPECT_THAT(charon.heard(), IsEmpty());
    EXPECT_THAT(news(),
                ElementsAre(HasSubstr("fed 10: no message"), HasSubstr("fed 11: no message"),
                            "fresh", HasSubstr("fed 9: no message"), "active",
                            HasSubstr("fed 8: no message"), "passive"));
}

TEST_F(CharonRelayTest, ItsStatusSaysWhatAnAnswerThatWasLostWouldHaveSaid) {
    const FakeCharon charon;
    charon.say(between_nodes(HaType::status));
    charon.say(between_nodes(HaType::status, true));
    charon.say(between_nodes(HaType::status, true));
    charon.say(between_nodes(HaType::status));
    run();
    EXPECT_THAT(news(), ElementsAre("active", "passive"));
}

TEST_F(CharonRelayTest, OnlyRootIsTakenForCharon) {
    const FakeCharon stranger(65534);
    stranger.say(ike_add(7));
    stranger.say(between_nodes(HaType::resync));
    relay_->feed({about(HaType::ike_delete, 7)}, 1);
    relay_->turn(true);
    const Fifo fifo(fifo_);
    run();
    EXPECT_THAT(said_, IsEmpty());
    EXPECT_THAT(stranger.heard(), IsEmpty());
    EXPECT_EQ(fifo.told(), "");
    EXPECT_THAT(news(), ElementsAre("fed 1: charon is not there"));
}

TEST_F(CharonRelayTest, ACharonThatEndsIsGone) {
    auto charon = std::make_unique<FakeCharon>();
    charon->say(between_nodes(HaType::status));
    run();
    relay_->feed({about(HaType::ike_delete, 7)}, 1);
    run();
    charon.reset();
    ASSERT_TRUE(runs_until([this] { return !news_.empty(); }));
    EXPECT_THAT(news(), ElementsAre(HasSubstr("fed 1: charon is gone"), "gone"));
    relay_->feed({about(HaType::ike_delete, 7)}, 2);
    run();
    EXPECT_THAT(news(), ElementsAre("fed 2: charon is not there"));
}

TEST_F(CharonRelayTest, ACharonThatWasStartedAgainAtOnceIsAnotherOne) {
    auto charon = std::make_unique<FakeCharon>();
    charon->say(between_nodes(HaType::segment_take, true));
    run();
    EXPECT_THAT(news(), ElementsAre("active"));
    charon.reset();
    charon = std::make_unique<FakeCharon>();
    charon->say(between_nodes(HaType::status));
    charon->say(between_nodes(HaType::resync));
    run();
    EXPECT_THAT(news(), ElementsAre("gone", "fresh"));
}

TEST_F(CharonRelayTest, ASilentCharonIsGoneOnceAndHeardAgain) {
    const FakeCharon charon;
    charon.say(between_nodes(HaType::status));
    ASSERT_TRUE(runs_until([this] { return !news_.empty(); }));
    EXPECT_THAT(news(), ElementsAre("gone"));
    run(std::chrono::milliseconds(1500));
    EXPECT_THAT(news(), IsEmpty());
    charon.say(ike_add(7));
    run();
    EXPECT_THAT(said_, SizeIs(1));
}

TEST_F(CharonRelayTest, ManyMessagesWaitForCharonToReadThem) {
    const FakeCharon charon;
    run();
    charon.say(ike_add(7));
    run();
    const std::vector<Bytes> many(2000, said_.at(0));
    relay_->feed(many, 1);
    run();
    const std::size_t first = charon.heard().size();
    EXPECT_GT(first, 10U);
    EXPECT_LT(first, 200U) << "as much as its queue has room for, with some to spare";
    std::size_t heard = first;
    ASSERT_TRUE(runs_until([&] {
        heard += charon.heard().size();
        return !news_.empty();
    }));
    EXPECT_EQ(heard, many.size());
    EXPECT_THAT(news(), ElementsAre("fed 1"));
}

TEST_F(CharonRelayTest, WhatCharonsQueueDroppedIsNotCalledFed) {
    const FakeCharon charon;
    charon.shrink_queue();
    run();
    charon.say(ike_add(7));
    run();
    relay_->feed(std::vector<Bytes>(20, said_.at(0)), 1);
    relay_->feed({said_.at(0)}, 2);
    ASSERT_TRUE(runs_until([this] { return news_.size() >= 2; }));
    EXPECT_THAT(news(), ElementsAre(HasSubstr("fed 1: charon's queue was full"),
                                    HasSubstr("fed 2: charon's queue was full")));
    EXPECT_LT(charon.heard().size(), 20U);
    relay_->feed({about(HaType::ike_delete, 7)}, 3);
    run();
    EXPECT_THAT(charon.heard(), SizeIs(1));
    run();
    EXPECT_THAT(news(), ElementsAre("fed 3"));
}

TEST_F(CharonRelayTest, ItIsTurnedByItsFifoAndSaysWhenItIs) {
    const FakeCharon charon;
    run();
    relay_->turn(true);
    run();
    EXPECT_THAT(news(), IsEmpty());
    {
        const Fifo fifo(fifo_);
        run(std::chrono::milliseconds(50));
        EXPECT_EQ(fifo.told(), "+1") << "as soon as it reads its fifo";
    }
    relay_->turn(false);
    const Fifo fifo(fifo_);
    run();
    EXPECT_EQ(fifo.told(), "") << "one command after the other's answer";
    charon.say(between_nodes(HaType::segment_take, true));
    run(std::chrono::milliseconds(50));
    EXPECT_EQ(fifo.told(), "-1");
    charon.say(between_nodes(HaType::segment_drop));
    run(std::chrono::milliseconds(50));
    EXPECT_EQ(fifo.told(), "");
    EXPECT_THAT(news(), ElementsAre("active", "passive"));
}

TEST_F(CharonRelayTest, ACommandWithoutAnAnswerIsRepeated) {
    const FakeCharon charon;
    run();
    const Fifo fifo(fifo_);
    relay_->turn(true);
    run();
    EXPECT_EQ(fifo.told(), "+1");
    for (int i = 0; i < 5; ++i) {
        run(std::chrono::milliseconds(500));
        charon.say(between_nodes(HaType::status));
    }
    EXPECT_EQ(fifo.told(), "+1");
}

TEST_F(CharonRelayTest, AMessageOfAnotherVersionIsNotTaken) {
    const FakeCharon charon;
    Bytes message = ike_add(7);
    message[0] = 5;
    charon.say(message);
    charon.say(Bytes(limits::kHaMessageBytesMax + 1, 3));
    charon.say({});
    run();
    EXPECT_THAT(said_, IsEmpty());
    EXPECT_THAT(news(), IsEmpty());
}

TEST_F(CharonRelayTest, TwoRelaysAreRefused) {
    CharonRelayOptions options = kTimers;
    const auto second = CharonRelay::open(loop_, options, secrets(), {});
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().detail, HasSubstr("127.0.0.2:4510"));
}

}  // namespace charon_relay_test
}  // namespace vpnha::adapters
