// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/pacemaker/cib.hpp"

#include <expat.h>
#include <fmt/format.h>

#include <limits>
#include <memory>
#include <type_traits>

namespace vpnha::adapters {

namespace {

using Parser = std::unique_ptr<std::remove_pointer_t<XML_Parser>, decltype(&XML_ParserFree)>;

struct Reading {
    XML_Parser parser;
    CibElements elements{};
};

void on_start(void* reading, const XML_Char* name, const XML_Char** attributes) {
    CibElement element{.is_start = true, .name = name};
    for (; *attributes != nullptr; attributes += 2) {
        element.attributes.emplace_back(attributes[0], attributes[1]);
    }
    static_cast<Reading*>(reading)->elements.push_back(std::move(element));
}

void on_end(void* reading, const XML_Char* name) {
    static_cast<Reading*>(reading)->elements.push_back({.is_start = false, .name = name});
}

void on_document_type(void* reading, const XML_Char* /*name*/, const XML_Char* /*system*/,
                      const XML_Char* /*public_id*/, int /*has_subset*/) {
    XML_StopParser(static_cast<Reading*>(reading)->parser, XML_FALSE);
}

}  // namespace

std::string CibElement::attribute(std::string_view key) const {
    for (const auto& [each, value] : attributes) {
        if (each == key) {
            return value;
        }
    }
    return {};
}

Result<CibElements> elements_of(std::string_view xml) {
    if (xml.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
        return fail(Errc::malformed, "a CIB of gigabytes");
    }
    const Parser parser(XML_ParserCreate(nullptr), &XML_ParserFree);
    if (parser == nullptr) {
        return fail(Errc::system, "no memory for the CIB");
    }
    Reading reading{.parser = parser.get()};
    XML_SetUserData(parser.get(), &reading);
    XML_SetElementHandler(parser.get(), on_start, on_end);
    XML_SetStartDoctypeDeclHandler(parser.get(), on_document_type);
    if (XML_Parse(parser.get(), xml.data(), static_cast<int>(xml.size()), XML_TRUE) !=
        XML_STATUS_OK) {
        return fail(Errc::malformed,
                    fmt::format("no CIB: {}", XML_ErrorString(XML_GetErrorCode(parser.get()))));
    }
    return std::move(reading.elements);
}

Result<std::string> query_cib(const std::string& cibadmin, const std::string& scope,
                              std::chrono::milliseconds timeout, ErrorOutput errors) {
    // The node's own Pacemaker answers a query, whichever node is the DC (parse_local_options_v2()
    // in daemons/based/based_callbacks.c). Pacemaker 3 drops the option --local.
    Result<std::string> xml = output_of({cibadmin, "--query", "--scope", scope}, timeout, errors);
    if (xml && xml->find(fmt::format("<{}", scope)) == std::string::npos) {
        return fail(Errc::malformed, "not a CIB");
    }
    return xml;
}

}  // namespace vpnha::adapters
