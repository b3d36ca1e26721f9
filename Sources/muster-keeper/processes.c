#include "processes.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/// The parent of a process, from the fourth field of /proc/PID/stat; the second may hold spaces and brackets. 0 if it is gone.
static pid_t parent_of(const char *pid) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    const int stat = open(path, O_RDONLY | O_CLOEXEC);
    if (stat < 0) return 0;
    const ssize_t count = read(stat, line, sizeof line - 1);
    close(stat);
    if (count <= 0) return 0;
    line[count] = 0;
    const char *after_name = strrchr(line, ')');
    int parent = 0;
    if (after_name == NULL || sscanf(after_name, ") %*c %d", &parent) != 1) return 0;
    return parent;
}

/// The real user of a process, from its line of /proc/PID/status. -1 if it is gone.
static uid_t user_of(pid_t process) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int)process);
    FILE *status = fopen(path, "re");
    if (status == NULL) return (uid_t)-1;
    unsigned user = (unsigned)-1;
    while (fgets(line, sizeof line, status) != NULL && sscanf(line, "Uid: %u", &user) != 1) {}
    fclose(status);
    return user;
}

void send_signal(pid_t process, int signal) {
    if (kill(process, signal) == 0 || errno != EPERM || geteuid() != 0) return;
    const uid_t user = user_of(process < 0 ? -process : process);
    if (user == (uid_t)-1 || user == 0) return;
    // The effective user alone: by the real and the saved one, which stay root's, that user may not signal us meanwhile.
    if (seteuid(user) != 0) return;
    kill(process, signal);
    if (seteuid(0) != 0) abort();
}

/// By /proc/self/task/*/children, which not every kernel has. This process has one thread. False if it cannot be read.
static bool kill_listed_children(void) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *list = fopen(path, "re");
    if (list == NULL) return false;
    for (int child; fscanf(list, "%d", &child) == 1;) send_signal(child, SIGKILL);
    fclose(list);
    return true;
}

void kill_children(void) {
    if (kill_listed_children()) return;
    DIR *processes = opendir("/proc");
    if (processes == NULL) return;
    for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
        if (!isdigit((unsigned char)entry->d_name[0])) continue;
        if (parent_of(entry->d_name) == getpid()) send_signal((pid_t)atoi(entry->d_name), SIGKILL);
    }
    closedir(processes);
}

pid_t wait_for_any(int *status) {
    pid_t ended = -1;
    // Who does not wait is not interrupted, but for a kernel or a sandbox that says so all the same.
    for (int tries = 0; tries < 1000; tries++) {
        ended = waitpid(-1, status, WNOHANG);
        if (ended >= 0 || errno != EINTR) break;
    }
    return ended;
}

void sleep_milliseconds(long milliseconds) {
    const struct timespec pause = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

long long now_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static bool is_descendant(pid_t process) {
    char pid[16];
    do {
        snprintf(pid, sizeof pid, "%d", (int)process);
        process = parent_of(pid);
    } while (process > 1 && process != getpid());
    return process == getpid();
}

void find_descendants(struct processes *processes) {
    DIR *all = opendir("/proc");
    if (all == NULL) return;
    for (struct dirent *entry; (entry = readdir(all)) != NULL && processes->count < 256;) {
        const pid_t pid = (pid_t)atoi(entry->d_name);
        if (!isdigit((unsigned char)entry->d_name[0]) || !is_descendant(pid)) continue;
        const int descriptor = (int)syscall(SYS_pidfd_open, pid, 0);
        if (descriptor < 0) continue;
        fcntl(descriptor, F_SETFD, FD_CLOEXEC);
        // It may have ended before it was opened, and another one may have its number.
        if (!is_descendant(pid)) {
            close(descriptor);
            continue;
        }
        processes->all[processes->count].pid = pid;
        processes->all[processes->count++].descriptor = descriptor;
    }
    closedir(all);
}

pid_t living(const struct processes *processes) {
    for (int index = 0; index < processes->count; index++) {
        struct pollfd watched = {.fd = processes->all[index].descriptor, .events = POLLIN};
        if (poll(&watched, 1, 0) == 0) return processes->all[index].pid;
    }
    return 0;
}

pid_t end_processes(const struct processes *processes, int patience) {
    const long long kill_at = now_milliseconds() + patience;
    pid_t left;
    while ((left = living(processes)) != 0 && now_milliseconds() < kill_at + 2000) {
        for (int index = 0; index < processes->count && now_milliseconds() >= kill_at; index++)
            syscall(SYS_pidfd_send_signal, processes->all[index].descriptor, SIGKILL, NULL, 0);
        sleep_milliseconds(5);
    }
    return left;
}

pid_t end_descendants(void) {
    for (int rounds = 0; rounds < 1000; rounds++) {
        // First: most programs leave nothing behind, and a look at all processes takes long where there are many.
        pid_t ended;
        do ended = wait_for_any(NULL);
        while (ended > 0);
        if (ended < 0 && errno == ECHILD) return 0;
        kill_children();
        if (rounds > 0) sleep_milliseconds(2);
    }
    struct processes left = {.count = 0};
    find_descendants(&left);
    return living(&left);
}
