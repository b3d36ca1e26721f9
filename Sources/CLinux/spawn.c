#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/// No signal ignored or blocked, whatever we do with them, and a session of its own.
static int set_attributes(posix_spawnattr_t *attributes) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
}

static int set_actions(posix_spawn_file_actions_t *actions, const char *directory, const int descriptors[], int count) {
    int failure = posix_spawn_file_actions_addchdir_np(actions, directory);
    for (int number = 0; number < count && failure == 0; number++)
        failure = posix_spawn_file_actions_adddup2(actions, descriptors[number], number);
    return failure ? failure : posix_spawn_file_actions_addclosefrom_np(actions, count);
}

int clinux_spawn(char *const words[], char *const variables[], const char *directory, const int descriptors[], int count) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t child = 0;
    int failure = posix_spawn_file_actions_init(&actions);
    if (failure) return -failure;
    failure = posix_spawnattr_init(&attributes);
    if (failure == 0) {
        failure = set_actions(&actions, directory, descriptors, count);
        if (failure == 0) failure = set_attributes(&attributes);
        if (failure == 0) failure = posix_spawn(&child, words[0], &actions, &attributes, words, variables);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return failure ? -failure : child;
}

int clinux_pidfd_open(pid_t process) {
    const int descriptor = (int)syscall(SYS_pidfd_open, process, 0);
    return descriptor < 0 ? -errno : descriptor;
}

int clinux_event(void) {
    const int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}

int clinux_unread_bytes(int pipe) {
    int count = 0;
    return ioctl(pipe, FIONREAD, &count) < 0 ? -errno : count;
}
