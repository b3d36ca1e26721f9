// The other half of muster-keeper: an application that is held frozen. freeze.c says how, CKeeper.h what the command line says.
#pragma once
#include "processes.h"

/// What is frozen, and how.
struct application {
    char *const *freeze; // argv of the command that freezes, NULL for none
    char *const *thaw;   // argv of the command that thaws
    const char *lock;
    pid_t parent;
    int milliseconds; // how long the application may be frozen
};

/// Ends this process when the command line is wrong.
struct application application_of(int count, char *words[]);

/// Holds an application frozen. What the freeze was worth: a `freeze_outcome`.
int hold(const struct application *application);
