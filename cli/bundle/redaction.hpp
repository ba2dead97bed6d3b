// SPDX-License-Identifier: GPL-2.0-or-later
// Removes secrets from texts that leave this machine: by their values, as the machine's files of
// secrets have them; by the names before them; and by the form of keys. Values that only look like
// a secret are removed as well.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/secrets/secret_file.hpp"

namespace vpnha::cli::bundle {

inline constexpr std::string_view kRemoved = "[removed]";

// The position of the secrets in a file.
enum class Form {
    named,        // After a name: "secret = …", as in swanctl.conf.
    third_word,   // Of each line, as in chap-secrets.
    second_word,  // The same, as in the file of RADIUS servers.
    whole_line,
};

class Redaction {
  public:
    // A value of less than 6 octets is removed only after its name: it may be any word.
    void learn(adapters::SecretFile file, Form form);

    [[nodiscard]] std::string text(std::string_view text) const;
    // Without comments, and without text between the elements. Error malformed: it is no XML.
    [[nodiscard]] Result<std::string> xml(std::string_view text) const;

  private:
    void learn_value(std::string_view value);
    [[nodiscard]] std::string without_values(std::string_view text) const;

    // The values point into these: no copy of a secret is made.
    std::vector<adapters::SecretFile> files_;
    // By their first octets.
    std::map<std::string_view, std::vector<std::string_view>> values_;
};

}  // namespace vpnha::cli::bundle
