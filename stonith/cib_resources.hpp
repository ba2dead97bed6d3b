// SPDX-License-Identifier: GPL-2.0-or-later
// Resources of a CIB, each with what its template has.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "host/pacemaker/cib.hpp"

namespace vpnha::stonith {

struct CibResource {
    enum class Kind { primitive, from_template, bundle };

    Kind kind = Kind::primitive;
    std::string id{};
    std::string standard{};  // The attribute class.
    std::string provider{};
    std::string type{};
    std::string origin{};  // The template that it is made from.
    // Of all sets, whose rules are not looked at, so that a name may have several values. The
    // value is empty where it stands elsewhere (id-ref).
    std::map<std::string, std::set<std::string>> parameters{};

    // Of these its own, or its template's; nothing: neither has any.
    [[nodiscard]] std::set<std::string> values(const std::string& name) const;
};

// Primitives, their templates and bundles, in their order. What is made from a template that is not
// there has no class, provider and type.
[[nodiscard]] std::vector<CibResource> resources_in(const adapters::CibElements& elements);

}  // namespace vpnha::stonith
