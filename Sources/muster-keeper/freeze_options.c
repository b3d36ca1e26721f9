#include "freeze.h"

#include "CKeeper.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/// A copy of the command that freezes, whose end the other one would be taken for. NULL for none.
static char *const *first_words(char *words[], int count) {
    if (count == 0) return NULL;
    char **command = calloc((size_t)count + 1, sizeof *command);
    if (command == NULL) _exit(cannot_start);
    memcpy(command, words, (size_t)count * sizeof *command);
    return command;
}

struct application application_of(int count, char *words[]) {
    struct application application = {.milliseconds = -1};
    int freeze_words = -1;
    int next = 1;
    for (; next < count && strcmp(words[next], "--") != 0; next++) {
        const char *option = words[next];
        if (next + 1 == count) misused(option);
        const char *value = words[++next];
        if (strcmp(option, KEEPER_FREEZE_FOR) == 0) {
            application.milliseconds = atoi(value);
        } else if (strcmp(option, KEEPER_FREEZE_WORDS) == 0) {
            freeze_words = atoi(value);
        } else if (strcmp(option, KEEPER_LOCK) == 0) {
            application.lock = value;
        } else if (strcmp(option, KEEPER_PARENT) == 0) {
            application.parent = (pid_t)atoi(value);
        } else {
            misused(option);
        }
    }
    const int first = next + 1;
    if (freeze_words < 0 || first + freeze_words >= count || application.parent <= 0 || application.milliseconds < 0 || application.lock == NULL)
        misused(words[count - 1]);
    application.freeze = first_words(words + first, freeze_words);
    application.thaw = words + first + freeze_words;
    return application;
}
