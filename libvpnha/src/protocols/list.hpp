// SPDX-License-Identifier: GPL-2.0-or-later
// The one list of the protocols that a gateway may serve, in the order of vpnha.toml. Each is a
// folder beside this file, whose namespace has one function for each list:
//
//   function         | defined in | list, which declares it
//   -----------------+------------+----------------------------------------------
//   protocol_table() | table.cpp  | tables.hpp: vpnha.toml, tuning, metrics, versions
//   families()       | keeper/    | families.hpp: its keepers of records
//   stock_kind()     | service/   | gateway_services.hpp: its stock daemon
//   open_backend()   | backend/   | backends.hpp: carries its commands out
//
// The folder's CMakeLists.txt names it as well. A program with one more protocol has its own lists,
// compiled with VPNHA_MORE_PROTOCOL set to its name (examples/echo).
#pragma once

#define VPNHA_LIBRARY_PROTOCOLS(EACH) EACH(l2tp) EACH(pptp) EACH(ipsec) EACH(wireguard)

#ifdef VPNHA_MORE_PROTOCOL
#define VPNHA_PROTOCOLS(EACH) VPNHA_LIBRARY_PROTOCOLS(EACH) EACH(VPNHA_MORE_PROTOCOL)
#else
#define VPNHA_PROTOCOLS(EACH) VPNHA_LIBRARY_PROTOCOLS(EACH)
#endif
