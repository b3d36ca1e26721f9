// muster-keeper --parent PID --grace MILLISECONDS [--as USER | --isolate ROOM NUMBER] [--directory PATH | --within PATH] [--secret path|descriptor VARIABLE]…
//               [--alone yes] -- PROGRAM [ARGUMENT…]
//
// Stands between Muster and every program it runs: program.c.
//
// muster-keeper freeze --parent PID --freeze-for MILLISECONDS --lock PATH --freeze-words COUNT -- [COMMAND [ARGUMENT…]] COMMAND [ARGUMENT…]
//
// Holds an application frozen: freeze.c. The two halves share processes.c and this file, so that there is one program to install.
//
// A program of its own and in C, because there is one for every program that Muster runs: it starts in a tenth of the time
// that muster and its libraries take. CKeeper.h has the words that both sides use; Processes/Keeper.swift and Snapshots/FreezeHolder.swift
// write the command lines.
#include "CKeeper.h"
#include "freeze.h"
#include "program.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

_Noreturn void misused(const char *word) {
    dprintf(STDERR_FILENO, "muster-keeper: '%s' was not expected here. Only muster of the same build runs this program.\n", word);
    _exit(usage);
}

int main(int count, char *words[]) {
    if (count > 1 && strcmp(words[1], KEEPER_FREEZE) == 0) {
        const struct application application = application_of(count - 1, words + 1);
        return hold(&application);
    }
    const struct program program = program_of(count, words);
    return keep(&program);
}
