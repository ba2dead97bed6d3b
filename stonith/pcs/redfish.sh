#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from stonith/redfish.crm by cib-templates/generate.
# Power by the nodes' management boards, Redfish: `sh FILE` after replacing the
# @…@, once for each node. It replaces `fencing`: leave these out of the
# gateway's template. ipmilan.crm has the topology of several levels.
#
#   @NODE@       the node's name: gw1
#   @BOARD@      its board's address, in a network that does not fail with the gateway's
#   @SYSTEM@     the system's path there: /redfish/v1/Systems/1
#   @USER@       a user of the board that may only switch power
#   @PASSWORD@   a file that only root reads, with a program that prints the password
#
# Protects against, does not protect against: as power.crm.
# Costs: the board's time, and a TLS connection for each query; seconds are usual (not measured).
# Boards have self-made certificates: put their CA on the nodes, or set ssl_insecure=1.

set -eu
cib=$(mktemp -d)
trap 'rm -rf "$cib"' EXIT
pcs cluster cib "$cib/old"
cp "$cib/old" "$cib/new"

pcs -f "$cib/new" stonith create fencing-@NODE@ fence_redfish \
    pcmk_host_list=@NODE@ pcmk_host_check=static-list ip=@BOARD@ systems_uri=@SYSTEM@ \
    username=@USER@ password_script=@PASSWORD@ ssl=1 \
    op start interval=0 timeout=60s \
    --no-default-ops
pcs -f "$cib/new" stonith op remove fencing-@NODE@ monitor

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
