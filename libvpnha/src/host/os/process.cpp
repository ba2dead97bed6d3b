// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/process.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <memory>
#include <sstream>

#include "base/assert.hpp"
#include "host/os/spawn_rules.hpp"

namespace vpnha::adapters {

namespace {

// The environment of started programs: the caller's belongs to Pacemaker.
constexpr const char* kPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

constexpr rlimit kNoCore{0, 0};

std::optional<std::string> read_file(const std::string& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
        return std::nullopt;
    }
    std::string text;
    std::array<char, 4096> block{};
    for (;;) {
        const ssize_t count = ::read(file.get(), block.data(), block.size());
        if (count < 0) {
            return std::nullopt;
        }
        if (count == 0) {
            return text;
        }
        text.append(block.data(), static_cast<std::size_t>(count));
    }
}

std::string_view next_word(std::string_view& text) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return word;
}

std::string_view file_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

// Empty when this process may not read it.
std::string network_of(const std::string& process) {
    std::array<char, 64> name{};
    const ssize_t size =
        ::readlink(fmt::format("/proc/{}/ns/net", process).c_str(), name.data(), name.size());
    return {name.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

template <class Number>
Number number(std::string_view text) {
    Number value{};
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

struct Pipe {
    UniqueFd reader;
    UniqueFd writer;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return tl::unexpected(system_error("pipe2", errno));
    }
    return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// The started side's report: its pid, then nothing (executed) or an errno.
struct SpawnNews {
    pid_t pid = 0;
    int error_number = 0;
};

// A command as execve() takes it. The command must outlive it.
struct Execution {
    std::vector<char*> argv;
    std::vector<char*> environment;
    const char* output;
    const std::function<int()>& in_child;
};

Execution prepare(const Command& command) {
    std::vector<char*> environment = pointers_to(command.environment);
    environment.insert(environment.begin(), const_cast<char*>(kPath));
    return {.argv = pointers_to(command.arguments),
            .environment = std::move(environment),
            .output = command.error_file.empty() ? "/dev/null" : command.error_file.c_str(),
            .in_child = command.in_child};
}

// Ends the calling process: by the command or by a failure, which is reported through `news`.
// `errors`: its stderr; -1: the same as its stdout.
[[noreturn]] void execute(const Execution& execution, int news, int errors = -1) {
    SpawnNews report{.pid = ::getpid(), .error_number = 0};
    [[maybe_unused]] ssize_t written = ::write(news, &report, sizeof report);
    sigset_t none;
    ::sigemptyset(&none);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
    ::setpriority(PRIO_PROCESS, 0, 0);
    const int null = ::open("/dev/null", O_RDONLY);
    const int out = ::open(execution.output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(null, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(errors < 0 ? out : errors, STDERR_FILENO);
    ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    report.error_number = execution.in_child ? execution.in_child() : 0;
    if (report.error_number == 0) {
        ::execve(execution.argv[0], execution.argv.data(), execution.environment.data());
        report.error_number = errno;
    }
    written = ::write(news, &report, sizeof report);
    ::_exit(127);
}

// By number: glibc 2.36 declares its wrappers without C linkage.
UniqueFd open_pidfd(pid_t pid) {
    return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

enum class Waited { ended, timed_out, stopped };

// `stop`: -1 when there is none. A process that cannot be waited for counts as stopped.
Waited wait_ended_or_stopped(int pidfd, int stop, std::chrono::steady_clock::time_point deadline) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        std::array<pollfd, 2> entries{pollfd{.fd = pidfd, .events = POLLIN, .revents = 0},
                                      pollfd{.fd = stop, .events = POLLIN, .revents = 0}};
        const int ready = ::poll(entries.data(), entries.size(),
                                 static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
        if (ready == 0) {
            return Waited::timed_out;
        }
        if (ready > 0) {
            return entries[0].revents != 0 ? Waited::ended : Waited::stopped;
        }
        if (errno != EINTR) {
            return Waited::stopped;
        }
    }
}

// The output of a command, up to a bound.
class ErrorReader {
  public:
    explicit ErrorReader(int pipe) : pipe_(pipe) {
        ::fcntl(pipe_, F_SETFL, ::fcntl(pipe_, F_GETFL) | O_NONBLOCK);
    }

    // -1: nobody can write any more.
    [[nodiscard]] int pipe() const { return pipe_; }
    // Reads the pipe's present content. Output that is faster than this is lost.
    void read() {
        std::array<char, 4096> bytes{};
        for (std::size_t taken = 0; taken < kPipeBytes && pipe_ >= 0;) {
            const ssize_t size = ::read(pipe_, bytes.data(), bytes.size());
            if (size < 0) {
                return;
            }
            pipe_ = size == 0 ? -1 : pipe_;
            taken += static_cast<std::size_t>(size);
            text_.append(bytes.data(),
                         std::min(static_cast<std::size_t>(size), kErrorBytesMax - text_.size()));
        }
    }
    [[nodiscard]] std::string lines() const {
        std::string joined;
        std::istringstream text(text_);
        for (std::string line; std::getline(text, line);) {
            if (!line.empty()) {
                joined += (joined.empty() ? "" : "; ") + line;
            }
        }
        return joined;
    }

  private:
    static constexpr std::size_t kPipeBytes = 65536;
    static constexpr std::size_t kErrorBytesMax = 8192;

    int pipe_;
    std::string text_;
};

// False: it had not ended by the deadline. A child of it that continues and has the pipe is not
// waited for.
bool read_until_gone(ErrorReader& errors, int pidfd,
                     std::chrono::steady_clock::time_point deadline) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        std::array<pollfd, 2> entries{pollfd{.fd = pidfd, .events = POLLIN, .revents = 0},
                                      pollfd{.fd = errors.pipe(), .events = POLLIN, .revents = 0}};
        const int ready = ::poll(entries.data(), entries.size(),
                                 static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
        const bool is_gone = entries[0].revents != 0;
        errors.read();
        if (is_gone || left.count() <= 0 || (ready < 0 && errno != EINTR)) {
            return is_gone;
        }
    }
}

bool wait_gone(int pidfd, std::chrono::steady_clock::time_point deadline) {
    return wait_ended_or_stopped(pidfd, -1, deadline) == Waited::ended;
}

// The pid of the started side, when that has executed its program.
Result<pid_t> read_spawn_news(const Pipe& news, const std::string& program) {
    SpawnNews report{};
    if (::read(news.reader.get(), &report, sizeof report) != sizeof report) {
        return fail(Errc::system, fmt::format("starting {}: fork failed", program));
    }
    const pid_t pid = report.pid;
    if (::read(news.reader.get(), &report, sizeof report) == sizeof report) {
        return tl::unexpected(system_error("starting " + program, report.error_number));
    }
    return pid;
}

// As in a shell: for a signal 128 more than its number.
int exit_code_of(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (const std::string& text : texts) {
        pointers.push_back(const_cast<char*>(text.c_str()));
    }
    pointers.push_back(nullptr);
    return pointers;
}

std::optional<Process> read_process(pid_t pid) {
    const auto stat = read_file(fmt::format("/proc/{}/stat", pid));
    const auto arguments = read_file(fmt::format("/proc/{}/cmdline", pid));
    if (!stat || !arguments) {
        return std::nullopt;
    }
    // "pid (name) state parent …": the name may hold blanks and parentheses. After it: state, then
    // parent; the start time is the 20th word.
    const std::size_t name_end = stat->rfind(") ");
    if (name_end == std::string::npos) {
        return std::nullopt;
    }
    std::string_view words = std::string_view(*stat).substr(name_end + 2);
    const std::string_view state = next_word(words);
    if (state == "Z" || state == "X") {
        return std::nullopt;
    }
    Process process{.pid = pid,
                    .parent = number<pid_t>(next_word(words)),
                    .stopped = state == "T" || state == "t",
                    .start_ticks = 0,
                    .arguments = {}};
    for (int skipped = 0; skipped < 17; ++skipped) {
        next_word(words);
    }
    process.start_ticks = number<std::uint64_t>(next_word(words));
    for (std::size_t start = 0; start < arguments->size();) {
        const std::size_t end = std::min(arguments->find('\0', start), arguments->size());
        process.arguments.push_back(arguments->substr(start, end - start));
        start = end + 1;
    }
    return process;
}

Result<std::vector<Process>> list_processes() {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc"), &::closedir);
    if (!directory) {
        return tl::unexpected(system_error("opendir /proc", errno));
    }
    std::vector<Process> processes;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is nobody else's.
    while (const dirent* const entry = ::readdir(directory.get())) {
        const pid_t pid = number<pid_t>(entry->d_name);
        if (pid <= 0) {
            continue;
        }
        if (auto process = read_process(pid)) {
            processes.push_back(std::move(*process));
        }
    }
    return processes;
}

std::uint64_t data_bytes(const Process& process) {
    constexpr std::string_view kName = "\nVmData:";
    const std::string text =
        read_file(fmt::format("/proc/{}/status", process.pid)).value_or(std::string());
    const std::size_t at = text.find(kName);
    if (at == std::string::npos) {
        return 0;
    }
    const std::string_view words = std::string_view(text).substr(at + kName.size());
    const std::size_t first = std::min(words.find_first_not_of("\t "), words.size());
    std::string_view kibibytes = words.substr(first);
    return number<std::uint64_t>(next_word(kibibytes)) * 1024;
}

bool has_variable(const Process& process, const std::string& variable) {
    const std::string all =
        '\0' + read_file(fmt::format("/proc/{}/environ", process.pid)).value_or("") + '\0';
    return all.find('\0' + variable + '\0') != std::string::npos;
}

std::vector<Process> processes_here(std::string_view program) {
    const std::string ours = network_of("thread-self");
    std::vector<Process> found;
    for (Process& process : list_processes().value_or(std::vector<Process>{})) {
        if (!process.arguments.empty() && file_name(process.arguments.front()) == program) {
            const std::string theirs = network_of(std::to_string(process.pid));
            if (theirs.empty() || theirs == ours) {
                found.push_back(std::move(process));
            }
        }
    }
    return found;
}

UniqueFd open_process(const Process& process) {
    UniqueFd pidfd = open_pidfd(process.pid);
    const auto now = read_process(process.pid);
    if (!now || now->start_ticks != process.start_ticks) {
        pidfd.reset();
    }
    return pidfd;
}

namespace {

// Whether RLIMIT_MEMLOCK is unlimited, or does not apply; errno if not. It locks more than the
// limit for a moment, without touching it.
bool may_lock_all() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return limit.rlim_cur == RLIM_INFINITY;
    }
    const std::size_t size = limit.rlim_cur + 1;
    void* const room =
        ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) {
        return false;
    }
    const bool is_locked = ::mlock2(room, size, MLOCK_ONFAULT) == 0;
    const int error = errno;
    ::munmap(room, size);
    errno = error;
    return is_locked;
}

}  // namespace

Result<void> forbid_dumps() {
    if (::setrlimit(RLIMIT_CORE, &kNoCore) != 0 || ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return tl::unexpected(system_error("forbidding dumps of this process's memory", errno));
    }
    return {};
}

Result<void> lock_memory() {
    if (!may_lock_all() || ::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0) {
        return tl::unexpected(system_error("locking the memory of this process", errno));
    }
    return {};
}

Result<void> prefer_this_process() {
    constexpr int kNiceness = -10;
    if (::setpriority(PRIO_PROCESS, 0, kNiceness) != 0) {
        return tl::unexpected(system_error("giving vpnhad more of the processor", errno));
    }
    return {};
}

Result<void> run_in_real_time() {
    const sched_param highest{::sched_get_priority_max(SCHED_RR)};
    if (::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &highest) == 0) {
        return {};
    }
    Error error = system_error("running in real time", errno);
    const Result<void> preferred = prefer_this_process();
    error.detail += preferred ? "; nice -10 instead" : "; " + preferred.error().detail;
    return tl::unexpected(std::move(error));
}

bool runs_in_real_time() {
    return (::sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) == SCHED_RR;
}

Result<pid_t> spawn_detached(const Command& command) {
    VPNHA_TRY(Pipe news, make_pipe());
    const Execution execution = prepare(command);
    const pid_t middle = ::fork();
    if (middle < 0) {
        return tl::unexpected(system_error("fork", errno));
    }
    if (middle == 0) {
        ::setsid();
        ::setrlimit(RLIMIT_CORE, &kNoCore);  // Lowering a limit is never refused.
        if (command.data_bytes_max > 0) {
            const rlimit data{command.data_bytes_max, command.data_bytes_max};
            ::setrlimit(RLIMIT_DATA, &data);
        }
        if (::fork() != 0) {
            ::_exit(0);
        }
        execute(execution, news.writer.get());
    }
    news.writer.reset();
    wait_for(middle);
    return read_spawn_news(news, command.arguments[0]);
}

Result<Ended> run_to_end(const Command& command, std::chrono::milliseconds timeout) {
    VPNHA_ASSERT(command.error_file.empty());
    VPNHA_TRY(Pipe news, make_pipe());
    VPNHA_TRY(Pipe errors, make_pipe());
    const Execution execution = prepare(command);
    const pid_t child = ::fork();
    if (child < 0) {
        return tl::unexpected(system_error("fork", errno));
    }
    if (child == 0) {
        execute(execution, news.writer.get(), errors.writer.get());
    }
    news.writer.reset();
    errors.writer.reset();
    ErrorReader reader(errors.reader.get());
    const Result<pid_t> started = read_spawn_news(news, command.arguments[0]);
    const bool ended = read_until_gone(reader, open_pidfd(child).get(),
                                       std::chrono::steady_clock::now() + timeout);
    if (!ended) {
        ::kill(child, SIGKILL);
    }
    const int status = wait_for(child);
    if (!started) {
        return tl::unexpected(started.error());
    }
    if (!ended) {
        const std::string words = reader.lines();
        return fail(Errc::timeout, fmt::format("{} does not end within {} ms; it was killed{}",
                                               command.arguments[0], timeout.count(),
                                               words.empty() ? words : "; it wrote: " + words));
    }
    return Ended{.code = exit_code_of(status), .errors = reader.lines()};
}

Result<int> run_group_to_end(const Command& command, std::chrono::milliseconds timeout, int stop) {
    VPNHA_ASSERT(!command.in_child);
    const Execution execution = prepare(command);
    const SpawnRules rules(execution.output);
    const std::string& program = command.arguments[0];
    pid_t child = -1;
    const int error = ::posix_spawn(&child, program.c_str(), rules.actions(), rules.attributes(),
                                    execution.argv.data(), execution.environment.data());
    if (error != 0) {
        return tl::unexpected(system_error("starting " + program, error));
    }
    const Waited waited = wait_ended_or_stopped(open_pidfd(child).get(), stop,
                                                std::chrono::steady_clock::now() + timeout);
    if (waited != Waited::ended) {
        ::kill(-child, SIGKILL);
    }
    const int status = wait_for(child);
    if (waited == Waited::timed_out) {
        return fail(Errc::timeout, fmt::format("{} does not end within {} ms; it was killed",
                                               program, timeout.count()));
    }
    if (waited == Waited::stopped) {
        return fail(Errc::unreachable, fmt::format("{} was killed", program));
    }
    return exit_code_of(status);
}

void leave_caller() {
    constexpr int kNiceness = 10;
    ::setsid();
    ::setpriority(PRIO_PROCESS, 0, kNiceness);
    const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        ::dup2(null.get(), stream);
    }
}

void close_output_after_end() {
    std::fflush(stdout);
    struct stat output {};
    if (::fstat(STDOUT_FILENO, &output) != 0 || !S_ISFIFO(output.st_mode)) {
        return;
    }
    // The child shares the memory, and outlives the program: a copy would cost the program more
    // than all its own work. Nobody else uses the child's part of it.
    alignas(16) static std::array<char, 16384> stack;
    static int ending;
    ending = static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0));
    const auto wait_for_end = [](void*) {
        constexpr auto kEndsWithin = std::chrono::seconds(1);
        wait_gone(ending, std::chrono::steady_clock::now() + kEndsWithin);
        return 0;
    };
    ::clone(wait_for_end, stack.data() + stack.size(), CLONE_VM, nullptr);
}

void terminate_and_wait(const Process& process, std::chrono::milliseconds patience) {
    const UniqueFd pidfd = open_process(process);
    if (pidfd && ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGTERM, nullptr, 0) == 0) {
        wait_gone(pidfd.get(), std::chrono::steady_clock::now() + patience);
    }
}

Result<void> kill_and_wait(const std::vector<Process>& processes,
                           std::chrono::milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    struct Victim {
        pid_t pid;
        UniqueFd pidfd;
    };
    std::vector<Victim> victims;
    for (const Process& process : processes) {
        UniqueFd pidfd = open_process(process);
        if (!pidfd) {
            continue;
        }
        ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGSTOP, nullptr, 0);
        victims.push_back({process.pid, std::move(pidfd)});
    }
    // Children first, which usually have the higher numbers: at the end of a parent the kernel may
    // continue a stopped group of processes that has lost its last tie.
    for (auto victim = victims.rbegin(); victim != victims.rend(); ++victim) {
        ::syscall(SYS_pidfd_send_signal, victim->pidfd.get(), SIGKILL, nullptr, 0);
    }
    for (const Victim& victim : victims) {
        if (!wait_gone(victim.pidfd.get(), deadline)) {
            return fail(Errc::timeout,
                        fmt::format("process {} does not die of SIGKILL; it hangs in the kernel",
                                    victim.pid));
        }
    }
    return {};
}

}  // namespace vpnha::adapters
