// SPDX-License-Identifier: GPL-2.0-or-later
// Real pptpd, in a network namespace of the test's own; run as root.
#include "protocols/pptp/service/pptpd_service.hpp"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "protocols/pptp/service/pptpd_service_config.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace pptpd_service_test {

using ::testing::HasSubstr;
using ::testing::Not;
using State = StockService::State;

TEST(PptpdConfigTest, ReadsAddressAndOptionsFile) {
    const auto config = parse_pptpd_config(
        "# listen 192.0.2.1\n\toption /etc/ppp/west # ours\nlisten 192.0.2.100\r\nremoteip "
        "10.0.0.2\n",
        "p.conf");
    ASSERT_TRUE(config.has_value()) << config.error().detail;
    EXPECT_EQ(to_string(config->listen), "192.0.2.100");
    EXPECT_EQ(config->options_file, "/etc/ppp/west");
}

TEST(PptpdConfigTest, KnowsHowManyClientsAreTaken) {
    const auto connections = [](const std::string& lines) {
        const auto config = parse_pptpd_config("option /o\nlisten 192.0.2.1\n" + lines, "p.conf");
        return config ? config->connections : 0;
    };
    EXPECT_EQ(connections(""), 100U);
    EXPECT_EQ(connections("connections 250\n"), 250U);
    EXPECT_EQ(connections("connections 250\nremoteip 10.0.0.2,10.0.1.10-30\n"), 22U);
    EXPECT_EQ(connections("connections 20\nremoteip 10.0.0.2,10.0.1.10-30\n"), 20U);
    EXPECT_EQ(connections("remoteip 10.0.1.10-30\ndelegate\n"), 100U);
}

TEST(PptpdConfigTest, RefusesWhatWouldServeOthersToo) {
    for (const char* text :
         {"option /o\n", "option /o\nlisten 0.0.0.0\n", "option /o\nlisten x\n"}) {
        EXPECT_FALSE(parse_pptpd_config(text, "p.conf").has_value()) << text;
    }
    const auto config = parse_pptpd_config("listen 192.0.2.100\n", "p.conf");
    ASSERT_FALSE(config.has_value());
    EXPECT_THAT(config.error().detail, HasSubstr("'option'"));
}

// RFC 2637 2.1, 2.7 and 2.8, as far as the test looks at them.
constexpr std::size_t kStartBytes = 156;
constexpr std::size_t kCallRequestBytes = 168;
constexpr std::size_t kCallReplyBytes = 32;

void put_u16(std::vector<std::uint8_t>& bytes, std::size_t place, std::uint16_t value) {
    bytes[place] = static_cast<std::uint8_t>(value >> 8);
    bytes[place + 1] = static_cast<std::uint8_t>(value);
}

std::vector<std::uint8_t> request(std::size_t size, std::uint16_t type) {
    std::vector<std::uint8_t> bytes(size);
    put_u16(bytes, 0, static_cast<std::uint16_t>(size));
    put_u16(bytes, 2, 1);
    put_u16(bytes, 4, 0x1A2B);
    put_u16(bytes, 6, 0x3C4D);
    put_u16(bytes, 8, type);
    return bytes;
}

// A client's control connection.
class Control {
  public:
    explicit Control(const char* server) {
        fd_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(1723);
        address.sin_addr.s_addr = htonl(parse_ipv4(server).value().value);
        connected_ =
            ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }

    bool start() {
        auto bytes = request(kStartBytes, 1);
        put_u16(bytes, 12, 0x0100);
        return connected_ && !ask(bytes, kStartBytes).empty();
    }

    // The id that the server gave to a call; -1: none.
    int call() {
        auto bytes = request(kCallRequestBytes, 7);
        put_u16(bytes, 12, 77);
        const auto reply = ask(bytes, kCallReplyBytes);
        return reply.empty() ? -1 : reply[12] << 8 | reply[13];
    }

  private:
    std::vector<std::uint8_t> ask(const std::vector<std::uint8_t>& bytes, std::size_t reply_size) {
        EXPECT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(bytes.size()));
        std::vector<std::uint8_t> reply(reply_size);
        pollfd ready{.fd = fd_.get(), .events = POLLIN, .revents = 0};
        if (::poll(&ready, 1, 5000) != 1 ||
            ::recv(fd_.get(), reply.data(), reply.size(), MSG_WAITALL) !=
                static_cast<ssize_t>(reply.size())) {
            return {};
        }
        return reply;
    }

    UniqueFd fd_;
    bool connected_ = false;
};

// Each test has namespaces and a directory of its own.
class PptpdServiceTest : public testing::Test {
  protected:
    static constexpr const char* kWest = "192.0.2.100";
    static constexpr const char* kEast = "192.0.2.101";

    void SetUp() override {
        ASSERT_EQ(::geteuid(), 0U) << "these tests need root";
        ASSERT_EQ(::unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
        std::ofstream("/proc/sys/net/ipv4/ip_nonlocal_bind") << "1";
        // The number of the last call is a file of the host: another test's call changes it.
        ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
        ASSERT_EQ(::mount("state", "/var/lib", "tmpfs", 0, nullptr), 0);
        root_ = temporary_path("pptpd_service");
        std::filesystem::remove_all(root_);
        std::filesystem::create_directories(root_);
        std::ofstream(root_ + "/options") << "name vpn\n";
        for (const auto& [name, address] : {std::pair{"west", kWest}, std::pair{"east", kEast}}) {
            std::ofstream(root_ + "/" + name + ".conf")
                << "option " << root_ << "/options\nlisten " << address
                << "\nlocalip 10.200.0.1\nremoteip 10.200.1.10-30\n";
        }
    }

    void TearDown() override {
        EXPECT_TRUE(service("west").stop().has_value());
        EXPECT_TRUE(service("east").stop().has_value());
        std::filesystem::remove_all(root_);
    }

    // The VIPs are on this node.
    static void be_promoted() {
        for (const std::vector<std::string>& command :
             {std::vector<std::string>{"link", "set", "lo", "up"},
              {"address", "add", "192.0.2.100/32", "dev", "lo"},
              {"address", "add", "192.0.2.101/32", "dev", "lo"}}) {
            std::vector<std::string> arguments{"/sbin/ip"};
            arguments.insert(arguments.end(), command.begin(), command.end());
            const auto ended = run_to_end({.arguments = arguments}, std::chrono::seconds(5));
            ASSERT_TRUE(ended.has_value());
            ASSERT_EQ(ended->code, 0) << ended->errors;
        }
    }

    StockService service(const std::string& gateway = "west") const {
        return {pptpd_kind(), gateway, root_ + "/run"};
    }

    PptpdSettings settings(const std::string& gateway = "west") const {
        return {.launcher = VPNHA_START_PPTPD_PROGRAM,
                .config = root_ + "/" + gateway + ".conf",
                .call_id_offset = "24",
                .resource = "pptpd-" + gateway};
    }

    Result<void> start_with(const PptpdSettings& settings,
                            const std::string& gateway = "west") const {
        StockService pptpd = service(gateway);
        VPNHA_TRY(const StockStarted wanted, plan_pptpd(pptpd, settings));
        return pptpd.start(wanted);
    }

    void start(const std::string& gateway = "west") {
        const auto done = start_with(settings(gateway), gateway);
        ASSERT_TRUE(done.has_value()) << done.error().detail;
    }

    State state() const { return service().status().value_or(State::dead); }

    Process daemon(const std::string& gateway = "west") const {
        int pid = 0;
        std::ifstream(root_ + "/run/pptpd/" + gateway + "/pid") >> pid;
        return read_process(pid).value_or(Process{});
    }

    static std::vector<Process> children_of(const Process& parent) {
        auto found = list_processes().value_or(std::vector<Process>{});
        std::erase_if(found, [&](const Process& each) { return each.parent != parent.pid; });
        return found;
    }

    static std::string tcp_sockets() {
        std::ostringstream sockets;
        sockets << std::ifstream("/proc/net/tcp").rdbuf();
        return sockets.str();
    }

    std::string root_;
};

TEST_F(PptpdServiceTest, RefusesAnOffsetThatIsNone) {
    auto wrong = settings();
    for (const char* offset : {"12", "128", "24x", "-8", "0x8"}) {
        wrong.call_id_offset = offset;
        const auto checked = check_pptpd(wrong);
        ASSERT_FALSE(checked.has_value()) << offset;
        EXPECT_THAT(checked.error().detail, HasSubstr("multiple of 8 below 128"));
    }
}

TEST_F(PptpdServiceTest, ListensOnAnAddressThatIsElsewhere) {
    EXPECT_EQ(state(), State::stopped);
    start();
    EXPECT_EQ(state(), State::running);
    EXPECT_THAT(tcp_sockets(), HasSubstr("640200C0:06BB 00000000:0000 0A"));
    const int before = daemon().pid;
    start();
    EXPECT_EQ(daemon().pid, before) << "it runs already";
}

TEST_F(PptpdServiceTest, CallIdsAreTheNodesOwn) {
    be_promoted();
    start();
    const auto call = [] {
        Control client(kWest);
        EXPECT_TRUE(client.start());
        return client.call();
    };
    const int first = call();
    EXPECT_EQ(first % 128, 24);
    EXPECT_EQ(call(), (first + 128) % 65'536);
    // The next daemon continues where this one was.
    ASSERT_TRUE(service().stop());
    start();
    EXPECT_EQ(call(), (first + 256) % 65'536);
}

// The test's kernel need not have PPP: then no pppd speaks.
TEST_F(PptpdServiceTest, ACloseLookMakesACallWhereTheAddressIs) {
    start();
    const auto elsewhere = service().status(StockService::Depth::answers);
    EXPECT_EQ(elsewhere.value_or(State::dead), State::running) << "it is another node's to answer";
    be_promoted();
    const auto silent = service().status(StockService::Depth::answers);
    if (!silent) {
        EXPECT_THAT(silent.error().detail, HasSubstr("no GRE of pppd"));
    } else {
        EXPECT_EQ(*silent, State::running);
    }
    ASSERT_EQ(::kill(daemon().pid, SIGSTOP), 0);
    const auto hanging = service().status(StockService::Depth::answers);
    EXPECT_EQ(::kill(daemon().pid, SIGCONT), 0);
    ASSERT_FALSE(hanging.has_value());
    EXPECT_THAT(hanging.error().detail, HasSubstr("no greeting of pptpd came"));
}

TEST_F(PptpdServiceTest, AFullDaemonIsNoFinding) {
    std::ofstream(root_ + "/west.conf", std::ios::app) << "connections 1\n";
    be_promoted();
    start();
    Control client(kWest);
    ASSERT_TRUE(client.start());
    const auto looked = service().status(StockService::Depth::answers);
    EXPECT_EQ(looked.value_or(State::dead), State::running);
}

TEST_F(PptpdServiceTest, StopLeavesNeitherProcessNorConnection) {
    be_promoted();
    start();
    Control client(kWest);
    ASSERT_TRUE(client.start());
    const auto clients = children_of(daemon());
    ASSERT_EQ(clients.size(), 1U);
    ASSERT_TRUE(service().stop().has_value());
    EXPECT_FALSE(read_process(clients[0].pid).has_value());
    EXPECT_THAT(tcp_sockets(), Not(HasSubstr(": 640200C0:06BB"))) << "of the daemon";
    EXPECT_EQ(state(), State::stopped);
    EXPECT_TRUE(service().stop().has_value());
}

TEST_F(PptpdServiceTest, AClientOfADeadDaemonIsServedUntilTheNextStart) {
    be_promoted();
    start();
    Control client(kWest);
    ASSERT_TRUE(client.start());
    const auto clients = children_of(daemon());
    ASSERT_EQ(clients.size(), 1U);
    ASSERT_TRUE(kill_and_wait({daemon()}, std::chrono::seconds(5)).has_value());
    EXPECT_EQ(state(), State::dead);
    EXPECT_TRUE(read_process(clients[0].pid).has_value());
    start();
    EXPECT_EQ(state(), State::running);
    EXPECT_FALSE(read_process(clients[0].pid).has_value());
}

TEST_F(PptpdServiceTest, ResetEndsTheClientsOfItsGatewayAndNoOthers) {
    be_promoted();
    start("west");
    start("east");
    Control west(kWest);
    Control east(kEast);
    ASSERT_TRUE(west.start() && east.start());
    const auto others = children_of(daemon("east"));
    ASSERT_EQ(others.size(), 1U);
    ASSERT_TRUE(kill_and_wait({daemon("east")}, std::chrono::seconds(5)).has_value());
    ASSERT_TRUE(service("west").reset().has_value());
    EXPECT_EQ(state(), State::running);
    EXPECT_TRUE(read_process(others[0].pid).has_value());
    EXPECT_THAT(tcp_sockets(), HasSubstr("650200C0:06BB"));
}

TEST_F(PptpdServiceTest, IsNotStartedBesideAnotherPptpd) {
    ASSERT_TRUE(spawn_detached({.arguments = {"/usr/sbin/pptpd", "--conf", root_ + "/west.conf",
                                              "--pidfile", root_ + "/other.pid"},
                                .error_file = ""})
                    .has_value());
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (tcp_sockets().find("640200C0:06BB") == std::string::npos &&
           std::chrono::steady_clock::now() < deadline) {
        ::usleep(5000);
    }
    const auto done = start_with(settings());
    ASSERT_FALSE(done.has_value());
    EXPECT_THAT(done.error().detail, HasSubstr("pptpd.service"));
    EXPECT_EQ(state(), State::stopped);
    int other = 0;
    std::ifstream(root_ + "/other.pid") >> other;
    const auto process = read_process(other);
    ASSERT_TRUE(process.has_value());
    EXPECT_TRUE(kill_and_wait({*process}, std::chrono::seconds(5)).has_value());
}

TEST_F(PptpdServiceTest, NamesWhatIsMissing) {
    auto wrong = settings();
    wrong.config = "/nowhere/pptpd.conf";
    EXPECT_EQ(start_with(wrong).error().code, Errc::invalid_config);
    wrong = settings();
    wrong.launcher = "/nowhere/start-pptpd";
    EXPECT_EQ(start_with(wrong).error().code, Errc::unsupported);
    std::filesystem::remove(root_ + "/options");
    EXPECT_EQ(start_with(settings()).error().code, Errc::invalid_config);
    std::ofstream("/proc/sys/net/ipv4/ip_nonlocal_bind") << "0";
    const auto done = start_with(settings());
    ASSERT_FALSE(done.has_value());
    EXPECT_THAT(done.error().detail, HasSubstr("ip_nonlocal_bind"));
    EXPECT_EQ(state(), State::stopped);
}

}  // namespace pptpd_service_test
}  // namespace vpnha::adapters
