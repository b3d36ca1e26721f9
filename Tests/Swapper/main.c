// swapper exchange ONE OTHER: exchanges two names with each other, as fast as it can.
// swapper steal DIRECTORY PREFIX VICTIM: exchanges whatever comes into DIRECTORY under a name with that prefix with a symbolic link to VICTIM.
//
// What a user can do to a directory of his while root works in it. Writes on standard error that it begins, ends at SIGTERM, and writes how often
// it did it.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { exchange_flag = 2 };
static pid_t test;

// The thread sanitizer keeps a signal from a handler until the program waits for something, which this one never does.
static void block_end(void) {
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigprocmask(SIG_BLOCK, &end, NULL);
}

// Whether there is more to do: the test has not said that it is over, and was not killed.
static int goes_on(void) {
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    return !sigismember(&pending, SIGTERM) && getppid() == test;
}

static long exchange(int directory, const char *one, const char *other) {
    return syscall(SYS_renameat2, directory, one, directory, other, exchange_flag) == 0;
}

static long steal(const char *path, const char *prefix, const char *victim) {
    long count = 0;
    const int directory = open(path, O_RDONLY | O_DIRECTORY);
    if (directory < 0) return -1;
    unlinkat(directory, "link", 0);
    if (symlinkat(victim, directory, "link") != 0) return -1;
    while (goes_on()) {
        DIR *names = fdopendir(openat(directory, ".", O_RDONLY | O_DIRECTORY));
        if (names == NULL) return -1;
        for (struct dirent *entry; (entry = readdir(names)) != NULL && goes_on();)
            if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
                for (int times = 0; times < 64; times++) count += exchange(directory, entry->d_name, "link");
        closedir(names);
    }
    return count;
}

int main(int count, char *words[]) {
    test = getppid();
    block_end();
    fputs("at work\n", stderr);
    long times = 0;
    if (count == 4 && strcmp(words[1], "exchange") == 0) {
        while (goes_on()) times += exchange(AT_FDCWD, words[2], words[3]);
    } else if (count == 5 && strcmp(words[1], "steal") == 0) {
        times = steal(words[2], words[3], words[4]);
    } else {
        return 64;
    }
    printf("%ld\n", times);
    return times < 0;
}
