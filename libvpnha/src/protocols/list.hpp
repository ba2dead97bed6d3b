// SPDX-License-Identifier: GPL-2.0-or-later
// The one list of the protocols that a gateway may serve, in the order of vpnha.toml. Each is a
// folder beside this file, whose namespace has one function for each list:
//
//   function         | defined in | list, which declares it
//   -----------------+------------+----------------------------------------------
//   protocol_table() | table.cpp  | tables.hpp: vpnha.toml, tuning, metrics, versions
//   families()       | keeper/    | families.hpp: what keeps its records
//   stock_kind()     | service/   | gateway_services.hpp: its stock daemon
//   open_backend()   | backend/   | backends.hpp: what carries its commands out
//
// The frame's CMakeLists.txt names it as well. A program with one protocol more has lists of its
// own, compiled with its name as VPNHA_MORE_PROTOCOL (examples/echo).
#pragma once

#define VPNHA_LIBRARY_PROTOCOLS(EACH) EACH(l2tp) EACH(pptp) EACH(ipsec) EACH(wireguard)

#ifdef VPNHA_MORE_PROTOCOL
#define VPNHA_PROTOCOLS(EACH) VPNHA_LIBRARY_PROTOCOLS(EACH) EACH(VPNHA_MORE_PROTOCOL)
#else
#define VPNHA_PROTOCOLS(EACH) VPNHA_LIBRARY_PROTOCOLS(EACH)
#endif
