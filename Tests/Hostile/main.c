// hostile LOCK leave|stay: a program that does not want to end, with descendants that want it even less.
//
// LOCK is locked, flock(2), until the last of them has ended. Each ignores every signal that can be ignored, and has undone the signal of its
// parent's death. Besides, there are
//   comets    that fork into a new session and end at once, again and again
//   a nest    that adopts the orphans below it, PR_SET_CHILD_SUBREAPER, and never waits for any
//   a member  of a process group of its own, which the program itself joins
// `leave` ends with 0 when they are there, `stay` makes LOCK.ready and stays.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { comets = 4, orphans = 8, seconds = 120 };
static time_t end;

static void refuse_to_end(void) {
    for (int number = 1; number < 32; number++) signal(number, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, 0);
}

static _Noreturn void stay(void) {
    while (time(NULL) < end) usleep(100000);
    _exit(0);
}

static _Noreturn void fly(void) {
    while (time(NULL) < end) {
        // Its parent is gone before it can be found by way of it.
        if (fork() != 0) _exit(0);
        setsid();
        prctl(PR_SET_PDEATHSIG, 0);
    }
    _exit(0);
}

static _Noreturn void nest(void) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setsid();
    for (int number = 0; number < orphans; number++)
        if (fork() == 0) {
            if (fork() != 0) _exit(0);
            refuse_to_end();
            stay();
        }
    stay();
}

int main(int count, char *words[]) {
    if (count != 3) return 64;
    end = time(NULL) + seconds;
    const int lock = open(words[1], O_RDWR);
    if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0) return 1;
    refuse_to_end();
    for (int number = 0; number < comets; number++)
        if (fork() == 0) fly();
    if (fork() == 0) nest();
    const pid_t member = fork();
    if (member == 0) stay();
    setpgid(member, member);
    if (setpgid(0, member) != 0) return 1;
    if (strcmp(words[2], "leave") == 0) return 0;
    char ready[4096];
    snprintf(ready, sizeof ready, "%s.ready", words[1]);
    const int file = open(ready, O_CREAT | O_WRONLY, 0600);
    if (file < 0) return 1;
    stay();
}
