// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/radius_keys.hpp"

#include "config/key_text.hpp"
#include "config/values.hpp"

namespace vpnha::config {

namespace {

using wire::Weight;

// Each request waits for the time-outs of a server that is down.
constexpr std::int64_t kAccountingServersMax = 8;
constexpr std::int64_t kRequestsPerSecondMax = 10'000;
constexpr std::int64_t kNasIdentifierBytesMax = 64;
constexpr std::int64_t kAuthorizationClientsMax = 16;

}  // namespace

std::vector<Key> radius_keys() {
    return {
        {Section::radius, "accounting_servers", Kind::servers, 0, kAccountingServersMax, "[]",
         "[\"198.51.100.5:1813\"]",
         "Accounting servers, IPv4 addresses with UDP ports, in the order in which each request "
         "tries them. Every node is a client of them.",
         Weight::note, at<&Config::radius, &Radius::accounting_servers>()},
        {Section::radius, "secret_file", Kind::path, 2, kFilePathBytesMax,
         "\"/etc/vpnha/radius.secret\"", "\"/etc/vpnha/radius.secret\"",
         "The secret that the nodes share with these servers, one line of at most 128 octets. For "
         "root alone (0600).",
         Weight::note, at<&Config::radius, &Radius::secret_file>()},
        {Section::radius,
         "interim_interval",
         Kind::duration,
         10'000,
         86'400'000,
         "\"300s\"",
         "\"300s\"",
         "How often a server receives the counters of a living session. Where it stands, it "
         "counts before the Acct-Interim-Interval of an Access-Accept; the default does not.",
         Weight::note,
         {[](Config& c, Gateway&, const Value& v) {
              assign(c.radius.interim, v);
              c.radius.interim_is_set = true;
          },
          [](const Config& c, const Gateway&) { return shown(c.radius.interim); }}},
        {Section::radius, "timeout", Kind::duration, 1'000, 30'000, "\"3s\"", "\"3s\"",
         "How long a server has to answer a request, in whole seconds, before it is sent again.",
         Weight::note, at<&Config::radius, &Radius::timeout>()},
        {Section::radius, "retries", Kind::number, 0, 10, "2", "2",
         "How often a request is sent again to a server before the next server is tried.",
         Weight::note, at<&Config::radius, &Radius::retries>()},
        {Section::radius, "requests_per_second", Kind::number, 1, kRequestsPerSecondMax, "100",
         "100",
         "Accounting-Requests that a gateway sends within a second, at most. After a failure that "
         "lost many sessions their Stops are sent at this rate, and the Starts of the clients that "
         "dial again take turns with them.",
         Weight::note, at<&Config::radius, &Radius::requests_per_second>()},
        {Section::radius, "nas_identifier", Kind::name, 1, kNasIdentifierBytesMax, "\"vpnha\"",
         "\"vpnha\"",
         "NAS-Identifier, which names the gateways to the servers, whichever node serves. The same "
         "on all nodes.",
         Weight::note, at<&Config::radius, &Radius::nas_identifier>()},
        {Section::radius, "dynamic_authorization", Kind::flag, 0, 0, "false", "false",
         "true: servers may end sessions of the gateways with 'accounting' by Disconnect-Requests, "
         "and change their time-outs by CoA-Requests (RFC 5176), each with a Message-Authenticator "
         "and the secret of 'secret_file'. They are "
         "to ask a gateway's VIP, which the node has that serves.",
         Weight::note, at<&Config::radius, &Radius::dynamic_authorization>()},
        {Section::radius, "dynamic_authorization_port", Kind::number, 1, 65'535, "3799", "3799",
         "The UDP port that receives such requests, on all addresses of the node.", Weight::note,
         at<&Config::radius, &Radius::dynamic_authorization_port>()},
        {Section::radius, "dynamic_authorization_clients", Kind::neighbours, 0,
         kAuthorizationClientsMax, "[]", "[\"198.51.100.5\"]",
         "IPv4 addresses that such requests may come from. []: those of 'accounting_servers'.",
         Weight::note, at<&Config::radius, &Radius::dynamic_authorization_clients>()},
    };
}

}  // namespace vpnha::config
