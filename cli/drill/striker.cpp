// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/striker.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "cli/drill/look.hpp"
#include "cli/table.hpp"
#include "host/os/lock_file.hpp"
#include "host/os/program_output.hpp"

namespace vpnha::cli::drill {

namespace {

using Clock = std::chrono::steady_clock;

constexpr char kStrikeOrder = 's';
constexpr int kUndoFailed = 1;

// What the child writes, a line each: a letter and a text.
constexpr char kStruck = 's';
constexpr char kDone = 'd';
constexpr char kTrouble = 't';
constexpr char kUndoTrouble = 'u';

// A SIGTERM makes it readable.
std::array<int, 2> ended_pipe{-1, -1};

void on_terminate(int /*number*/) {
    const char any = 0;
    [[maybe_unused]] const ssize_t written = ::write(ended_pipe[1], &any, 1);
}

// The last line of it, for another line.
std::string last_line_of(std::string text) {
    while (!text.empty() && text.back() == '\n') {
        text.pop_back();
    }
    const std::size_t start = text.rfind('\n');
    return printable(start == std::string::npos ? text : text.substr(start + 1));
}

bool is_good(const Command& command, const Result<adapters::Printed>& printed) {
    return printed && (printed->code == 0 || printed->code == command.also_good);
}

class Child {
  public:
    Child(const Plan& plan, int link, std::chrono::milliseconds at_most)
        : plan_(plan), link_(link), at_most_(at_most) {}

    int run() {
        leave_parent();
        if (!wait_for_order(std::chrono::milliseconds(-1))) {
            return 0;  // Nothing was done.
        }
        strike();
        wait_for_end();
        return undo();
    }

  private:
    static void leave_parent() {
        ::setsid();
        // A kill of all processes with the name vpnha must not include this one.
        ::prctl(PR_SET_NAME, "vpnha-undo", 0, 0, 0);
        // Handlers, which end at exec(): started programs would inherit ignored signals.
        struct sigaction action {};
        action.sa_flags = SA_RESTART;
        action.sa_handler = on_terminate;
        ::sigaction(SIGTERM, &action, nullptr);
        action.sa_handler = [](int) {};
        for (const int number : {SIGINT, SIGHUP, SIGQUIT, SIGPIPE}) {
            ::sigaction(number, &action, nullptr);
        }
    }

    void send_line(char word, const std::string& text) const {
        const std::string line = fmt::format("{}{}\n", word, text);
        // The receiver may have ended.
        [[maybe_unused]] const ssize_t sent = ::send(link_, line.data(), line.size(), MSG_NOSIGNAL);
    }

    // False: the parent has ended, this process has to end, or the time is over.
    [[nodiscard]] bool wait_for_order(std::chrono::milliseconds time) const {
        const Clock::time_point end = Clock::now() + time;
        while (true) {
            const bool is_for_ever = time.count() < 0;
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
            std::array<pollfd, 2> waiting{pollfd{link_, POLLIN, 0},
                                          pollfd{ended_pipe[0], POLLIN, 0}};
            const int ready = ::poll(
                waiting.data(), waiting.size(),
                is_for_ever ? -1 : static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
            if (ready < 0 && errno == EINTR) {
                continue;
            }
            char order = 0;
            return ready > 0 && waiting[1].revents == 0 && ::recv(link_, &order, 1, 0) == 1 &&
                   order == kStrikeOrder;
        }
    }

    void strike() const {
        send_line(kStruck, fmt::format("{:.3f}", unix_ms_now()));
        std::string output;
        for (const Command& command : plan_.strike) {
            const auto printed = adapters::printed_by(command.words, command.timeout);
            if (!is_good(command, printed)) {
                send_line(kTrouble, fmt::format("{}: {}", text_of(command),
                                                printed ? fmt::format("exit code {}", printed->code)
                                                        : printable(printed.error().detail)));
                return;
            }
            output = last_line_of(printed->text);
        }
        send_line(kDone, output);
    }

    // Whatever ends the wait, the fault ends then.
    void wait_for_end() const { [[maybe_unused]] const bool order = wait_for_order(at_most_); }

    [[nodiscard]] int undo() const {
        int code = 0;
        for (const Command& command : plan_.undo) {
            const auto printed = adapters::printed_by(command.words, command.timeout,
                                                      adapters::ErrorOutput::dropped);
            if (!is_good(command, printed)) {
                code = kUndoFailed;
                send_line(kUndoTrouble, text_of(command));
                ::syslog(LOG_DAEMON | LOG_ERR, "vpnha drill: NOT UNDONE, type this: %s",
                         text_of(command).c_str());
            }
        }
        if (code == 0) {
            ::syslog(LOG_DAEMON | LOG_NOTICE, "vpnha drill: undone: %s", plan_.fault.c_str());
        }
        return code;
    }

    const Plan& plan_;
    int link_;
    std::chrono::milliseconds at_most_;
};

}  // namespace

Result<Striker> Striker::arm(const Plan& plan, std::chrono::milliseconds at_most,
                             const std::string& lock_file) {
    // The child holds it as well, since it has the descriptor.
    auto lock = adapters::lock_file(lock_file, LOCK_EX | LOCK_NB);
    if (!lock) {
        return fail(Errc::busy, fmt::format("another drill runs here, or is being undone ({})",
                                            lock.error().detail));
    }
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return tl::unexpected(system_error("socketpair", errno));
    }
    adapters::UniqueFd ours(ends[0]);
    adapters::UniqueFd theirs(ends[1]);
    if (::pipe2(ended_pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        return tl::unexpected(system_error("pipe", errno));
    }
    const pid_t child = ::fork();
    if (child < 0) {
        return tl::unexpected(system_error("fork", errno));
    }
    if (child == 0) {
        ours.reset();
        ::_exit(Child(plan, theirs.get(), at_most).run());
    }
    return Striker(child, std::move(ours));
}

Striker::Striker(Striker&& other) noexcept
    : child_(std::exchange(other.child_, -1)),
      link_(std::move(other.link_)),
      unread_(std::move(other.unread_)),
      undo_trouble_(std::move(other.undo_trouble_)),
      news_(std::move(other.news_)) {}

Striker::~Striker() {
    [[maybe_unused]] const Result<void> undone = undo();
}

void Striker::strike() {
    [[maybe_unused]] const ssize_t sent = ::send(link_.get(), &kStrikeOrder, 1, MSG_NOSIGNAL);
}

const Striker::News& Striker::news() {
    read_news(false);
    return news_;
}

void Striker::read_news(bool waits) {
    std::array<char, 4096> buffer{};
    while (true) {
        const ssize_t count =
            ::recv(link_.get(), buffer.data(), buffer.size(), waits ? 0 : MSG_DONTWAIT);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            break;
        }
        unread_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    for (std::size_t end = unread_.find('\n'); end != std::string::npos; end = unread_.find('\n')) {
        const std::string line = unread_.substr(0, end);
        unread_.erase(0, end + 1);
        const std::string text = line.substr(std::min<std::size_t>(1, line.size()));
        switch (line.empty() ? '\0' : line.front()) {
            case kStruck:
                news_.struck_ms = std::strtod(text.c_str(), nullptr);
                break;
            case kDone:
                news_.is_done = true;
                news_.output = text;
                break;
            case kTrouble:
                news_.is_done = true;
                news_.trouble = text;
                break;
            case kUndoTrouble:
                undo_trouble_ += (undo_trouble_.empty() ? "" : "; ") + text;
                break;
            default:
                break;
        }
    }
}

Result<void> Striker::undo() {
    if (child_ < 0) {
        return {};
    }
    ::shutdown(link_.get(), SHUT_WR);
    read_news(true);
    int status = 0;
    while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
    child_ = -1;
    if (!undo_trouble_.empty()) {
        return fail(Errc::system, undo_trouble_);
    }
    if (!WIFEXITED(status)) {
        return fail(Errc::system, "the process that undoes the fault was killed");
    }
    return {};
}

}  // namespace vpnha::cli::drill
