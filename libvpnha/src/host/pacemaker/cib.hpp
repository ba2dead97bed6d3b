// SPDX-License-Identifier: GPL-2.0-or-later
// The cluster's configuration as `cibadmin` prints it, read by expat. It shows which nodes may be
// fenced, and whether a fenced one is off.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/os/program_output.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// The start of an element, or its end, which has no attributes.
struct CibElement {
    bool is_start = true;
    std::string name{};
    std::vector<std::pair<std::string, std::string>> attributes{};

    [[nodiscard]] bool starts(std::string_view tag) const { return is_start && name == tag; }
    [[nodiscard]] bool ends(std::string_view tag) const { return !is_start && name == tag; }
    // Empty: it has none of that name.
    [[nodiscard]] std::string attribute(std::string_view key) const;
};
using CibElements = std::vector<CibElement>;

inline constexpr const char* kCibadmin = "/usr/sbin/cibadmin";
// A section of this node's copy. An error when it cannot be read in time.
[[nodiscard]] Result<std::string> query_cib(const std::string& cibadmin, const std::string& scope,
                                            std::chrono::milliseconds timeout,
                                            ErrorOutput errors = ErrorOutput::inherited);
// In their order, without comments. Error malformed: the text is no XML, or has a document type,
// which no CIB has.
[[nodiscard]] Result<CibElements> elements_of(std::string_view xml);

}  // namespace vpnha::adapters
