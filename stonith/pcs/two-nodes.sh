#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from stonith/two-nodes.crm by cib-templates/generate.
# Two nodes: power. Before it, in the same level, the node that serves nothing waits, and after it
# vpnhad is notified of its success. Load it after cib-templates/l2tp-gateway.crm, whose power device is
# `fencing`, and all of it at once: without the topology the other two devices refuse to
# start.
#
#   @NODES@   the cluster's nodes: "gw1 gw2"
#
# If each node has its own board (ipmilan.crm, redfish.crm), load that file first, and write
# the topology with a level for each node, in one line:
#   fencing_topology gw1: fencing-yield,fencing-gw1,fencing-confirm
#                    gw2: fencing-yield,fencing-gw2,fencing-confirm
#
# Of two voters both must answer, so the surviving node would stay silent. fence_vpnha in
# mode=confirm runs only after the power device of the same level has succeeded, and lets vpnhad
# continue alone until the other node is reachable again.
#
# When the two lose each other, each one fences the other. mode=yield lets the one that
# serves begin at once, and the other one delay_ms after the loss, so that the first one survives. It
# replaces priority-fencing-delay, which lasts 0.75 to 1.75 s (Pacemaker 2.1 counts in
# whole seconds, by a timer that GLib rounds: g_timeout_add_seconds()) from the moment in which each
# node's Pacemaker acts; and that is half a second later if a coordinator must be elected
# first. Do not set both.
#
# Protects against: two owners, as long as the power device does not lie: the confirmation is only
#   as reliable as the device. Two living nodes that switch each other off, as long as the power device of
#   the serving node has finished delay_ms after the loss. In the lab it had after 0.7 to
#   1.4 s, twice in 20 losses after 1.5 s, with an agent that cuts power at once: for a slower device
#   make delay_ms longer by the difference.
# Does not protect against: a power switch that cannot be reached. Then the gateway is silent until
#   an administrator confirms the death (confirm-dead in vpnha(8)). With a third node, or a witness,
#   this is not necessary.
# Costs: those of power, and the confirmation, 0.1 s in the lab, but not before delay_ms after the
#   loss when the promoted node is the lost one: the other one cannot know that it is dead. In the
#   lab the client receives nothing for 2.6 to 2.8 s after a death, and for 1.2 to 1.9 s when both live
#   (docs/explain/performance.md).

set -eu
cib=$(mktemp -d)
trap 'rm -rf "$cib"' EXIT
pcs cluster cib "$cib/old"
cp "$cib/old" "$cib/new"

pcs -f "$cib/new" stonith create fencing-confirm fence_vpnha \
    mode=confirm pcmk_host_list="@NODES@" pcmk_host_check=static-list \
    pcmk_reboot_action=off timeout=5 \
    op start interval=0 timeout=60s \
    --no-default-ops
pcs -f "$cib/new" stonith op remove fencing-confirm monitor

pcs -f "$cib/new" stonith create fencing-yield fence_vpnha \
    mode=yield delay_ms=1700 pcmk_host_list="@NODES@" pcmk_host_check=static-list \
    pcmk_reboot_action=off \
    op start interval=0 timeout=60s \
    --no-default-ops
pcs -f "$cib/new" stonith op remove fencing-yield monitor

pcs -f "$cib/new" stonith level add 1 'regexp%.*' fencing-yield fencing fencing-confirm

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
