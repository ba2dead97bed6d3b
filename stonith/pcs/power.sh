#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from stonith/power.crm by cib-templates/generate.
# Power fencing only: as in cib-templates/l2tp-gateway.crm, and recommended. Any number of
# nodes from three on; for two nodes use two-nodes.crm.
#
#   @NODES@              the cluster's nodes: "gw1 gw2 gw3"
#   @FENCE_AGENT@        fence_ipmilan, fence_virsh, fence_aws, …
#   @FENCE_PARAMETERS@   its parameters: ip=… username=…
#
# Protects against: everything that runs on the victim, also programs other than vpnha, also a paused
#   machine that is thawed after its clock was stopped, also a kernel that does not obey vpnha's
#   gate.
# Does not protect against: a power switch that lies, or that fails with the victim: a management board
#   without power, as its node, cannot report that the node is off.
# Costs: the device's time. In the lab, with an agent that cuts the power of a virtual node, the
#   client receives nothing for 1.4 s from the power cut on, fencing included
#   (docs/explain/performance.md). An IPMI board takes seconds (not measured). ipmilan.crm,
#   redfish.crm and virsh.crm are examples. For other platforms, each on all nodes and with their names in
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
