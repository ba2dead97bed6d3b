#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from stonith/two-nodes-witness.crm by cib-templates/generate.
# Two nodes and a witness (docs/witness.md): power, before which the one that serves nothing waits, in
# the same level. Load it after cib-templates/l2tp-gateway.crm, whose power device is meant by
# `fencing`, and all of it at once: without the topology the other device refuses to start.
#
#   @NODES@   the cluster's nodes: "gw1 gw2"
#
# Where each node has a board of its own (ipmilan.crm, redfish.crm), load that one first, and write
# the topology with a level for each node, in one line:
#   fencing_topology gw1: fencing-yield,fencing-gw1 gw2: fencing-yield,fencing-gw2
#
# The witness is the second vote of the node that is left, so a standby serves before Pacemaker knows
# of the death, and nobody has to confirm it. When the two lose each other, each has the other one
# switched off: mode=yield lets the one that serves begin at once, and the other one delay_ms after
# the loss, so that the first one is left (two-nodes.crm has the reasons). It serves meanwhile.
#
# Protects against: two nodes that live and switch each other off, as two-nodes.crm does.
# Does not protect against: the death of a node while the witness is gone. The node that is left is
#   silent until either is back.
# Costs: what power costs; clients do not wait for it.

set -eu
cib=$(mktemp -d)
trap 'rm -rf "$cib"' EXIT
pcs cluster cib "$cib/old"
cp "$cib/old" "$cib/new"

pcs -f "$cib/new" stonith create fencing-yield fence_vpnha \
    mode=yield delay_ms=1700 pcmk_host_list="@NODES@" pcmk_host_check=static-list \
    pcmk_reboot_action=off \
    op start interval=0 timeout=60s \
    --no-default-ops
pcs -f "$cib/new" stonith op remove fencing-yield monitor

pcs -f "$cib/new" resource clone fencing-yield fencing-yield-clone --force

pcs -f "$cib/new" stonith level add --force 1 'regexp%.*' fencing-yield fencing

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
