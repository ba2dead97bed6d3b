// SPDX-License-Identifier: GPL-2.0-or-later
// Fence agent of the lab (FenceAgentAPI): asks the lab's power service to cut a node's power.
//
// Compiled, and statically: fencing is part of every outage that the lab measures, and an
// interpreter that a cold node has to load takes longer than everything else in it.
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { kOk = 0, kFailed = 1, kIsOff = 2 };
enum { kValueMax = 256, kAnswerMax = 4096, kAnswerLimitS = 10 };

static const char* const kActions[] = {"off",  "on",      "reboot",   "status",
                                       "list", "monitor", "metadata", "validate-all"};

struct parameter {
    const char* name;
    char letter;
    const char* option;
    const char* type;
    const char* text;
    char value[kValueMax];  // The default, then what was given.
};

static struct parameter parameters[] = {
    {"action", 'o', "action", "string", "Fencing action", "reboot"},
    {"plug", 'n', "plug", "string", "Name of the node whose power is meant", ""},
    {"ip", 'a', "ip", "string", "Address of the power service", "10.77.9.254"},
    {"ipport", 'u', "ipport", "integer", "TCP port of the power service", "7002"},
    {"token_file", 'k', "token-file", "string", "File that holds the lab's token",
     "/etc/fence_lab.token"},
};
enum { kParameters = sizeof parameters / sizeof parameters[0] };

static const char* value(const char* name) {
    for (size_t i = 0; i < kParameters; ++i) {
        if (strcmp(parameters[i].name, name) == 0) {
            return parameters[i].value;
        }
    }
    return "";
}

static int failed(const char* format, ...) {
    va_list arguments;
    fprintf(stderr, "fence_lab: %s of %s: ", value("action"), value("plug"));
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return kFailed;
}

// Names of the API's older spelling are heard too; 0 when the name is none of ours.
static int set(const char* name, const char* given) {
    static const char* const aliases[][2] = {
        {"port", "plug"}, {"ipaddr", "ip"}, {"option", "action"}};
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; ++i) {
        if (strcmp(name, aliases[i][0]) == 0) {
            name = aliases[i][1];
        }
    }
    for (size_t i = 0; i < kParameters; ++i) {
        if (strcmp(parameters[i].name, name) == 0) {
            snprintf(parameters[i].value, kValueMax, "%s", given);
            return 1;
        }
    }
    return 0;
}

// key=value lines; unknown keys are ignored and later ones win, as the API wants it.
static void read_input(void) {
    char line[2 * kValueMax];
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        char* key = line + strspn(line, " \t");
        char* equals = strchr(key, '=');
        if (equals != NULL && key[0] != '#') {
            *equals = '\0';
            set(key, equals + 1);
        }
    }
}

// The parameter that an option word means, NULL for none; `*given` is what follows its "=".
static const char* option_name(const char* word, const char** given) {
    const char* equals = strchr(word, '=');
    const size_t length = equals == NULL ? strlen(word) : (size_t)(equals - word);
    *given = equals == NULL ? NULL : equals + 1;
    for (size_t i = 0; i < kParameters; ++i) {
        const struct parameter* each = &parameters[i];
        const int is_letter = length == 2 && word[0] == '-' && word[1] == each->letter;
        const int is_long = length == strlen(each->option) + 2 && strncmp(word, "--", 2) == 0 &&
                            strncmp(word + 2, each->option, length - 2) == 0;
        if (is_letter || is_long) {
            return each->name;
        }
    }
    return NULL;
}

static int read_arguments(int count, char** words) {
    for (int i = 1; i < count; ++i) {
        const char* given = NULL;
        const char* name = option_name(words[i], &given);
        if (name == NULL) {
            return failed("unknown option %s", words[i]);
        }
        if (given == NULL && ++i < count) {
            given = words[i];
        }
        if (given == NULL) {
            return failed("option %s wants a value", words[i - 1]);
        }
        set(name, given);
    }
    return kOk;
}

static int metadata(void) {
    puts(
        "<?xml version=\"1.0\" ?>\n"
        "<resource-agent name=\"fence_lab\" shortdesc=\"Power of the lab's nodes\">\n"
        "<longdesc>Cuts the power of a node of the test lab, which is a process, by way of the "
        "lab's power service on the management network.</longdesc>\n"
        "<vendor-url>https://www.kernel.org/doc/html/latest/virt/uml/</vendor-url>\n"
        "<parameters>");
    for (size_t i = 0; i < kParameters; ++i) {
        const struct parameter* each = &parameters[i];
        printf(
            "<parameter name=\"%s\" unique=\"0\" required=\"%d\">\n"
            "<getopt mixed=\"-%c, --%s=[%s]\"/>\n"
            "<content type=\"%s\" default=\"%s\"/>\n"
            "<shortdesc lang=\"en\">%s</shortdesc>\n</parameter>\n",
            each->name, i == 0, each->letter, each->option, each->name, each->type,
            i == 0 ? "reboot" : each->value, each->text);
    }
    puts("</parameters>\n<actions>");
    for (size_t i = 0; i < sizeof kActions / sizeof kActions[0]; ++i) {
        printf("<action name=\"%s\"/>\n", kActions[i]);
    }
    puts("</actions>\n</resource-agent>");
    return kOk;
}

static int read_token(char* token, size_t size) {
    FILE* file = fopen(value("token_file"), "re");
    if (file == NULL || fgets(token, (int)size, file) == NULL) {
        if (file != NULL) {
            fclose(file);
        }
        return failed("%s cannot be read", value("token_file"));
    }
    fclose(file);
    token[strcspn(token, "\r\n")] = '\0';
    return kOk;
}

// One request to the power service: its answer without the newline.
static int ask(const char* action, char* answer) {
    char token[kValueMax];
    if (read_token(token, sizeof token) != kOk) {
        return kFailed;
    }
    struct sockaddr_in service = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(value("ipport")))};
    if (inet_pton(AF_INET, value("ip"), &service.sin_addr) != 1) {
        return failed("%s is no address", value("ip"));
    }
    const int stream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval limit = {.tv_sec = kAnswerLimitS};
    setsockopt(stream, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(stream, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    char request[3 * kValueMax];
    const int length = snprintf(request, sizeof request, "%s %s %s\n", token, action,
                                value("plug")[0] == '\0' ? "-" : value("plug"));
    if (connect(stream, (struct sockaddr*)&service, sizeof service) != 0 ||
        write(stream, request, (size_t)length) != length) {
        close(stream);
        return failed("the power service does not answer: %m");
    }
    size_t got = 0;
    while (got + 1 < kAnswerMax && (got == 0 || answer[got - 1] != '\n')) {
        const ssize_t more = read(stream, answer + got, kAnswerMax - 1 - got);
        if (more <= 0) {
            close(stream);
            return failed("the power service hung up");
        }
        got += (size_t)more;
    }
    close(stream);
    answer[got - 1] = '\0';
    return kOk;
}

static int perform(const char* action) {
    int known = 0;
    for (size_t i = 0; i < sizeof kActions / sizeof kActions[0]; ++i) {
        known |= strcmp(action, kActions[i]) == 0;
    }
    if (!known) {
        return failed("unknown action %s", action);
    }
    if (strcmp(action, "metadata") == 0) {
        return metadata();
    }
    const int needs_plug = strcmp(action, "off") == 0 || strcmp(action, "on") == 0 ||
                           strcmp(action, "reboot") == 0 || strcmp(action, "status") == 0;
    if (needs_plug && value("plug")[0] == '\0') {
        return failed("%s needs plug", action);
    }
    if (strcmp(action, "validate-all") == 0) {
        return kOk;
    }
    char answer[kAnswerMax];
    if (ask(strcmp(action, "monitor") == 0 ? "list" : action, answer) != kOk) {
        return kFailed;
    }
    char* text = strchr(answer, ' ');
    text = text == NULL ? answer + strlen(answer) : text + 1;
    if (strncmp(answer, "failed", 6) == 0) {
        return failed("%s", text);
    }
    if (strcmp(action, "list") == 0) {
        for (char* name = strtok(text, " "); name != NULL; name = strtok(NULL, " ")) {
            printf("%s,\n", name);
        }
    }
    return strcmp(action, "status") == 0 && strcmp(text, "off") == 0 ? kIsOff : kOk;
}

int main(int count, char** words) {
    if (count > 1) {
        if (read_arguments(count, words) != kOk) {
            return kFailed;
        }
    } else {
        read_input();
    }
    return perform(value("action"));
}
