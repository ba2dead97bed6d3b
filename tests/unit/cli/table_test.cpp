// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/table.hpp"

#include <gtest/gtest.h>

#include "cli/json_text.hpp"

namespace vpnha::cli {
namespace table_test {

TEST(TableTest, ColumnsAreAsWideAsTheirWidestCell) {
    EXPECT_EQ(render_table({"A", "LONG", "C"}, {{"wide cell", "x", "1"}, {"", "", "2"}}, false),
              "A          LONG  C\n"
              "wide cell  x     1\n"
              "                 2\n");
}

TEST(TableTest, LinesEndWithoutBlanks) {
    EXPECT_EQ(render_table({"A", "B"}, {{"long", ""}}, false), "A     B\nlong\n");
}

TEST(TableTest, CountsCharactersAndNotBytes) {
    EXPECT_EQ(render_table({"A", "B"}, {{"\xc3\xa9t\xc3\xa9", "1"}, {"abc", "2"}}, false),
              "A    B\n\xc3\xa9t\xc3\xa9  1\nabc  2\n");
}

TEST(TableTest, ColoursDoNotMoveColumns) {
    EXPECT_EQ(render_table({"A", "B"}, {{{"x", Colour::green}, "1"}}, true),
              "\x1b[1mA\x1b[0m  \x1b[1mB\x1b[0m\n\x1b[32mx\x1b[0m  1\n");
}

TEST(TableTest, PeersCannotSteerTheTerminal) {
    EXPECT_EQ(printable("a\x1b[2Jb\nc\x7f"), "a?[2Jb?c?");
    EXPECT_EQ(printable("x\xc2\x9b"
                        "2J"),
              "x?2J");
    EXPECT_EQ(printable("\xc2\xb5\xc3\xa9"), "\xc2\xb5\xc3\xa9");
}

TEST(TableTest, MarksThatTurnTheDirectionOfTheTextAreNotShown) {
    for (const char* mark :
         {"\u061c", "\u200e", "\u200f", "\u2028", "\u202a", "\u202e", "\u2066", "\u2069"}) {
        EXPECT_EQ(printable(std::string("a") + mark + "b"), "a?b") << mark;
    }
    EXPECT_EQ(printable("\u200d\u2013\u202f\u20ac"), "\u200d\u2013\u202f\u20ac");
    EXPECT_EQ(printable("cut off \xe2\x80"), "cut off \xe2\x80");
}

TEST(TableTest, JsonIsPrintedInAsciiAlone) {
    const nlohmann::json name{{"user",
                               "a\xc2\x9b"
                               "2J\u202e"
                               "b\xff"}};
    EXPECT_EQ(json_text(name), R"({"user":"a\u009b2J\u202eb\ufffd"})");
}

}  // namespace table_test
}  // namespace vpnha::cli
