// SPDX-License-Identifier: GPL-2.0-or-later
// Marks what libvpnha.so exports; everything else is hidden.
#pragma once

#define VPNHA_API __attribute__((visibility("default")))
