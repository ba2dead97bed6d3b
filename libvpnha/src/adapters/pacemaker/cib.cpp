// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/pacemaker/cib.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vpnha::adapters {

std::vector<std::string_view> elements_of(std::string_view xml) {
    std::vector<std::string_view> elements;
    for (std::size_t at = xml.find('<'); at != std::string_view::npos; at = xml.find('<', at + 1)) {
        elements.push_back(xml.substr(at, std::min(xml.find('>', at), xml.size()) - at));
    }
    return elements;
}

std::string attribute(std::string_view element, std::string_view name) {
    const std::string start = fmt::format(" {}=\"", name);
    const std::size_t found = element.find(start);
    if (found == std::string_view::npos) {
        return {};
    }
    const std::string_view rest = element.substr(found + start.size());
    return std::string(rest.substr(0, rest.find('"')));
}

Result<std::string> query_cib(const std::string& cibadmin, const std::string& scope,
                              std::chrono::milliseconds timeout, ErrorOutput errors) {
    Result<std::string> xml =
        output_of({cibadmin, "--query", "--local", "--scope", scope}, timeout, errors);
    if (xml && xml->find(fmt::format("<{}", scope)) == std::string::npos) {
        return fail(Errc::malformed, "not a CIB");
    }
    return xml;
}

}  // namespace vpnha::adapters
