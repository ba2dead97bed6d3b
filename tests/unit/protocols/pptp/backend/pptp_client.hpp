// SPDX-License-Identifier: GPL-2.0-or-later
// A PPTP client on the peer's host whose gateway has died: its control connection is the kernel's,
// its GRE and PPP are those of the model. And the node on which a data path continues with the
// call. The VIP is the node's own address 192.0.2.1.
#pragma once

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <utility>
#include <vector>

#include "host/os/boot_clock.hpp"
#include "host/sockets/inet_socket.hpp"
#include "protocols/pptp/backend/data_path.hpp"
#include "protocols/pptp/backend/observed_packet.hpp"
#include "protocols/pptp/backend/repaired_socket.hpp"
#include "protocols/pptp/model/control_message.hpp"
#include "protocols/pptp/work.hpp"
#include "unit/host/addresses/two_hosts.hpp"
#include "unit/protocols/pptp/model/call_world.hpp"

namespace vpnha::adapters {

class PptpClientTest : public testing::TwoHosts {
  protected:
    using Model = pptp::test::ModelClient;
    static constexpr std::uint32_t kTable = 700;
    static constexpr GatewayId kGateway{7};
    static constexpr int kProtocol = 253;  // For experiments (RFC 3692).

    void SetUp() override {
        TwoHosts::SetUp();
        // The part of the gate: a RST for a connection that nobody has yet does not get out.
        ASSERT_EQ(testing::output_of("nft 'add table ip gate; add chain ip gate out { type filter "
                                     "hook output priority 0; }; add rule ip gate out tcp sport "
                                     "1723 tcp flags rst drop' 2>&1"),
                  "");
        ASSERT_TRUE(testing::ip_command("rule add from all lookup 700 pref 100"));
        // A new device sends nothing of its own: router solicitations would use numbers.
        std::ofstream("/proc/sys/net/ipv6/conf/default/disable_ipv6") << 1;
        client_sees_.emplace(observe());
        be_connected();
    }

    [[nodiscard]] testing::Capture observe() {
        std::optional<testing::Capture> capture;
        in_peer([&] { capture.emplace("peer0"); });
        return std::move(*capture);
    }

    void be_connected() {
        const int on = 1;
        const pptp::CallKey key = record_.key;
        const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        const sockaddr_in ours = to_sockaddr(key.local);
        const sockaddr_in peer = to_sockaddr(key.peer);
        ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&ours), sizeof ours), 0);
        ASSERT_EQ(::listen(listener.get(), 1), 0);
        in_peer([&] {
            control_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
            ASSERT_EQ(::bind(control_.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof peer),
                      0);
            ASSERT_EQ(
                ::connect(control_.get(), reinterpret_cast<const sockaddr*>(&ours), sizeof ours),
                0);
            gre_.reset(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_GRE));
            ASSERT_TRUE(gre_);
        });
        stock_.reset(::accept(listener.get(), nullptr, nullptr));
        ASSERT_TRUE(stock_);
        tcp_info info{};
        socklen_t size = sizeof info;
        ASSERT_EQ(::getsockopt(stock_.get(), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
        record_.tcp = {.mss = static_cast<std::uint16_t>(info.tcpi_snd_mss),
                       .window_scaling = (info.tcpi_options & TCPI_OPT_WSCALE) != 0,
                       .our_scale = info.tcpi_rcv_wscale,
                       .peer_scale = info.tcpi_snd_wscale,
                       .sack = (info.tcpi_options & TCPI_OPT_SACK) != 0,
                       .timestamps = (info.tcpi_options & TCPI_OPT_TIMESTAMPS) != 0};
    }

    // What is known of the stock call now.
    void checkpoint() {
        read_stock_control();
        known_.gre_out = stock_number_;
        known_.mppe_out = stock_sender_.index();
    }
    void read_stock_control() {
        const auto set = [&](int name, int value) {
            EXPECT_EQ(::setsockopt(stock_.get(), IPPROTO_TCP, name, &value, sizeof value), 0);
        };
        const auto number = [&](int name) {
            std::uint32_t value = 0;
            socklen_t size = sizeof value;
            EXPECT_EQ(::getsockopt(stock_.get(), IPPROTO_TCP, name, &value, &size), 0);
            return value;
        };
        set(TCP_REPAIR, TCP_REPAIR_ON);
        set(TCP_REPAIR_QUEUE, TCP_SEND_QUEUE);
        known_.snd_nxt = number(TCP_QUEUE_SEQ);
        set(TCP_REPAIR_QUEUE, TCP_RECV_QUEUE);
        known_.rcv_nxt = number(TCP_QUEUE_SEQ);
        known_.tsval = number(TCP_TIMESTAMP);
        known_.snd_wnd = 65'536;
        set(TCP_REPAIR, TCP_REPAIR_OFF_NO_WP);
    }
    // pptpctrl answers, and its client hears of it.
    void stock_echo(std::uint32_t id) {
        const Bytes request = pptp::build_echo_request(id);
        const Bytes reply = pptp::build_echo_reply(id);
        Bytes room(64);
        ASSERT_EQ(::send(control_.get(), request.data(), request.size(), 0), 16);
        ASSERT_EQ(::recv(stock_.get(), room.data(), 16, MSG_WAITALL), 16);
        ASSERT_EQ(::send(stock_.get(), reply.data(), reply.size(), 0), 20);
        ASSERT_EQ(::recv(control_.get(), room.data(), 20, MSG_WAITALL), 20);
    }
    // The stock gateway has sent so many packets, and the client has got them.
    void stock_sends(int packets) {
        for (int i = 0; i < packets; ++i) {
            ByteWriter payload;
            payload.u16(0xff03).u16(0x00fd).bytes(
                mppe::test::seal(stock_sender_, mppe::test::ip_packet(0)));
            const auto header = pptp::encode_gre_header(record_.key.peer_id, ++stock_number_,
                                                        std::nullopt, payload.size());
            Bytes packet(header.view().begin(), header.view().end());
            packet.insert(packet.end(), payload.view().begin(), payload.view().end());
            model_.on_gre(packet, boot_time());
        }
        model_.sent.clear();
        model_.data.clear();
    }
    // Nobody hears of it.
    void die() { close_silently(std::move(stock_)); }

    void start_path() {
        auto path = DataPath::start(VPNHA_CARRY_CALLS_PROGRAM, {record_.key.local.address});
        ASSERT_TRUE(path) << path.error().detail;
        path_ = std::move(*path);
    }
    void prepare() {
        path_->post(DataPath::Prepare{{kGateway, record_, known_, 5},
                                      pptp::StartKeys{mppe::test::kStartKey, mppe::test::kStartKey},
                                      kTable});
        ASSERT_TRUE(run_until([&] { return !prepared_.empty(); }));
        ASSERT_TRUE(prepared_[0].result) << prepared_[0].result.error().detail;
        EXPECT_EQ(prepared_[0].ticket, 5U);
    }
    void resume(bool exact) {
        path_->post(node::ResumeCalls{kGateway, {record_.key}, exact});
        ASSERT_TRUE(run_until([&] { return !resumed_.empty(); }));
    }
    // The group knows the numbers.
    void release() { path_->post(node::ReleaseCalls{kGateway, {record_.key}}); }
    void take_over(bool exact) {
        start_path();
        prepare();
        resume(exact);
        if (!exact) {
            release();
        }
    }

    // A packet to the client, through the device.
    void send_data(std::uint32_t number) {
        const UniqueFd raw(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, kProtocol));
        ByteWriter payload;
        payload.u32(number);
        const sockaddr_in to = to_sockaddr({record_.facts.peer_address, 0});
        ASSERT_EQ(::sendto(raw.get(), payload.view().data(), payload.size(), 0,
                           reinterpret_cast<const sockaddr*>(&to), sizeof to),
                  4);
    }
    void emit(const Bytes& message) {
        ASSERT_EQ(::send(control_.get(), message.data(), message.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(message.size()));
    }

    // Client and loop do their part until it is so, or for a long time.
    bool run_until(const std::function<bool()>& is_so,
                   std::chrono::milliseconds patience = std::chrono::seconds(5)) {
        const TimePoint until = boot_time() + patience;
        while (!is_so()) {
            if (boot_time() > until) {
                return false;
            }
            turn();
        }
        return true;
    }
    void run_for(std::chrono::milliseconds time) {
        static_cast<void>(run_until([] { return false; }, time));
    }

    // A RST, a FIN or an ICMP packet among what came to the client since the last time.
    [[nodiscard]] std::vector<std::string> harm() const {
        std::vector<std::string> found;
        while (const auto frame = client_sees_->next(std::chrono::milliseconds(0))) {
            const ByteView bytes(*frame);
            if (bytes.size() < 34 || bytes[12] != 8 || bytes[13] != 0) {
                continue;
            }
            if (bytes[23] == IPPROTO_ICMP) {
                found.emplace_back("ICMP");
            }
            const auto packet = parse_observed(bytes.subspan(14));
            const auto* const segment = packet ? std::get_if<ObservedSegment>(&*packet) : nullptr;
            if (segment != nullptr && (segment->flags & ObservedSegment::kRst) != 0) {
                found.emplace_back("RST");
            }
            if (segment != nullptr && (segment->flags & ObservedSegment::kFin) != 0) {
                found.emplace_back("FIN");
            }
        }
        return found;
    }

    pptp::CallRecord record_ = pptp::test::sample_call();
    pptp::CallNumbers known_;
    Model model_{Model::Kind::pptp_linux, pptp::Mppe::bits128};
    std::unique_ptr<DataPath> path_;
    UniqueFd control_;  // The client's.
    UniqueFd gre_;      // The client's.
    UniqueFd stock_;    // pptpctrl's end of the control connection.
    std::optional<testing::Capture> client_sees_;
    bool may_end_ = true;

    std::vector<node::CallPrepared> prepared_;
    std::vector<node::CallResumed> resumed_;
    std::vector<node::CallEnded> ended_;
    std::vector<DataPath::NumbersRead> read_;
    int meant_ends_ = 0;
    Bytes received_;  // By the client, of the control connection.
    bool is_closed_ = false;
    std::vector<std::uint32_t> gre_numbers_;  // Of what came to the client.

  private:
    void turn() {
        pollfd ready[] = {{gre_.get(), POLLIN, 0}, {control_.get(), POLLIN, 0}};
        ::poll(ready, is_closed_ ? 1 : 2, 1);
        Bytes room(4096);
        for (ssize_t got = 0;
             (got = ::recv(gre_.get(), room.data(), room.size(), MSG_DONTWAIT)) > 20;) {
            const ByteView packet = ByteView(room).subspan(20, static_cast<std::size_t>(got) - 20);
            const auto gre = pptp::parse_gre(packet);
            if (gre && gre->sequence) {
                gre_numbers_.push_back(*gre->sequence);
            }
            model_.on_gre(packet, boot_time());
        }
        model_.on_time(boot_time());
        const sockaddr_in to = to_sockaddr({record_.key.local.address, 0});
        for (const Bytes& packet : std::exchange(model_.sent, {})) {
            ::sendto(gre_.get(), packet.data(), packet.size(), 0,
                     reinterpret_cast<const sockaddr*>(&to), sizeof to);
        }
        if (!is_closed_) {
            const ssize_t got = ::recv(control_.get(), room.data(), room.size(), MSG_DONTWAIT);
            is_closed_ = got == 0 || (got < 0 && errno != EAGAIN);
            received_.insert(received_.end(), room.begin(),
                             room.begin() + std::max<ssize_t>(got, 0));
        }
        if (path_) {
            for (DataPath::Event& event : path_->take_events()) {
                EXPECT_EQ(event.gateway, kGateway);
                std::visit([this](auto& what) { handle(std::move(what)); }, event.what);
            }
        }
    }
    void handle(node::CallPrepared event) { prepared_.push_back(std::move(event)); }
    void handle(node::CallResumed event) { resumed_.push_back(std::move(event)); }
    void handle(node::CallEnded event) { ended_.push_back(std::move(event)); }
    void handle(DataPath::NumbersRead event) { read_.push_back(std::move(event)); }
    void handle(const DataPath::MeantEnd& event) {
        ++meant_ends_;
        if (may_end_) {
            path_->post(DataPath::MayEnd{event.key});
        }
    }

    std::uint32_t stock_number_ = 0;
    mppe::Sender stock_sender_{mppe::KeyChain(mppe::Strength::bits128, mppe::test::kStartKey)};
};

}  // namespace vpnha::adapters
