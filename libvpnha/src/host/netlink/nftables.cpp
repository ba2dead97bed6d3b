// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/netlink/nftables.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>

#include <cstdint>
#include <memory>

#include "host/netlink/netlink.hpp"

namespace vpnha::adapters {

namespace {

struct nft_ctx;

// From include/uapi/linux/netfilter.h, which is not among the headers of the C library.
constexpr std::uint8_t kInetFamily = 1;
constexpr std::uint8_t kNetdevFamily = 5;

// NFT_CTX_OUTPUT_JSON; with it libnftables also accepts JSON as input.
constexpr unsigned kJson = 1U << 4;

// libnftables is loaded when it is needed and not at start: its dependencies would double the start
// time of an agent, whose monitors run every two seconds and never need it.
class Nftables {
  public:
    static Result<Nftables> load() {
        Nftables library;
        library.handle_.reset(::dlopen("libnftables.so.1", RTLD_NOW | RTLD_LOCAL));
        if (!library.handle_) {
            // NOLINTNEXTLINE(concurrency-mt-unsafe): glibc keeps the text per thread.
            const char* const reason = ::dlerror();
            return fail(Errc::unsupported,
                        fmt::format("{}; install the package libnftables1", reason));
        }
        library.find(library.make_, "nft_ctx_new");
        library.find(library.free_, "nft_ctx_free");
        library.find(library.buffer_output_, "nft_ctx_buffer_output");
        library.find(library.buffer_error_, "nft_ctx_buffer_error");
        library.find(library.output_text_, "nft_ctx_get_output_buffer");
        library.find(library.error_text_, "nft_ctx_get_error_buffer");
        library.find(library.set_flags_, "nft_ctx_output_set_flags");
        library.find(library.run_, "nft_run_cmd_from_buffer");
        if (!library.complete_) {
            return fail(Errc::unsupported, "libnftables.so.1 is too old; version 1.0.6 is needed");
        }
        return library;
    }

    // Returns what nft prints.
    [[nodiscard]] Result<std::string> run(const std::string& commands) const {
        const std::unique_ptr<nft_ctx, void (*)(nft_ctx*)> context(make_(0), free_);
        if (!context) {
            return fail(Errc::system, "nft_ctx_new failed: no memory or no netlink");
        }
        buffer_output_(context.get());
        buffer_error_(context.get());
        set_flags_(context.get(), kJson);
        if (run_(context.get(), commands.c_str()) != 0) {
            return fail(Errc::system, fmt::format("nftables: {}", error_text_(context.get())));
        }
        return std::string(output_text_(context.get()));
    }

  private:
    template <class Function>
    void find(Function*& function, const char* name) {
        function = reinterpret_cast<Function*>(::dlsym(handle_.get(), name));
        complete_ = complete_ && function != nullptr;
    }

    struct Close {
        void operator()(void* handle) const { ::dlclose(handle); }
    };
    std::unique_ptr<void, Close> handle_;
    bool complete_ = true;
    nft_ctx* (*make_)(std::uint32_t) = nullptr;
    void (*free_)(nft_ctx*) = nullptr;
    int (*buffer_output_)(nft_ctx*) = nullptr;
    int (*buffer_error_)(nft_ctx*) = nullptr;
    const char* (*output_text_)(nft_ctx*) = nullptr;
    const char* (*error_text_)(nft_ctx*) = nullptr;
    void (*set_flags_)(nft_ctx*, unsigned) = nullptr;
    int (*run_)(nft_ctx*, const char*) = nullptr;
};

}  // namespace

std::string without_nft_table(std::string_view family, std::string_view name) {
    return fmt::format("table {0} {1} {{ }}\ndelete table {0} {1}\n", family, name);
}

Result<void> run_nftables(const std::string& commands) {
    VPNHA_TRY(const Nftables nftables, Nftables::load());
    return nftables.run(commands).map([](const std::string&) {});
}

Result<std::string> list_nft_rules() {
    VPNHA_TRY(const Nftables nftables, Nftables::load());
    return nftables.run("list ruleset");
}

Result<bool> has_nft_table(const std::string& name) {
    VPNHA_TRY(NetlinkSocket socket, NetlinkSocket::open(NETLINK_NETFILTER));
    NetlinkRequest request((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE, NLM_F_ACK);
    auto& header = request.header<nfgenmsg>();
    header.nfgen_family = kInetFamily;
    header.version = NFNETLINK_V0;
    request.text(NFTA_TABLE_NAME, name.c_str());
    const Result<void> asked = socket.ask(request, "looking for the nftables table " + name);
    if (!asked && asked.error().code != Errc::not_found) {
        return tl::unexpected(asked.error());
    }
    return asked.has_value();
}

Result<std::set<std::string>> netdev_chains(const std::string& table) {
    VPNHA_TRY(NetlinkSocket socket, NetlinkSocket::open(NETLINK_NETFILTER));
    NetlinkRequest request((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETCHAIN, NLM_F_DUMP);
    auto& header = request.header<nfgenmsg>();
    header.nfgen_family = kNetdevFamily;
    header.version = NFNETLINK_V0;
    std::set<std::string> found;
    VPNHA_CHECK(
        socket.ask(request, "listing the nftables chains of " + table, [&](const nlmsghdr* answer) {
            std::string name;
            std::string owner;
            for_each_attribute(answer, sizeof(nfgenmsg), [&](const nlattr* attribute) {
                const std::uint16_t type = mnl_attr_get_type(attribute);
                if (mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) != 0) {
                    return;
                }
                if (type == NFTA_CHAIN_TABLE) {
                    owner = mnl_attr_get_str(attribute);
                } else if (type == NFTA_CHAIN_NAME) {
                    name = mnl_attr_get_str(attribute);
                }
            });
            if (owner == table) {
                found.insert(name);
            }
        }));
    return found;
}

}  // namespace vpnha::adapters
