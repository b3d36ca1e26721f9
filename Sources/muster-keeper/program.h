// One half of muster-keeper: a program that is run, and kept. program.c says how, CKeeper.h what the command line says.
#pragma once
#include "CKeeper.h"
#include "processes.h"

struct program {
    char *const *words; // argv: the absolute path and the arguments
    const char *user;
    const char *directory;
    bool enters_directory;
    const char *room; // of a program that is isolated, and not of `user`
    unsigned int room_user;
    struct {
        const char *variable;
        bool as_path;
    } secrets[KEEPER_MOST_SECRETS];
    int secret_count;
    bool ends_alone;
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
