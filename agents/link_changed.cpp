// SPDX-License-Identifier: GPL-2.0-or-later
// link-up and link-down INTERFACE TTY SPEED LOCAL REMOTE DIRECTORY: what pppd calls when a link of
// ocf:vpnha:pppd has come up, and when it has gone; which of the two it is called by decides. Then
// it becomes the node's own /etc/ppp/ip-up or ip-down, which pppd would have called instead.
#include <syslog.h>
#include <unistd.h>

#include <string_view>

#include "protocols/ppp/service/ppp_link_service.hpp"

namespace {

constexpr int kInterface = 1;
constexpr int kDirectory = 6;

}  // namespace

int main(int argc, char** argv) {
    if (argc <= kDirectory) {
        return 2;
    }
    const bool is_up = std::string_view(argv[0]).ends_with("/link-up");
    const auto notified =
        vpnha::adapters::notify_ppp_link(argv[kDirectory], argv[kInterface], is_up);
    if (!notified) {
        ::openlog("vpnha-link", LOG_PID, LOG_DAEMON);
        ::syslog(LOG_ERR, "%s: %s", argv[kDirectory], notified.error().detail.c_str());
    }
    const char* const own = is_up ? "/etc/ppp/ip-up" : "/etc/ppp/ip-down";
    if (::access(own, X_OK) == 0) {
        ::execv(own, argv);
    }
    return notified ? 0 : 1;
}
