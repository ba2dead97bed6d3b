// SPDX-License-Identifier: GPL-2.0-or-later
// start-pptpd ARGUMENTS…: becomes stock pptpd, whose clients' call ids are this node's alone. pptpd
// has the path of pptpctrl compiled in: in a mount namespace of its own, our pptpctrl, which stands
// beside this program, lies over it. What is mounted on the node later is seen there too.
//
// VPNHA_PPTPD, a directory with a slash at its end, gets the stock pptpctrl. VPNHA_CALL_ID_OFFSET
// need not be set: then it comes from the node's id in corosync.conf.
#include <corosync/cmap.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

constexpr const char* kPptpd = "/usr/sbin/pptpd";
constexpr const char* kPptpctrl = "/usr/sbin/pptpctrl";
// pptpd gives each connection 128 call ids. A client makes one call of a connection, rarely two.
constexpr std::uint32_t kIdsOfANode = 8;
constexpr std::uint32_t kNodes = 128 / kIdsOfANode;

int failed(const char* what) {
    std::fprintf(stderr, "start-pptpd: %s: %s\n", what, std::strerror(errno));
    return 1;
}

// -1: Corosync does not run.
std::int64_t node_id() {
    cmap_handle_t map{};
    std::uint32_t id = 0;
    if (cmap_initialize(&map) != CS_OK) {
        return -1;
    }
    const bool found = cmap_get_uint32(map, "runtime.votequorum.this_node_id", &id) == CS_OK;
    cmap_finalize(map);
    return found ? std::int64_t{id} : -1;
}

// Of our pptpctrl; empty: this program does not know where it is.
std::string our_pptpctrl() {
    char self[PATH_MAX] = {};
    if (::readlink("/proc/self/exe", self, sizeof self - 1) < 0) {
        return {};
    }
    const std::string path = self;
    return path.substr(0, path.rfind('/') + 1) + "pptpctrl";
}

}  // namespace

int main(int argc, char** argv) {
    const char* const directory = std::getenv("VPNHA_PPTPD");
    if (argc < 2 || directory == nullptr) {
        std::fprintf(stderr, "I am started by ocf:vpnha:pptpd.\n");
        return 2;
    }
    if (std::getenv("VPNHA_CALL_ID_OFFSET") == nullptr) {
        const std::int64_t id = node_id();
        if (id < 0) {
            std::fprintf(stderr, "start-pptpd: corosync does not say which node this is\n");
            return 1;
        }
        const auto offset = static_cast<std::uint64_t>(id) % kNodes * kIdsOfANode;
        ::setenv("VPNHA_CALL_ID_OFFSET", std::to_string(offset).c_str(), 1);
    }
    const std::string stock = std::string(directory) + "pptpctrl";
    const int file = ::open(stock.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0700);
    if (file < 0) {
        return failed(stock.c_str());
    }
    ::close(file);
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
        return failed("a mount namespace for pptpd");
    }
    if (::mount(kPptpctrl, stock.c_str(), nullptr, MS_BIND, nullptr) != 0) {
        return failed(stock.c_str());
    }
    if (::mount(our_pptpctrl().c_str(), kPptpctrl, nullptr, MS_BIND, nullptr) != 0) {
        return failed(kPptpctrl);
    }
    ::setenv("VPNHA_PPTPCTRL", stock.c_str(), 1);
    ::execv(kPptpd, argv);
    return failed(kPptpd);
}
