// SPDX-License-Identifier: GPL-2.0-or-later
// What a charon with SAs is asked: a charon of the unit tests has none, so one is played here.
#include "protocols/ipsec/service/charon_sas.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "host/os/unique_fd.hpp"
#include "protocols/ipsec/service/vici_message.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace charon_sas_test {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ViciSection child(std::string id, std::string spi, std::string left,
                  std::string state = "INSTALLED") {
    ViciSection section;
    section.values = {
        {"uniqueid", std::move(id)}, {"state", std::move(state)}, {"spi-in", std::move(spi)}};
    if (!left.empty()) {
        section.values.emplace_back("rekey-time", std::move(left));
    }
    return section;
}

// An IKE SA with these children.
ViciSection parent_of(std::vector<ViciSection> children) {
    ViciSection listed;
    for (ViciSection& each : children) {
        listed.sections.emplace_back("net-1", std::move(each));
    }
    ViciSection sa;
    sa.sections.emplace_back("child-sas", std::move(listed));
    return sa;
}

ViciSection ike(std::string id, std::string spi_i, std::string version = "2",
                std::string state = "ESTABLISHED") {
    return {.values = {{"uniqueid", std::move(id)},
                       {"version", std::move(version)},
                       {"state", std::move(state)},
                       {"initiator-spi", std::move(spi_i)},
                       {"responder-spi", "00000000000000b1"}}};
}

// Answers one client; which of its questions is refused is up to the test.
class PlayedCharon {
  public:
    explicit PlayedCharon(std::vector<ViciSection> sas, std::string refused = {})
        : sas_(std::move(sas)), refused_(std::move(refused)) {
        path_ = temporary_path("vici");
        ::unlink(path_.c_str());
        server_ = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path_.copy(address.sun_path, sizeof address.sun_path - 1);
        EXPECT_EQ(
            ::bind(server_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(server_.get(), 1), 0);
        thread_ = std::thread([this] { serve(); });
    }
    ~PlayedCharon() { end(); }
    PlayedCharon(const PlayedCharon&) = delete;
    PlayedCharon& operator=(const PlayedCharon&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }
    // After the client has hung up.
    const std::vector<std::string>& asked() {
        end();
        return asked_;
    }

  private:
    void end() {
        if (thread_.joinable()) {
            thread_.join();
        }
    }
    void serve() {
        const UniqueFd client(::accept(server_.get(), nullptr, nullptr));
        Bytes header(4);
        while (::recv(client.get(), header.data(), header.size(), MSG_WAITALL) == 4) {
            Bytes body(ByteReader(header).u32());
            ::recv(client.get(), body.data(), body.size(), MSG_WAITALL);
            answer(client.get(), parse_vici_packet(body).value());
        }
    }
    void answer(int client, const ViciPacket& asked) {
        if (asked.type == ViciPacketType::subscription) {
            return send(client, {.type = ViciPacketType::subscribed});
        }
        if (asked.name == "list-sas") {
            for (const ViciSection& each : sas_) {
                ViciSection event;
                event.sections.emplace_back("road", each);
                send(client, {.type = ViciPacketType::event, .name = "list-sa", .message = event});
            }
            return send(client, {.type = ViciPacketType::response});
        }
        std::string words = asked.name;
        for (const auto& [key, value] : asked.message.values) {
            words += " " + key + "=" + value;
        }
        asked_.push_back(words);
        const bool fails = words == refused_;
        std::erase_if(sas_, [&](const ViciSection& sa) {
            return !fails &&
                   words == "terminate ike-id=" + sa.value("uniqueid") + " force=yes timeout=-1";
        });
        send(client, {.type = ViciPacketType::response,
                      .message = {.values = {{"success", fails ? "no" : "yes"},
                                             {"errmsg", fails ? "not found" : ""}}}});
    }
    static void send(int client, const ViciPacket& packet) {
        const Bytes bytes = encode_vici_packet(packet);
        ByteWriter framed;
        framed.u32(static_cast<std::uint32_t>(bytes.size())).bytes(bytes);
        ::send(client, framed.view().data(), framed.size(), MSG_NOSIGNAL);
    }

    std::vector<ViciSection> sas_;
    std::string refused_;
    std::string path_;
    UniqueFd server_;
    std::vector<std::string> asked_;
    std::thread thread_;
};

TEST(CharonSasTest, WhatIsOverdueAndWhatIsNamedIsRekeyed) {
    PlayedCharon charon(
        {parent_of({child("1", "c0000001", "-3"), child("2", "c0000002", "3500")}),
         parent_of({child("3", "c0000003", "3500"), child("4", "c0000004", "")}),
         parent_of({child("5", "c0000005", "0"), child("6", "c0000006", "-9", "REKEYED"),
                    child("7", "", "soon")})});
    EXPECT_TRUE(rekey_children(charon.path(), {0xc0000003}, {}, 2s));
    EXPECT_THAT(charon.asked(),
                ElementsAre("rekey child-id=1", "rekey child-id=3", "rekey child-id=5"));
}

TEST(CharonSasTest, OneThatCannotBeRekeyedDoesNotKeepTheOthersFromIt) {
    PlayedCharon charon({parent_of({child("1", "c0000001", "-3"), child("2", "c0000002", "-3")})},
                        "rekey child-id=1");
    const auto rekeyed = rekey_children(charon.path(), {}, {}, 2s);
    ASSERT_FALSE(rekeyed);
    EXPECT_THAT(rekeyed.error().detail, HasSubstr("not found"));
    EXPECT_THAT(charon.asked(), ElementsAre("rekey child-id=1", "rekey child-id=2"));
}

TEST(CharonSasTest, WithoutAnyThereIsNothingToDo) {
    PlayedCharon charon({});
    EXPECT_TRUE(rekey_children(charon.path(), {7}, {}, 2s));
    EXPECT_THAT(charon.asked(), IsEmpty());
}

constexpr ipsec::IkeKey key_of(std::uint64_t spi_i, std::uint8_t version = 2) {
    return {.version = version, .spi_i = spi_i, .spi_r = 0xb1};
}

TEST(CharonSasTest, AChildOfAClientThatTakesNoRekeyIsDeletedInstead) {
    std::vector<ViciSection> sas{ike("1", "00000000000000a1"), ike("2", "00000000000000a2")};
    for (std::size_t i = 0; i < sas.size(); ++i) {
        sas[i].sections = parent_of({child(std::to_string(10 * i + 1), "c0000001", "-3"),
                                     child(std::to_string(10 * i + 2), "c0000002", "3500")})
                              .sections;
    }
    PlayedCharon charon(sas);
    EXPECT_TRUE(rekey_children(charon.path(), {}, {key_of(0xa2)}, 2s));
    EXPECT_THAT(charon.asked(),
                ElementsAre("rekey child-id=1", "terminate child-id=11 force=no timeout=-1"));
}

TEST(CharonSasTest, IkeSasAreEndedByTheirSpisAndNotWaitedFor) {
    PlayedCharon charon({ike("1", "00000000000000a1"), ike("2", "00000000000000a2"),
                         ike("3", "00000000000000a3", "1"), ike("4", "00000000000000a4", "1")});
    const auto absent =
        end_ike_sas(charon.path(), {key_of(0xa2), key_of(0xa3, 1), key_of(0xa4)}, 2s);
    ASSERT_TRUE(absent);
    EXPECT_THAT(*absent, ElementsAre(key_of(0xa4))) << "charon has one of another version";
    EXPECT_THAT(charon.asked(), ElementsAre("terminate ike-id=2 force=no timeout=-1",
                                            "terminate ike-id=3 force=no timeout=-1"));
}

TEST(CharonSasTest, OneThatIsNotEstablishedIsNotEnded) {
    PlayedCharon charon({ike("1", "00000000000000a1", "2", "DELETING"),
                         ike("2", "00000000000000a2", "2", "PASSIVE")});
    const auto absent = end_ike_sas(charon.path(), {key_of(0xa1), key_of(0xa2)}, 2s);
    ASSERT_TRUE(absent);
    EXPECT_THAT(*absent, IsEmpty());
    EXPECT_THAT(charon.asked(), IsEmpty());
}

TEST(CharonSasTest, OneThatHasEndedByItselfDoesNotKeepTheOthers) {
    PlayedCharon charon({ike("1", "00000000000000a1"), ike("2", "00000000000000a2")},
                        "terminate ike-id=1 force=no timeout=-1");
    const auto ended = end_ike_sas(charon.path(), {key_of(0xa1), key_of(0xa2)}, 2s);
    ASSERT_FALSE(ended);
    EXPECT_THAT(ended.error().detail, HasSubstr("not found"));
    EXPECT_THAT(charon.asked(), testing::SizeIs(2));
}

TEST(CharonSasTest, HalfOpenSasEndWithoutAWord) {
    PlayedCharon charon({ike("1", "00000000000000a1"),
                         ike("2", "00000000000000a2", "2", "CONNECTING"),
                         ike("3", "00000000000000a3", "2", "PASSIVE"),
                         ike("4", "00000000000000a4", "1", "CONNECTING")});
    const auto ended = end_half_open_sas(charon.path(), 2s);
    EXPECT_TRUE(ended) << ended.error().detail;
    EXPECT_THAT(charon.asked(), ElementsAre("terminate ike-id=2 force=yes timeout=-1",
                                            "terminate ike-id=4 force=yes timeout=-1"));
}

TEST(CharonSasTest, OneThatStaysHalfOpenIsAnErrorAfterSomeRounds) {
    PlayedCharon charon({ike("2", "00000000000000a2", "2", "CONNECTING"),
                         ike("3", "00000000000000a3", "2", "CONNECTING")},
                        "terminate ike-id=2 force=yes timeout=-1");
    const auto ended = end_half_open_sas(charon.path(), 2s);
    ASSERT_FALSE(ended);
    EXPECT_THAT(ended.error().detail, HasSubstr("not found"));
    EXPECT_THAT(charon.asked(), testing::Contains("terminate ike-id=3 force=yes timeout=-1"));
}

}  // namespace charon_sas_test
}  // namespace vpnha::adapters
