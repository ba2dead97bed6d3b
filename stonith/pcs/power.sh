#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from stonith/power.crm by cib-templates/generate.
# Power fencing alone: what cib-templates/l2tp-gateway.crm configures, and the rule. Any number of
# nodes from three on; for two nodes take two-nodes.crm.
#
#   @NODES@              the cluster's nodes: "gw1 gw2 gw3"
#   @FENCE_AGENT@        fence_ipmilan, fence_virsh, fence_aws, …
#   @FENCE_PARAMETERS@   its parameters: ip=… username=…
#
# Protects against: everything that runs on the victim, also what is none of vpnha's, also a paused
#   machine that is thawed with its clock standing still, also a kernel that does not do what vpnha's
#   gate says.
# Does not protect against: a power switch that lies, or shares the victim's fate: a management board
#   that has no power when its node has none cannot say that it is off.
# Costs: what the device takes. In the lab, with an agent that cuts the power of a virtual node, the
#   client hears nothing for 1.4 s from the power cut on, fencing included
#   (docs/explain/performance.md). An IPMI board takes seconds (not measured). ipmilan.crm,
#   redfish.crm and virsh.crm are examples. Elsewhere, each on all nodes and with the names there in
#   pcmk_host_map (none of them measured):
#
# stonith:fence_vmware_rest ip=@VCENTER@ username=@USER@ password_script=@FILE@ ssl=1
# stonith:fence_aws region=@REGION@ access_key=@KEY@ secret_key=@SECRET@
# stonith:fence_azure_arm msi=true

set -eu
cib=$(mktemp -d)
trap 'rm -rf "$cib"' EXIT
pcs cluster cib "$cib/old"
cp "$cib/old" "$cib/new"

pcs -f "$cib/new" stonith create fencing @FENCE_AGENT@ \
    pcmk_host_list="@NODES@" pcmk_host_check=static-list @FENCE_PARAMETERS@ \
    op start interval=0 timeout=60s \
    --no-default-ops
pcs -f "$cib/new" stonith op remove fencing monitor

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
