// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/process.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>
#include <thread>

#include "host/os/thread.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace process_test {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ProcessTest, ReadsItself) {
    const auto self = read_process(::getpid());
    ASSERT_TRUE(self.has_value());
    EXPECT_EQ(self->parent, ::getppid());
    EXPECT_GT(self->start_ticks, 0U);
    EXPECT_THAT(self->arguments.front(), HasSubstr("process"));
}

// The policy of a thread or process, and its niceness: fields 41 and 19 of proc(5)'s stat.
std::string scheduling(const std::string& of = "thread-self") {
    std::ifstream file("/proc/" + of + "/stat");
    std::string stat(std::istreambuf_iterator<char>(file), {});
    std::istringstream fields(stat.substr(stat.rfind(')') + 2));
    const std::vector<std::string> all(std::istream_iterator<std::string>(fields), {});
    return "policy " + all.at(38) + ", nice " + all.at(16);
}

// Whether a thread may run in real time here. A kernel with RT_GROUP_SCHED refuses it in a control
// group whose cpu.rt_runtime_us is 0.
bool allows_real_time() {
    bool allowed = false;
    std::thread([&] {
        const sched_param highest{::sched_get_priority_max(SCHED_RR)};
        allowed = ::sched_setscheduler(0, SCHED_RR, &highest) == 0;
    }).join();
    return allowed;
}

// A loop that asked for real time, with a thread beside it and a program that it started.
struct RealTime {
    Result<void> asked;
    bool given = false;
    std::string loop;
    std::string beside;
    std::string program;
};

void run_loop(RealTime& run) {
    ASSERT_FALSE(runs_in_real_time());
    run.asked = run_in_real_time();
    run.given = runs_in_real_time();
    run.loop = scheduling();
    auto thread = start_thread([&] { run.beside = scheduling(); });
    ASSERT_TRUE(thread.has_value());
    thread->join();
    const auto pid = spawn_detached({.arguments = {"/bin/sleep", "1000"}, .error_file = ""});
    ASSERT_TRUE(pid.has_value()) << pid.error().detail;
    run.program = scheduling(std::to_string(*pid));
    ::kill(*pid, SIGKILL);
}

TEST(ProcessTest, OnlyTheLoopRunsInRealTime) {
    const bool allowed = allows_real_time();
    RealTime run;
    std::thread([&] { run_loop(run); }).join();
    EXPECT_EQ(run.given, allowed);
    EXPECT_EQ(scheduling(), "policy 0, nice 0");
    EXPECT_EQ(run.beside, "policy 0, nice -10");
    EXPECT_EQ(run.program, "policy 0, nice 0");
    if (allowed) {
        EXPECT_TRUE(run.asked.has_value()) << run.asked.error().detail;
        EXPECT_EQ(run.loop, "policy 2, nice 0");  // SCHED_RR
    } else {
        ASSERT_FALSE(run.asked.has_value());
        EXPECT_THAT(run.asked.error().detail, HasSubstr("; nice -10 instead"));
        EXPECT_EQ(run.loop, "policy 0, nice -10");
    }
}

TEST(ProcessTest, AThreadOfAnOrdinaryLoopIsAsTheLoop) {
    std::string beside;
    auto thread = start_thread([&] { beside = scheduling(); });
    ASSERT_TRUE(thread.has_value());
    thread->join();
    EXPECT_EQ(beside, scheduling());
}

TEST(ProcessTest, AbsentProcessIsNone) {
    EXPECT_FALSE(read_process(0x3fffffff).has_value());
}

TEST(ProcessTest, AVariableOfTheEnvironmentReportsWhoseAProcessIs) {
    const auto pid = spawn_detached({.arguments = {"/bin/sh", "-c", "/bin/sleep 1000; :"},
                                     .error_file = "",
                                     .environment = {"VPNHA_LINK=/run/a"}});
    ASSERT_TRUE(pid.has_value()) << pid.error().detail;
    const auto is_of = [](const char* variable) {
        std::vector<Process> found = list_processes().value_or(std::vector<Process>{});
        std::erase_if(found,
                      [variable](const Process& each) { return !has_variable(each, variable); });
        return found;
    };
    std::vector<Process> family = is_of("VPNHA_LINK=/run/a");
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    while (family.size() < 2 && std::chrono::steady_clock::now() < deadline) {
        family = is_of("VPNHA_LINK=/run/a");
    }
    EXPECT_EQ(family.size(), 2U);
    EXPECT_TRUE(is_of("VPNHA_LINK=/run/").empty());
    EXPECT_TRUE(is_of("LINK=/run/a").empty());
    EXPECT_TRUE(kill_and_wait(family, 5s).has_value());
}

TEST(ProcessTest, StartsDetachedAndKills) {
    const auto pid = spawn_detached({.arguments = {"/bin/sleep", "1000"}, .error_file = ""});
    ASSERT_TRUE(pid.has_value()) << pid.error().detail;
    const auto all = list_processes();
    ASSERT_TRUE(all.has_value());
    const auto found = std::find_if(all->begin(), all->end(),
                                    [&pid](const Process& process) { return process.pid == *pid; });
    ASSERT_NE(found, all->end());
    EXPECT_THAT(found->arguments, ElementsAre("/bin/sleep", "1000"));
    EXPECT_NE(found->parent, ::getpid());

    EXPECT_TRUE(kill_and_wait({*found}, 5s).has_value());
    EXPECT_FALSE(read_process(*pid).has_value());
}

// A pppd runs its scripts when its pptpctrl ends.
TEST(ProcessTest, NoneOfThemActsAtTheDeathOfAnother) {
    const std::string folder = temporary_path("vpnha-process-test");
    std::filesystem::remove_all(folder);
    ASSERT_TRUE(std::filesystem::create_directory(folder));
    ASSERT_EQ(::mkfifo((folder + "tie").c_str(), 0600), 0);
    const auto start = [](const std::string& script) {
        const auto pid = spawn_detached({.arguments = {"/bin/sh", "-c", script}, .error_file = ""});
        EXPECT_TRUE(pid.has_value());
        return read_process(pid.value_or(0)).value_or(Process{});
    };
    std::vector<Process> all{start("exec sleep 1000 >" + folder + "tie")};
    constexpr int kBetween = 200;
    for (int i = 0; i < kBetween; ++i) {
        all.push_back(start("exec sleep 1000"));
    }
    all.push_back(start("exec <" + folder + "tie; : >" + folder + "ready; read line; : >" + folder +
                        "noted"));
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!std::filesystem::exists(folder + "ready") &&
           std::chrono::steady_clock::now() < deadline) {
        std::this_thread::yield();
    }
    for (Process& process : all) {
        process = read_process(process.pid).value_or(process);
    }
    EXPECT_TRUE(kill_and_wait(all, 5s).has_value());
    EXPECT_TRUE(std::filesystem::exists(folder + "ready"));
    EXPECT_FALSE(std::filesystem::exists(folder + "noted"));
    std::filesystem::remove_all(folder);
}

TEST(ProcessTest, DoesNotKillAProcessThatReusesThePid) {
    const auto pid = spawn_detached({.arguments = {"/bin/sleep", "1000"}, .error_file = ""});
    ASSERT_TRUE(pid.has_value());
    auto process = read_process(*pid);
    ASSERT_TRUE(process.has_value());
    Process earlier = *process;
    --earlier.start_ticks;
    EXPECT_TRUE(kill_and_wait({earlier}, 5s).has_value());
    EXPECT_TRUE(read_process(*pid).has_value());
    EXPECT_TRUE(kill_and_wait({*process}, 5s).has_value());
}

// POLLHUP once nobody has the other end open any more.
short events(int pipe, std::chrono::milliseconds wait) {
    pollfd entry{.fd = pipe, .events = 0, .revents = 0};
    return ::poll(&entry, 1, static_cast<int>(wait.count())) < 0 ? POLLERR : entry.revents;
}

TEST(ProcessTest, ItsOutputIsClosedAfterItsEnd) {
    std::array<int, 2> output{};
    ASSERT_EQ(::pipe2(output.data(), O_CLOEXEC), 0);
    std::array<int, 2> pipe_ends{};
    ASSERT_EQ(::pipe2(pipe_ends.data(), O_CLOEXEC), 0);
    const pid_t program = ::fork();
    if (program == 0) {
        ::dup2(output[1], STDOUT_FILENO);
        close_output_after_end();
        ::close(STDOUT_FILENO);
        ::close(output[1]);
        if (::write(pipe_ends[1], "x", 1) == 1) {
            ::pause();
        }
        ::_exit(1);
    }
    ::close(output[1]);
    char word = 0;
    ASSERT_EQ(::read(pipe_ends[0], &word, 1), 1);
    EXPECT_EQ(events(output[0], 100ms), 0);
    ::kill(program, SIGKILL);
    EXPECT_EQ(events(output[0], 5s), POLLHUP);
    ::waitpid(program, nullptr, 0);
    for (const int each : {output[0], pipe_ends[0], pipe_ends[1]}) {
        ::close(each);
    }
}

// A child in which `act` runs, and which then waits for its end.
class Waiting {
  public:
    explicit Waiting(const std::function<bool()>& act) {
        std::array<int, 2> done{};
        EXPECT_EQ(::pipe2(done.data(), O_CLOEXEC), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            if (act() && ::write(done[1], "x", 1) == 1) {
                ::pause();
            }
            ::_exit(1);
        }
        ::close(done[1]);
        char word = 0;
        EXPECT_EQ(::read(done[0], &word, 1), 1);
        ::close(done[0]);
    }
    ~Waiting() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    [[nodiscard]] std::string path_of(const char* file) const {
        return "/proc/" + std::to_string(pid_) + "/" + file;
    }

  private:
    pid_t pid_ = -1;
};

constexpr uid_t kNobody = 65534;

// Without capabilities, and as far as the kernel is concerned like any process of that user.
bool become_nobody() {
    return ::setresuid(kNobody, kNobody, kNobody) == 0 && ::prctl(PR_SET_DUMPABLE, 1) == 0;
}

// As another process of the same user.
bool is_open_to_its_user(const std::string& path) {
    const pid_t reader = ::fork();
    if (reader == 0) {
        ::_exit(become_nobody() && ::open(path.c_str(), O_RDONLY | O_CLOEXEC) >= 0 ? 0 : 1);
    }
    int status = -1;
    return ::waitpid(reader, &status, 0) == reader && status == 0;
}

TEST(ProcessTest, AProcessThatMayBeDumpedIsReadByItsUser) {
    const Waiting process([] { return become_nobody(); });
    EXPECT_TRUE(is_open_to_its_user(process.path_of("mem")));
    EXPECT_TRUE(is_open_to_its_user(process.path_of("environ")));
}

TEST(ProcessTest, ADumpThatIsForbiddenIsReadByNobodyElse) {
    const Waiting process([] { return become_nobody() && forbid_dumps().has_value(); });
    EXPECT_FALSE(is_open_to_its_user(process.path_of("mem")));
    EXPECT_FALSE(is_open_to_its_user(process.path_of("environ")));
    // Tools of ours that look at a vpnhad are root, and still do.
    EXPECT_TRUE(std::ifstream(process.path_of("mem")).is_open());
    EXPECT_TRUE(std::filesystem::is_symlink(process.path_of("fd/0")));
}

TEST(ProcessTest, ADumpIsForbiddenToFilesAndToPipes) {
    const Waiting process([] {
        rlimit limit{1, 1};
        return forbid_dumps() && ::getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0 &&
               limit.rlim_cur == 0 && ::prctl(PR_GET_DUMPABLE) == 0;
    });
}

TEST(ProcessTest, AForbiddenDumpKeepsAProcessFromNothingOfItsOwn) {
    const Waiting process([] {
        return forbid_dumps() && read_process(::getpid()) &&
               open_process(*read_process(::getpid())) &&
               std::ifstream("/proc/self/environ").is_open() &&
               std::ofstream("/proc/self/oom_score_adj").is_open() &&
               std::ifstream("/proc/thread-self/ns/net").is_open();
    });
}

// A field of proc(5)'s status, in KiB.
std::size_t kib_of(const Waiting& process, const std::string& field) {
    std::ifstream file(process.path_of("status"));
    std::size_t kib = 0;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(field + ":")) {
            kib = std::stoul(line.substr(field.size() + 1));
        }
    }
    return kib;
}

#ifndef __SANITIZE_ADDRESS__  // It makes mlockall() do nothing.
TEST(ProcessTest, MemoryIsLockedThatComesLater) {
    constexpr std::size_t kBytes = std::size_t{64} << 20;
    const Waiting process([] {
        return lock_memory() && ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
    });
    EXPECT_GE(kib_of(process, "VmLck"), kBytes / 1024);
    EXPECT_LT(kib_of(process, "VmRSS"), kBytes / 1024) << "what nobody has touched takes no room";
}
#endif

// All that it asked for beyond the limit would be refused.
TEST(ProcessTest, NoMemoryIsLockedBelowALimit) {
    const Waiting process([] {
        constexpr rlimit kSome{1 << 20, 1 << 20};
        return ::setrlimit(RLIMIT_MEMLOCK, &kSome) == 0 && become_nobody() && !lock_memory();
    });
    EXPECT_EQ(kib_of(process, "VmLck"), 0U);
}

TEST(ProcessTest, ReportsWhyAProgramCannotBeStarted) {
    const auto pid = spawn_detached({.arguments = {"/nowhere/daemon"}, .error_file = ""});
    ASSERT_FALSE(pid.has_value());
    EXPECT_THAT(pid.error().detail, HasSubstr("/nowhere/daemon: No such file"));
}

TEST(ProcessTest, StartsWithAnEnvironmentAndDescriptorsOfItsOwn) {
    const std::string file = temporary_path("spawned");
    ::setenv("OCF_RESKEY_secret", "1", 1);
    const auto pid =
        spawn_detached({.arguments = {"/bin/sh", "-c", "env; ls /proc/self/fd | wc -l; echo done"},
                        .error_file = file});
    ASSERT_TRUE(pid.has_value());
    while (read_process(*pid)) {
        ::usleep(1000);
    }
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    ::unlink(file.c_str());
    EXPECT_THAT(text.str(), HasSubstr("done"));
    EXPECT_THAT(text.str(), HasSubstr("PATH=/usr/local/sbin:"));
    EXPECT_THAT(text.str(), ::testing::Not(HasSubstr("OCF_")));
    // ls has stdin, stdout, stderr and the directory it reads.
    EXPECT_THAT(text.str(), HasSubstr("\n4\n"));
}

Result<Ended> run_script(const char* script, std::chrono::milliseconds timeout) {
    return run_to_end({.arguments = {"/bin/sh", "-c", script}}, timeout);
}

TEST(ProcessTest, WhatACommandWritesToItsErrorsComesByAPipe) {
    const auto ended = run_script(
        "readlink /proc/self/fd/2 >&2; echo discarded; echo; echo last words >&2; exit 7", 10s);
    ASSERT_TRUE(ended.has_value()) << ended.error().detail;
    EXPECT_EQ(ended->code, 7);
    EXPECT_THAT(ended->errors, ::testing::MatchesRegex("pipe:.*; last words"));
}

TEST(ProcessTest, ACommandThatWritesWithoutEndIsReadAndKilled) {
    const auto much = run_script("head -c 1000000 /dev/zero | tr '\\0' x >&2", 10s);
    ASSERT_TRUE(much.has_value()) << "a pipe that is full does not hold it up";
    EXPECT_EQ(much->errors, std::string(8192, 'x'));
    const auto endless = run_script("echo it hangs >&2; exec cat /dev/zero >&2", 200ms);
    ASSERT_FALSE(endless.has_value());
    EXPECT_EQ(endless.error().code, Errc::timeout);
    EXPECT_THAT(endless.error().detail, HasSubstr("it wrote: it hangs"));
}

TEST(ProcessTest, WhoeverHasTheErrorsOfACommandThatEndedIsNotWaitedFor) {
    const auto ended = run_script("echo before >&2; sleep 1000 & echo $! >&2", 10s);
    ASSERT_TRUE(ended.has_value()) << ended.error().detail;
    ASSERT_THAT(ended->errors, ::testing::StartsWith("before; "));
    const auto left = read_process(std::stoi(ended->errors.substr(8)));
    ASSERT_TRUE(left.has_value());
    EXPECT_TRUE(kill_and_wait({*left}, 5s).has_value());
}

TEST(ProcessTest, WhatItStartsLeavesNoCoreFile) {
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_CORE, &limit), 0);
    // As Pacemaker has it for its agents.
    limit.rlim_cur = limit.rlim_max = RLIM_INFINITY;
    ASSERT_EQ(::setrlimit(RLIMIT_CORE, &limit), 0);
    const std::string file = temporary_path("cores");
    const auto pid = spawn_detached(
        {.arguments = {"/bin/sh", "-c", "sh -c 'ulimit -c; ulimit -Hc'"}, .error_file = file});
    ASSERT_TRUE(pid.has_value());
    while (read_process(*pid)) {
        ::usleep(1000);
    }
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    ::unlink(file.c_str());
    EXPECT_EQ(text.str(), "0\n0\n");
}

}  // namespace process_test
}  // namespace vpnha::adapters
