// SPDX-License-Identifier: GPL-2.0-or-later
// start-pptpd ARGUMENTS…: becomes stock pptpd, whose clients' call ids are this node's alone. pptpd
// has the path of pptpctrl compiled in: in a mount namespace of its own, our pptpctrl, which stands
// beside this program, lies over it. What is mounted on the node later is seen there too.
//
// VPNHA_PPTPD, a directory with a slash at its end, gets the stock pptpctrl. VPNHA_CALL_ID_OFFSET
// need not be set: then it comes from the node's id in corosync.conf, and no other node may have
// the same. The id of the last call stands in the state directory, over all pptpds of this node.
#include <corosync/cmap.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "protocols/pptp/model/call_shares.hpp"

namespace {

using vpnha::NodeId;
using vpnha::pptp::call_id_offset;

constexpr const char* kPptpd = "/usr/sbin/pptpd";
constexpr const char* kPptpctrl = "/usr/sbin/pptpctrl";
constexpr const char* kStateDirectory = "/var/lib/vpnha";
constexpr const char* kLastCallId = "/var/lib/vpnha/pptp-last-call-id";

int failed(const char* what) {
    std::fprintf(stderr, "start-pptpd: %s: %s\n", what, std::strerror(errno));
    return 1;
}

// The node of corosync.conf that is not `own` and has its share of call ids, for a human; empty:
// there is none.
std::string clash_of(cmap_handle_t map, std::uint32_t own) {
    cmap_iter_handle_t iterator{};
    if (cmap_iter_init(map, "nodelist.node.", &iterator) != CS_OK) {
        return {};
    }
    std::string clash;
    std::array<char, CMAP_KEYNAME_MAXLEN + 1> key{};
    while (cmap_iter_next(map, iterator, key.data(), nullptr, nullptr) == CS_OK) {
        const std::string name = key.data();
        const std::size_t at = name.rfind(".nodeid");
        std::uint32_t id = 0;
        if (at == std::string::npos || cmap_get_uint32(map, name.c_str(), &id) != CS_OK ||
            id == own || call_id_offset(NodeId{id}) != call_id_offset(NodeId{own})) {
            continue;
        }
        char* value = nullptr;
        clash = cmap_get_string(map, (name.substr(0, at) + ".name").c_str(), &value) == CS_OK
                    ? std::string(value) + " (" + std::to_string(id) + ")"
                    : "node " + std::to_string(id);
        std::free(value);
    }
    cmap_iter_finalize(map, iterator);
    return clash;
}

// Corosync listens in the host's network namespace, and this program may be in a gateway's.
cs_error_t open_map(cmap_handle_t& map) {
    const int here = ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    const int host = ::open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);
    const bool is_there = here >= 0 && host >= 0 && ::setns(host, CLONE_NEWNET) == 0;
    const cs_error_t opened = cmap_initialize(&map);
    if (is_there && ::setns(here, CLONE_NEWNET) != 0) {
        return CS_ERR_LIBRARY;
    }
    ::close(host);
    ::close(here);
    return opened;
}

// Of this node. Empty: it cannot be told, and stderr has the reason.
std::string own_offset() {
    cmap_handle_t map{};
    std::uint32_t own = 0;
    if (open_map(map) != CS_OK ||
        cmap_get_uint32(map, "runtime.votequorum.this_node_id", &own) != CS_OK) {
        std::fprintf(stderr, "start-pptpd: corosync does not name this node\n");
        return {};
    }
    const std::string clash = clash_of(map, own);
    cmap_finalize(map);
    if (!clash.empty()) {
        std::fprintf(stderr,
                     "start-pptpd: %s would give out the call ids of this node (%u); set "
                     "call_id_offset of ocf:vpnha:pptpd by a rule for each node\n",
                     clash.c_str(), own);
        return {};
    }
    return std::to_string(call_id_offset(NodeId{own}));
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
        const std::string offset = own_offset();
        if (offset.empty()) {
            return 1;
        }
        ::setenv("VPNHA_CALL_ID_OFFSET", offset.c_str(), 1);
    }
    if (::mkdir(kStateDirectory, 0700) != 0 && errno != EEXIST) {
        return failed(kStateDirectory);
    }
    ::setenv("VPNHA_LAST_CALL_ID", kLastCallId, 1);
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
