// SPDX-License-Identifier: GPL-2.0-or-later
// The backend of PPTP for this node's gateways: the watch over the stock calls, the data path of
// resumed calls, and the keys of MPPE, which are sealed while they move between nodes.
//
// The gate learns of requested ends of control connections: it passes no other end.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/config.hpp"
#include "host/os/qb_loop.hpp"
#include "host/secrets/secret_box.hpp"
#include "protocols/backend.hpp"
#include "protocols/ppp/model/client_networks.hpp"
#include "protocols/ppp/ppp_protocol.hpp"
#include "protocols/pptp/backend/call_watch.hpp"
#include "protocols/pptp/backend/data_path.hpp"
#include "protocols/pptp/work.hpp"

namespace vpnha::runtime {

// `unwatched`: packets of calls for which the capture had no room. `evicted`: control connections
// without a call that were dropped because there was no room.
[[nodiscard]] Status call_status(const pptp::CallCounters& counters, std::uint64_t unwatched,
                                 std::uint64_t evicted);

class Pptp final : public ports::Backend, public ports::PppProtocol {
  public:
    // Called from the loop, never from within a call of this class.
    struct Listener {
        Notify notify;
        // Sets whether the gate passes the end of this connection.
        std::function<Result<void>(Ipv4Address vip, const Ipv4Endpoint& peer, bool meant)>
            allow_end;
        // Called within a call of this class, in spite of the above; if it fails, the call is not
        // prepared.
        ppp::ClientNetworks::Lead on_networks;
        // The data path has failed; called once. Another node has to take its calls over.
        std::function<void(const Error&)> failed;
    };
    // nullptr when no gateway has PPTP. `config` and `loop` must outlive it. Errors are those of
    // the data path and of the cluster's key in `key_file`.
    [[nodiscard]] static Result<std::unique_ptr<Pptp>> open(const config::Config& config,
                                                            adapters::QbLoop& loop,
                                                            const std::string& key_file,
                                                            Listener listener);
    ~Pptp() override;
    Pptp(const Pptp&) = delete;
    Pptp& operator=(const Pptp&) = delete;

    [[nodiscard]] bool execute(effects::ProtocolWork& work) override;

    [[nodiscard]] ports::PppProtocol* ppp() override { return this; }

    [[nodiscard]] std::string_view name() const override { return "pptp"; }
    [[nodiscard]] bool serves(const config::Gateway& gateway) const override {
        return gateway.protocols.has("pptp");
    }
    // Returns what was observed of the call, which is followed from now on.
    [[nodiscard]] Result<Session> on_session_up(const Report& report) override;
    void on_pppd_gone(PluginToken plugin, bool announced) override;

    [[nodiscard]] Status status() const override;

  private:
    Pptp(const config::Config& config, adapters::QbLoop& loop, adapters::SecretBox box,
         std::unique_ptr<adapters::DataPath> data_path, Listener listener);

    struct Followed {
        GatewayId gateway;
        pptp::CallKey key;
    };

    void carry_out(node::PrepareCall& work);
    void carry_out(node::SetCallNumbers& work) { data_path_->post(std::move(work)); }
    void carry_out(node::RemoveCall& work);
    void carry_out(node::EndCall& work) { data_path_->post(work); }
    void carry_out(node::DismissCall& work);
    void carry_out(node::ResumeCalls& work) { data_path_->post(std::move(work)); }
    void carry_out(node::ReleaseCalls& work) { data_path_->post(std::move(work)); }
    void carry_out(node::PauseCalls& work) { data_path_->post(work); }
    void carry_out(node::WatchCalls& work);
    void carry_out(node::UnwatchCalls& work) { watch_.unwatch(work.gateway); }
    void carry_out(node::ReadCalls& work);
    void handle(GatewayId gateway, const adapters::DataPath::NumbersRead& read);
    void handle(GatewayId gateway, const adapters::DataPath::MeantEnd& end);
    void handle(GatewayId gateway, const node::CallPrepared& prepared);
    void handle(GatewayId gateway, const node::CallEnded& ended);
    template <class Event>
    void handle(GatewayId gateway, const Event& event) {
        listener_.notify(gateway, event);
    }

    void on_events();
    // Routes packets to the networks behind its
    // client, in place of those that it had before.
    [[nodiscard]] Result<void> lead_to(const config::Gateway& gateway,
                                       const node::PrepareCall& call);
    void lead_no_more(const pptp::CallKey& key);
    void refuse(GatewayId gateway, const pptp::CallKey& key, std::uint64_t ticket, Error why);
    void report_refused();
    void allow_end(Ipv4Address vip, const Ipv4Endpoint& peer, bool meant);
    [[nodiscard]] Result<pptp::StartKeys> open_keys(const pptp::CallRecord& record) const;
    [[nodiscard]] adapters::CallWatch::Listener watch_listener();

    const config::Config& config_;
    adapters::QbLoop& loop_;
    adapters::SecretBox box_;
    std::unique_ptr<adapters::DataPath> data_path_;
    Listener listener_;
    adapters::CallWatch watch_;
    std::map<PluginToken, Followed> stock_;
    std::vector<std::pair<GatewayId, node::CallPrepared>> refused_;
    ppp::ClientNetworks networks_;
    struct Led {
        GatewayId gateway;
        std::uint64_t ticket = 0;  // Of its preparation.
        std::vector<IpPrefix> networks;
    };
    std::map<pptp::CallKey, Led> led_;  // Calls with a network outside of the pools.
    bool has_failed_ = false;           // The data path.
};

}  // namespace vpnha::runtime
