// What both halves of muster-keeper need to know about processes and time.
#pragma once
#define _GNU_SOURCE
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

enum { usage = 64, cannot_start = 127 };

/// Says which word of the command line is wrong, and ends.
_Noreturn void misused(const char *word);

/// Sends a signal to a process, or to the group of minus that process: as its user where root itself may not, in a sandbox without CAP_KILL.
void send_signal(pid_t process, int signal);

/// Kills every child of this process.
void kill_children(void);

/// A child that has ended, which is reaped. 0 while none has, -1 with errno when there is none, or waiting fails.
///
/// - Parameter status: its wait status; may be NULL.
pid_t wait_for_any(int *status);

/// Ends all descendants of this process, and reaps them. Orphans become its children (PR_SET_CHILD_SUBREAPER), and theirs when they end.
///
/// Returns one that lives on after some seconds, as it waits for the kernel, or 0. One that has ended and that its tracer keeps does nothing.
pid_t end_descendants(void);

/// Processes that are known by descriptors, so that no other one with the same number is taken for them.
struct processes {
    struct {
        pid_t pid;
        int descriptor;
    } all[256];
    int count;
};

/// Adds the descendants of this process, as many as there is room for.
void find_descendants(struct processes *processes);

/// One that has not ended, or 0.
pid_t living(const struct processes *processes);

/// Waits until they have ended, then kills them. One that is left, as it waits for the kernel, so that it cannot even be killed, or 0.
///
/// - Parameter patience: for how many milliseconds to wait first.
pid_t end_processes(const struct processes *processes, int patience);

long long now_milliseconds(void);
void sleep_milliseconds(long milliseconds);
