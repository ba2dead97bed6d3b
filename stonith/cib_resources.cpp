// SPDX-License-Identifier: GPL-2.0-or-later
#include "cib_resources.hpp"

#include <algorithm>

namespace vpnha::stonith {

namespace {

using adapters::CibElement;
using Kind = CibResource::Kind;

// Parameters that stand in another set, whatever they are.
constexpr const char* kElsewhere = "";

bool is_resource(const CibElement& element) {
    return element.name == "primitive" || element.name == "template" || element.name == "bundle";
}

Kind kind_of(const CibElement& element) {
    return element.name == "bundle"     ? Kind::bundle
           : element.name == "template" ? Kind::from_template
                                        : Kind::primitive;
}

// Reads the parameters of the resource that has begun last: not those of its operations.
class ParameterReader {
  public:
    void read(const CibElement& element, CibResource& resource) {
        const int step = element.is_start ? 1 : -1;
        if (element.name == "operations") {
            in_operations_ += step;
        } else if (element.name == "instance_attributes" && in_operations_ == 0) {
            in_parameters_ += step;
            if (!element.attribute("id-ref").empty()) {
                resource.parameters[kElsewhere].insert("");
            }
        } else if (element.starts("nvpair") && in_parameters_ > 0) {
            resource.parameters[element.attribute("name")].insert(element.attribute("value"));
        }
    }

  private:
    int in_operations_ = 0;
    int in_parameters_ = 0;
};

void inherit(std::vector<CibResource>& resources) {
    std::map<std::string, CibResource> templates;
    for (const CibResource& each : resources) {
        if (each.kind == Kind::from_template) {
            templates[each.id] = each;
        }
    }
    for (CibResource& each : resources) {
        const auto found = templates.find(each.origin);
        if (each.origin.empty() || found == templates.end()) {
            continue;
        }
        const CibResource& origin = found->second;
        each.standard = origin.standard;
        each.provider = origin.provider;
        each.type = origin.type;
        // What it has itself comes first.
        each.parameters.insert(origin.parameters.begin(), origin.parameters.end());
    }
}

}  // namespace

std::set<std::string> CibResource::values(const std::string& name) const {
    std::set<std::string> found;
    const auto own = parameters.find(name);
    if (own != parameters.end()) {
        found = own->second;
    }
    if (parameters.contains(kElsewhere)) {
        found.insert("");
    }
    return found;
}

std::vector<CibResource> resources_in(const adapters::CibElements& elements) {
    std::vector<CibResource> resources;
    ParameterReader parameters;
    std::size_t open = 0;
    for (const CibElement& element : elements) {
        if (is_resource(element) && element.is_start) {
            resources.push_back({.kind = kind_of(element),
                                 .id = element.attribute("id"),
                                 .standard = element.attribute("class"),
                                 .provider = element.attribute("provider"),
                                 .type = element.attribute("type"),
                                 .origin = element.attribute("template")});
            ++open;
        } else if (is_resource(element)) {
            --open;
        } else if (open > 0) {
            parameters.read(element, resources.back());
        }
    }
    inherit(resources);
    return resources;
}

}  // namespace vpnha::stonith
