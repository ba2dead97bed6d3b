// SPDX-License-Identifier: GPL-2.0-or-later
// The examples of docs/reference/control-protocol.md: the one copy of what vpnhad answers.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "support/contents_of.hpp"

namespace vpnha {

// The first example behind the line that begins with the verb.
inline nlohmann::json documented(const std::string& verb) {
    static const std::string kDocument =
        contents_of(VPNHA_DOCS_DIR "/reference/control-protocol.md");
    static const std::string kBegin = "\n```json\n";
    const std::size_t verb_at = kDocument.find("\n`" + verb + "`");
    const std::size_t begin = kDocument.find(kBegin, verb_at);
    const std::size_t end = kDocument.find("\n```\n", begin + kBegin.size());
    EXPECT_NE(end, std::string::npos) << "no example of " << verb;
    return nlohmann::json::parse(
        kDocument.substr(begin + kBegin.size(), end - begin - kBegin.size()));
}

}  // namespace vpnha
