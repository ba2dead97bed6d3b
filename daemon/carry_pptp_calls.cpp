// SPDX-License-Identifier: GPL-2.0-or-later
// carry-calls: the data path of PPTP calls, which vpnhad starts
// (protocols/pptp/backend/data_path.hpp). It parses what clients send, and so has no privileges
// except the descriptors that vpnhad gives it.
//
// Exit codes: 0 vpnhad has closed its socket, 1 it cannot do its work, 2 not started by vpnhad.
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>

#include "host/helper/helper_process.hpp"
#include "host/helper/sandbox.hpp"
#include "protocols/pptp/backend/path_worker.hpp"

namespace {

using namespace vpnha;

bool is_message_socket(int fd) {
    int type = 0;
    socklen_t size = sizeof type;
    return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

Result<void> carry() {
    adapters::UniqueFd socket(adapters::HelperProcess::kSocket);
    VPNHA_TRY(auto worker, adapters::PathWorker::create(std::move(socket)));
    adapters::PathReady ready;
    if (const Result<void> entered = adapters::enter_sandbox(ready.unlocked); !entered) {
        ready.error = entered.error().detail;
    }
    VPNHA_CHECK(worker->report(ready));
    return ready.error.empty() ? worker->run() : fail(Errc::system, ready.error);
}

}  // namespace

int main() {
    if (!is_message_socket(adapters::HelperProcess::kSocket)) {
        std::fprintf(stderr, "carry-calls is started by vpnhad\n");
        return 2;
    }
    const Result<void> done = carry();
    // No destructor closes descriptors one by one: vpnhad has them.
    ::_exit(!done && done.error().code != Errc::unreachable ? 1 : 0);
}
