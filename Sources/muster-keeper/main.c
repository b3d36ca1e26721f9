// muster-keeper [--as USER] [--directory PATH] [--secret path|descriptor VARIABLE] --parent PID --grace MILLISECONDS -- PROGRAM [ARGUMENT…]
//
// Stands between Muster and every program it runs: runs it as a child and stays with it to the end, forwards SIGTERM, SIGINT and
// SIGHUP as SIGTERM, stops the program when the parent ends, lets no descendant outlive it, and ends as the program ended.
// A parent-death signal alone would stop the program but not what the program started (pg_dumpall's pg_dump, Borg's ssh), and
// would stop Borg by SIGKILL, which leaves its lock behind.
//
//   --as         the user to become, with its groups, HOME, USER and LOGNAME
//   --directory  opened before the user changes, and handed on as descriptor 3
//   --secret     read from standard input and handed on in memory as descriptor 4, which only this program may read; the
//                environment variable tells where it is: /proc/self/fd/4 (path) or the number 4 (descriptor)
//   --parent     who we work for
//   --grace      between SIGTERM and SIGKILL
//
// muster-keeper --freeze-for MILLISECONDS --lock PATH --freeze-words COUNT --parent PID -- [COMMAND [ARGUMENT…]] COMMAND [ARGUMENT…]
//
// Holds an application frozen: runs the command that freezes, which has COUNT words, and the other one, which thaws, when it is told to, when the
// time is up, and at once when Muster ends or whoever stops services wants this one to end. freeze.c says how.
//
// A program of its own and in C, because there is one for every program that Muster runs: it starts in a tenth of the time
// that muster and its libraries take. Processes/Keeper.swift writes the command line.
#include "keeper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void misused(const char *word) {
    dprintf(STDERR_FILENO, "muster-keeper: '%s' was not expected here. Only muster of the same build runs this program.\n", word);
    _exit(usage);
}

int main(int count, char *words[]) {
    struct job job = {.grace_milliseconds = -1, .freeze_milliseconds = -1};
    int freeze_words = 0;
    int next = 1;
    for (; next < count && strcmp(words[next], "--") != 0; next++) {
        const char *option = words[next];
        if (next + 1 == count) misused(option);
        const char *value = words[++next];
        if (strcmp(option, "--as") == 0) {
            job.user = value;
        } else if (strcmp(option, "--directory") == 0) {
            job.directory = value;
        } else if (strcmp(option, "--parent") == 0) {
            job.parent = (pid_t)atoi(value);
        } else if (strcmp(option, "--grace") == 0) {
            job.grace_milliseconds = atoi(value);
        } else if (strcmp(option, "--freeze-for") == 0) {
            job.freeze_milliseconds = atoi(value);
        } else if (strcmp(option, "--freeze-words") == 0) {
            freeze_words = atoi(value);
        } else if (strcmp(option, "--lock") == 0) {
            job.lock = value;
        } else if (strcmp(option, "--secret") == 0 && next + 1 < count) {
            job.secret_as_path = strcmp(value, "path") == 0;
            job.secret_variable = words[++next];
        } else {
            misused(option);
        }
    }
    const bool holds = job.freeze_milliseconds >= 0;
    if (freeze_words < 0 || next + 1 + freeze_words >= count || job.parent <= 0 || holds == (job.grace_milliseconds >= 0) ||
        holds != (job.lock != NULL))
        misused(words[count - 1]);
    job.program = words + next + 1 + freeze_words;
    if (freeze_words > 0) {
        char **freeze = calloc((size_t)freeze_words + 1, sizeof *freeze);
        if (freeze == NULL) return cannot_start;
        memcpy(freeze, words + next + 1, (size_t)freeze_words * sizeof *freeze);
        job.freeze = freeze;
    }
    return holds ? hold(&job) : keep(&job);
}
