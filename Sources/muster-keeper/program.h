// One half of muster-keeper: a program that is run, and kept. program.c says how, CKeeper.h what the command line says.
#pragma once
#include "processes.h"

struct program {
    char *const *words; // argv: the absolute path and the arguments
    const char *user;
    const char *directory;
    const char *room; // of a program that is isolated, and not of `user`
    unsigned int room_user;
    const char *secret_variable;
    bool secret_as_path;
    pid_t parent;
    int grace_milliseconds;
};

/// Ends this process when the command line is wrong.
struct program program_of(int count, char *words[]);

/// Says what cannot be done to what, with errno, and ends.
_Noreturn void fail(const char *doing, const char *object);

/// Takes from this process what another user's program has no need for.
void drop_privileges(void);

/// Runs a program, and stays with it. Its status.
int keep(const struct program *program);
