// SPDX-License-Identifier: GPL-2.0-or-later
// In a network namespace of its own, beside files that stand in for /proc and /sys.
#include "host/os/tuning_settings.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <optional>

#include "protocols/tables.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace tuning_settings_test {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Pair;
using tuning::Machine;

class TuningSettingsTest : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_EQ(::unshare(CLONE_NEWNET), 0); }
    void TearDown() override { std::filesystem::remove_all(root_); }

    void put(const std::string& path, const std::string& text) {
        std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
        std::ofstream(root_ + path) << text;
    }
    [[nodiscard]] TuningRoots roots() const {
        return {.proc = root_ + "/proc", .sys = root_ + "/sys", .modules = root_ + "/modules"};
    }

    std::string root_ = temporary_path("tuning");
};

tuning::Demand of_device(const std::string& name) {
    return {.daemons = {"xl2tpd", "pptpd"}, .devices = {name}};
}

Machine read_tuning(const tuning::Demand& demand, const TuningRoots& roots = {}) {
    return adapters::read_tuning(tuning::table(), demand, roots);
}

void set_offload(std::uint32_t request, std::uint32_t value) {
    const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
    ethtool_value given{.cmd = request, .data = value};
    ifreq asked{};
    std::string("lo").copy(asked.ifr_name, sizeof asked.ifr_name - 1);
    asked.ifr_data = reinterpret_cast<char*>(&given);
    EXPECT_EQ(::ioctl(socket, SIOCETHTOOL, &asked), 0) << std::strerror(errno);
    ::close(socket);
}

// A process of that name with that limit of open files; it ends with its input.
class Daemon {
  public:
    Daemon(const char* name, rlim_t open_files) {
        std::array<int, 2> started{};
        EXPECT_EQ(::pipe2(input_.data(), O_CLOEXEC), 0);
        EXPECT_EQ(::pipe2(started.data(), O_CLOEXEC), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            const rlimit limit{open_files, open_files};
            ::setrlimit(RLIMIT_NOFILE, &limit);
            ::dup2(input_[0], STDIN_FILENO);
            ::execl("/bin/cat", name, nullptr);
            ::_exit(1);
        }
        ::close(started[1]);
        char nothing = 0;
        EXPECT_EQ(::read(started[0], &nothing, 1), 0);  // It has executed: its end is closed.
        ::close(started[0]);
    }
    ~Daemon() {
        ::close(input_[1]);
        ::close(input_[0]);
        ::waitpid(pid_, nullptr, 0);
    }
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }

  private:
    std::array<int, 2> input_{};
    pid_t pid_ = 0;
};

TEST_F(TuningSettingsTest, AreThoseOfTheOwnNamespace) {
    std::ofstream("/proc/sys/net/ipv4/ip_nonlocal_bind") << "1";
    std::ofstream("/proc/sys/net/ipv4/conf/lo/rp_filter") << "2";
    tuning::Demand demand = of_device("lo");
    demand.devices.insert("nowhere0");
    const Machine machine = read_tuning(demand);
    EXPECT_THAT(machine.sysctls, Contains(Pair("net.ipv4.ip_nonlocal_bind", "1")));
    EXPECT_THAT(machine.sysctls, Contains(Pair("net.ipv4.ip_local_port_range", "32768 60999")));
    EXPECT_THAT(machine.rp_filters, Contains(Pair("lo", "2")));
    EXPECT_TRUE(machine.rp_filters.contains("all") && machine.rp_filters.contains("default"));
    EXPECT_THAT(machine.absent_devices, ElementsAre("nowhere0"));
    EXPECT_GE(machine.processors, 1U);
}

TEST_F(TuningSettingsTest, OffloadsAreTheDevicesOwn) {
    for (const bool on : {true, false}) {
        set_offload(ETHTOOL_SGRO, on ? 1 : 0);
        set_offload(ETHTOOL_STSO, on ? 1 : 0);
        const Machine machine = read_tuning(of_device("lo"));
        ASSERT_EQ(machine.devices.size(), 1U);
        EXPECT_EQ(machine.devices[0].gro, on);
        EXPECT_EQ(machine.devices[0].tso, on);
        EXPECT_EQ(machine.devices[0].lro, false);
        EXPECT_FALSE(machine.devices[0].is_hardware);
    }
}

TEST_F(TuningSettingsTest, NobodyHasToBeRoot) {
    const pid_t child = ::fork();
    if (child == 0) {
        const bool nobody = ::setresuid(65534, 65534, 65534) == 0;
        const Machine machine = read_tuning(of_device("lo"));
        ::_exit(nobody && machine.sysctls.contains("net.ipv4.ip_forward") &&
                        machine.devices.size() == 1 && machine.devices[0].gro.has_value() &&
                        machine.devices[0].lro.has_value()
                    ? 0
                    : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST_F(TuningSettingsTest, ADeviceStandsOnOthers) {
    const std::string net = "/sys/class/net/";
    put(net + "outside.7/lower_bond0", "");
    put(net + "bond0/lower_lo", "");
    put(net + "bond0/queues/rx-0/rps_cpus", "0\n");
    put(net + "lo/device", "");
    put(net + "lo/queues/rx-0/rps_cpus", "00000000,00000000\n");
    put(net + "lo/queues/rx-1/rps_cpus", "00000001,00000000\n");
    put(net + "lo/queues/tx-0/xps_cpus", "3\n");
    const Machine machine = read_tuning(of_device("outside.7"), roots());
    ASSERT_EQ(machine.devices.size(), 3U);
    EXPECT_EQ(machine.devices[0].name, "outside.7");
    EXPECT_EQ(machine.devices[0].gro, std::nullopt) << "this kernel has no such device";
    EXPECT_EQ(machine.devices[1].receive_queues, 0U) << "it is no hardware";
    EXPECT_EQ(machine.devices[2].name, "lo");
    EXPECT_TRUE(machine.devices[2].is_hardware);
    EXPECT_EQ(machine.devices[2].receive_queues, 2U);
    EXPECT_TRUE(machine.devices[2].steers_by_processor);
    put(net + "lo/queues/rx-1/rps_cpus", "00000000,00000000\n");
    EXPECT_FALSE(read_tuning(of_device("lo"), roots()).devices[0].steers_by_processor);
}

// From now on sockets of AF_PPPOX fail so in this process; 0: they do not.
bool fail_pppox(int error) {
    sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_PPPOX, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const sock_fprog program{static_cast<unsigned short>(std::size(instructions)), instructions};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST_F(TuningSettingsTest, AModuleIsLoadedOrBuiltInOrInAFile) {
    tuning::Demand demand = of_device("lo");
    demand.needs = {"dialled", "pptp"};
    using Present = std::map<std::string, bool>;
    EXPECT_EQ(read_tuning(demand, roots()).present, Present{}) << "there is no list of modules";
    utsname name{};
    ASSERT_EQ(::uname(&name), 0);
    const std::string lists = fmt::format("/modules/{}", name.release);
    put(lists + "/modules.dep", "kernel/drivers/net/tunnel6.ko:\n");
    EXPECT_EQ(read_tuning(demand, roots()).present, (Present{{"module ppp_generic", false},
                                                             {"module ppp_mppe", false},
                                                             {"module tun", false}}));
    put(lists + "/modules.builtin", "kernel/drivers/net/tun.ko\n");
    put("/sys/module/ppp_generic/refcnt", "0");
    EXPECT_EQ(
        read_tuning(demand, roots()).present,
        (Present{{"module ppp_generic", true}, {"module ppp_mppe", false}, {"module tun", true}}));
}

TEST_F(TuningSettingsTest, AsksForPppOverL2tpAsXl2tpdDoes) {
    const auto is_found = [](int error, bool l2tp, std::optional<bool> expected) {
        const pid_t child = ::fork();
        if (child == 0) {
            tuning::Demand demand = of_device("lo");
            if (l2tp) {
                demand.needs = {"l2tp"};
            }
            std::map<std::string, bool> present;
            if (expected) {
                present["module l2tp_ppp"] = *expected;
            }
            ::_exit(fail_pppox(error) && read_tuning(demand).present == present ? 0 : 1);
        }
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        return status == 0;
    };
    EXPECT_TRUE(is_found(0, true, true));
    EXPECT_TRUE(is_found(EAFNOSUPPORT, true, false));
    EXPECT_TRUE(is_found(EPROTONOSUPPORT, true, false));
    EXPECT_TRUE(is_found(EPERM, true, std::nullopt));
    EXPECT_TRUE(is_found(EAFNOSUPPORT, false, std::nullopt)) << "no gateway serves L2TP";
}

TEST_F(TuningSettingsTest, LimitsAreThoseOfTheDaemonsThatRun) {
    const Daemon xl2tpd("/usr/sbin/xl2tpd", 321);
    const Machine machine = read_tuning(of_device("lo"));
    ASSERT_EQ(machine.daemons.size(), 1U);
    EXPECT_EQ(machine.daemons[0].name, "xl2tpd");
    EXPECT_EQ(machine.daemons[0].open_files, 321U);
}

TEST_F(TuningSettingsTest, TasksAreBoundedByTheLeastOfTheGroups) {
    const Daemon pptpd("pptpd", 64);
    const std::string process = "/proc/" + std::to_string(pptpd.pid());
    put(process + "/cgroup", "1:name=elsewhere:/x\n0::/system.slice/pacemaker.service\n");
    put(process + "/limits",
        "Limit                     Soft Limit           Hard Limit           Units     \n"
        "Max open files            unlimited            unlimited            files     \n");
    EXPECT_EQ(read_tuning(of_device("lo"), roots()).daemons.at(0).tasks, std::nullopt)
        << "the unified hierarchy stands elsewhere";
    const std::string groups = "/sys/fs/cgroup";
    put(groups + "/cgroup.controllers", "pids\n");
    put(groups + "/system.slice/pacemaker.service/pids.max", "max\n");
    const auto kUnlimited = std::numeric_limits<std::uint64_t>::max();
    Machine machine = read_tuning(of_device("lo"), roots());
    EXPECT_EQ(machine.daemons.at(0).tasks, kUnlimited);
    EXPECT_EQ(machine.daemons.at(0).open_files, kUnlimited);
    put(groups + "/system.slice/pids.max", "4915\n");
    machine = read_tuning(of_device("lo"), roots());
    EXPECT_EQ(machine.daemons.at(0).tasks, 4915U);
}

}  // namespace tuning_settings_test
}  // namespace vpnha::adapters
