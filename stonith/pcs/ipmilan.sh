#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from stonith/ipmilan.crm by cib-templates/generate.
# Power by the nodes' management boards, IPMI 2.0: `sh FILE` after replacing the
# @…@, once for each node. It replaces `fencing`: leave these out of the
# gateway's template. No topology is needed; with fence-vpnha-then-power.crm write one line for all nodes:
#   fencing_topology gw1: fencing-vpnha fencing-gw1 gw2: fencing-vpnha fencing-gw2 …
#
#   @NODE@       the node's name: gw1
#   @BOARD@      its board's address, in a network that does not fail with the gateway's
#   @USER@       a user of the board with only the level of `privlvl`
#   @PASSWORD@   a file that only root reads, with a program that prints the password
#
# Protects against, does not protect against: as power.crm.
# Costs: the board's time to switch off and to confirm; seconds are usual (not measured).
# method=onoff: `cycle` is not confirmed. fence_ipmilan queries the state once a second until it is off.

set -eu
cib=$(mktemp -d)
trap 'rm -rf "$cib"' EXIT
pcs cluster cib "$cib/old"
cp "$cib/old" "$cib/new"

pcs -f "$cib/new" stonith create fencing-@NODE@ fence_ipmilan \
    pcmk_host_list=@NODE@ pcmk_host_check=static-list ip=@BOARD@ username=@USER@ \
    password_script=@PASSWORD@ lanplus=1 privlvl=operator method=onoff \
    op start interval=0 timeout=60s \
    --no-default-ops
pcs -f "$cib/new" stonith op remove fencing-@NODE@ monitor

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
