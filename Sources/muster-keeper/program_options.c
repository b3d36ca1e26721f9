#include "program.h"

#include <stdlib.h>
#include <string.h>

struct program program_of(int count, char *words[]) {
    struct program program = {.grace_milliseconds = -1};
    int next = 1;
    for (; next < count && strcmp(words[next], "--") != 0; next++) {
        const char *option = words[next];
        if (next + 1 == count) misused(option);
        const char *value = words[++next];
        if (strcmp(option, KEEPER_AS) == 0) {
            program.user = value;
        } else if (strcmp(option, KEEPER_DIRECTORY) == 0 || strcmp(option, KEEPER_WITHIN) == 0) {
            program.directory = value;
            program.enters_directory = strcmp(option, KEEPER_WITHIN) == 0;
        } else if (strcmp(option, KEEPER_ISOLATE) == 0 && next + 1 < count) {
            program.room = value;
            program.room_user = (unsigned int)strtoul(words[++next], NULL, 10);
        } else if (strcmp(option, KEEPER_PARENT) == 0) {
            program.parent = (pid_t)atoi(value);
        } else if (strcmp(option, KEEPER_GRACE) == 0) {
            program.grace_milliseconds = atoi(value);
        } else if (strcmp(option, KEEPER_SECRET) == 0 && next + 1 < count) {
            if (program.secret_count == KEEPER_MOST_SECRETS) misused(option);
            program.secrets[program.secret_count].as_path = strcmp(value, KEEPER_SECRET_AS_PATH) == 0;
            program.secrets[program.secret_count++].variable = words[++next];
        } else if (strcmp(option, KEEPER_ALONE) == 0) {
            program.ends_alone = true;
        } else {
            misused(option);
        }
    }
    // Isolated as root would be isolated from nothing.
    if (program.room != NULL && (program.room_user == 0 || program.user != NULL)) misused(KEEPER_ISOLATE);
    if (next + 1 >= count || program.parent <= 0 || program.grace_milliseconds < 0) misused(words[count - 1]);
    program.words = words + next + 1;
    return program;
}
