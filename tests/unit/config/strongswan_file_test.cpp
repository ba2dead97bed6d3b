// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/strongswan_file.hpp"

#include <gmock/gmock.h>

namespace vpnha::config {
namespace strongswan_file_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// What the file says, a line for each value, as `a.b = c`.
void print(const StrongswanSection& section, const std::string& path,
           std::vector<std::string>& lines) {
    for (const auto& [name, value] : section.values) {
        lines.push_back(path + name + " =" + (value ? " " + *value : ""));
    }
    for (const auto& [name, below] : section.sections) {
        print(below, path + name + ".", lines);
    }
}

using Files = std::map<std::string, std::string>;

Result<std::vector<std::string>> read(const std::string& text, const Files& files = {}) {
    const auto parsed =
        parse_strongswan({"top.conf", text}, [&](const std::string&, const std::string& pattern) {
            const auto found = files.find(pattern);
            return found == files.end()
                       ? std::vector<StrongswanFile>{}
                       : std::vector<StrongswanFile>{{found->first, found->second}};
        });
    if (!parsed) {
        return tl::unexpected(parsed.error());
    }
    std::vector<std::string> lines;
    print(with_references(*parsed), "", lines);
    return lines;
}

std::vector<std::string> lines(const std::string& text, const Files& files = {}) {
    const auto found = read(text, files);
    EXPECT_TRUE(found) << text << "\n" << found.error().detail;
    return found.value_or(std::vector<std::string>{});
}

// Each of these is loaded by swanctl 5.9.8.
TEST(StrongswanFileTest, WhatSwanctlReadsIsReadTheSameWay) {
    EXPECT_THAT(lines(R"(s { secret = "ab\"cd#{}\\e" })"), ElementsAre(R"(s.secret = ab"cd#{}\e)"));
    EXPECT_THAT(lines("a = b  c \"d  e\"f\n"), ElementsAre("a = b c d  e f"));
    EXPECT_THAT(lines("a = b=c{ d # no\n"), ElementsAre("a = b=c{ d"));
    EXPECT_THAT(lines("a { b = c } d = e"), ElementsAre("d = e", "a.b = c"));
    EXPECT_THAT(lines("a = \"x\\n\\t\\r\\y\\\nz\""), ElementsAre("a = x\n\t\ryz"));
    EXPECT_THAT(lines("a = \"1\n2\""), ElementsAre("a = 1\n2"));
    EXPECT_THAT(lines("a\n=\tb\r\n"), ElementsAre("a = b")) << "a setting on two lines";
    EXPECT_THAT(lines("a\n{ } # no\n\n#no"), IsEmpty());
    EXPECT_THAT(lines("a = 1\na = 2\ns { b = 1 }\ns { c = 2 }"),
                ElementsAre("a = 2", "s.b = 1", "s.c = 2"));
    EXPECT_THAT(lines("a = 1\na =\n"), ElementsAre("a ="));
    EXPECT_THAT(lines("include = 1\nincludes = 2"), ElementsAre("include = 1", "includes = 2"));
}

TEST(StrongswanFileTest, WhatIsIncludedStandsWhereTheIncludeDoes) {
    const Files files{{"a b.conf", "road { unique = never }\n"}, {"c", "x = 1"}};
    EXPECT_THAT(lines("connections { include \"a b.conf\"\n y = 2 }", files),
                ElementsAre("connections.y = 2", "connections.road.unique = never"));
    EXPECT_THAT(lines("connections { include\ta\\ b.conf }", files),
                ElementsAre("connections.road.unique = never"));
    EXPECT_THAT(lines("include c\nx = 2", files), ElementsAre("x = 2"));
    EXPECT_THAT(lines("x = 2\ninclude c", files), ElementsAre("x = 1"));
    EXPECT_THAT(lines("include nothing\n"), IsEmpty());
    EXPECT_THAT(lines("include c", {{"c", "include c\ny = 1"}}), ElementsAre("y = 1"))
        << "a circle ends";
}

TEST(StrongswanFileTest, ReferencesBringWhatTheSectionDoesNotReport) {
    EXPECT_THAT(
        lines("d { a = 1\n b = 2\n c = 3\n s { x = 1 } }\n"
              "e { b = 4\n f = 5 }\n"
              "t { u : d, e { c =\n s { y = 2 } } }"),
        ElementsAre("d.a = 1", "d.b = 2", "d.c = 3", "d.s.x = 1", "e.b = 4", "e.f = 5", "t.u.a = 1",
                    "t.u.b = 2", "t.u.c =", "t.u.f = 5", "t.u.s.x = 1", "t.u.s.y = 2"));
    EXPECT_THAT(lines("a { b { c = 1 } }\nd : a.b { }"), ElementsAre("a.b.c = 1", "d.c = 1"));
    EXPECT_THAT(lines("a : b { x = 1 }\nb : a, nobody { y = 2 }"),
                ElementsAre("a.x = 1", "a.y = 2", "b.x = 1", "b.y = 2"));
}

// None of these is loaded by swanctl 5.9.8.
TEST(StrongswanFileTest, WhatSwanctlDoesNotLoadIsNamedByItsLine) {
    for (const char* text :
         {"\na b\n", "a {\nb {", "\n}", "\n{ }", "\na.b = 1", "\na = \"b", "\n\"a\" = 1",
          "\na : { }", "\na : b. { }", "\n= 1", "\na", "\ninclude \"x", "\na = \"x\\"}) {
        const auto found = read(text);
        ASSERT_FALSE(found) << text;
        EXPECT_EQ(found.error().detail, "top.conf: line 2 cannot be read") << text;
    }
    EXPECT_EQ(read("include x\n", {{"x", "\n\na b"}}).error().detail, "x: line 3 cannot be read");
    std::string deep;
    for (int i = 0; i < 100; ++i) {
        deep += "a {";
    }
    EXPECT_FALSE(read(deep));
}

TEST(StrongswanFileTest, TimesAreThoseOfCharon) {
    for (const auto& [text, seconds] : std::map<std::string, std::uint64_t>{{"90", 90},
                                                                            {"90s", 90},
                                                                            {"2m", 120},
                                                                            {"2 M", 120},
                                                                            {"8h", 28'800},
                                                                            {"8H", 28'800},
                                                                            {"1d", 86'400},
                                                                            {"0x10", 16},
                                                                            {"010", 8},
                                                                            {"0", 0}}) {
        EXPECT_EQ(parse_strongswan_seconds(text), seconds) << text;
    }
    for (const char* text : {"", "8 weeks", "1hour", "-1", "99999999999", "1\th"}) {
        EXPECT_EQ(parse_strongswan_seconds(text), std::nullopt) << text;
    }
}

}  // namespace strongswan_file_test
}  // namespace vpnha::config
