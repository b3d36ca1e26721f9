// A program of Muster's, kept.
//
// Runs it as a child and stays with it to the end, forwards SIGTERM, SIGINT and SIGHUP as SIGTERM, stops the program when the parent ends, lets no
// descendant outlive it, and ends as the program ended. A parent-death signal alone would stop the program but not what the program started
// (pg_dumpall's pg_dump, Borg's ssh), and would stop Borg by SIGKILL, which leaves its lock behind.
//
// Secrets are read from descriptor 3 and handed on in memory as descriptors 10 and on, which only the program may read; an environment variable tells
// where each is: /proc/self/fd/10 (a path) or the number 10 (a descriptor). A shell names those below itself. Standard input is the program's.
#include "program.h"

#include "isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { secrets_descriptor = 3, directory_descriptor = 3, first_secret_descriptor = KEEPER_FIRST_SECRET, above_all = first_secret_descriptor + KEEPER_MOST_SECRETS };

struct secret {
    char *bytes;
    size_t count;
};

_Noreturn void fail(const char *doing, const char *object) {
    dprintf(STDERR_FILENO, "muster: cannot %s %s: %s\n", doing, object, strerror(errno));
    _exit(cannot_start);
}

// MARK: Before the program

static void read_fully(void *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t count = read(secrets_descriptor, (char *)bytes + done, size - done);
        if (count < 0 && errno == EINTR) continue;
        if (count == 0) errno = ENODATA;
        if (count <= 0) fail("read", "the secrets of the program");
        done += (size_t)count;
    }
}

static void read_secrets(const struct program *program, struct secret secrets[]) {
    for (int index = 0; index < program->secret_count; index++) {
        unsigned char length[4];
        read_fully(length, sizeof length);
        secrets[index].count = length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 | (size_t)length[3] << 24;
        secrets[index].bytes = malloc(secrets[index].count + 1);
        if (secrets[index].bytes == NULL) fail("find memory for", program->secrets[index].variable);
        read_fully(secrets[index].bytes, secrets[index].count);
    }
    if (program->secret_count > 0) close(secrets_descriptor);
}

static void forget_secrets(const struct program *program, struct secret secrets[]) {
    for (int index = 0; index < program->secret_count; index++) explicit_bzero(secrets[index].bytes, secrets[index].count);
}

/// What another user's program has no need for: capabilities that outlive the change of user, and programs that would give it new ones.
void drop_privileges(void) {
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("refuse new privileges to", "the program");
}

/// A crash with a secret in memory must leave none of it on disk: neither from this process nor, as the limit is inherited, from the program.
static void forbid_core_files(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) == 0) {
        limit.rlim_cur = 0;
        setrlimit(RLIMIT_CORE, &limit);
    }
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static void become(const char *name) {
    errno = 0;
    const struct passwd *entry = getpwnam(name);
    if (entry == NULL) {
        if (errno == 0) errno = ENOENT;
        fail("find the user", name);
    }
    if (geteuid() != entry->pw_uid) {
        if (initgroups(name, entry->pw_gid) != 0) fail("set the groups of", name);
        if (setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) != 0) fail("become", name);
        if (setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) != 0) fail("become", name);
    }
    drop_privileges();
    setenv("HOME", entry->pw_dir, 1);
    setenv("USER", entry->pw_name, 1);
    setenv("LOGNAME", entry->pw_name, 1);
}

static void hand_on_directory(const char *path, int opened) {
    if (dup2(opened, directory_descriptor) < 0) fail("hand on", path);
}

/// Called as the final user: the memory file then belongs to it, so that it may open it again by its path.
static void hand_on_secret(const struct secret *secret, const char *variable, bool as_path, int descriptor) {
    int memory = memfd_create("secret", 0);
    if (memory < 0 || fchmod(memory, S_IRUSR | S_IWUSR) != 0) fail("create memory for", variable);
    for (size_t written = 0; written < secret->count;) {
        ssize_t count = write(memory, secret->bytes + written, secret->count - written);
        if (count <= 0) fail("write memory for", variable);
        written += (size_t)count;
    }
    if (lseek(memory, 0, SEEK_SET) != 0) fail("rewind memory for", variable);
    if (memory != descriptor) {
        if (dup2(memory, descriptor) < 0) fail("hand on", variable);
        close(memory);
    }
    char place[32];
    snprintf(place, sizeof place, as_path ? "/proc/self/fd/%d" : "%d", descriptor);
    setenv(variable, place, 1);
}

/// In their order: a new descriptor is the lowest that is free, so that it is never one of a later secret.
static void hand_on_secrets(const struct program *program, struct secret secrets[]) {
    for (int index = 0; index < program->secret_count; index++)
        hand_on_secret(&secrets[index], program->secrets[index].variable, program->secrets[index].as_path, first_secret_descriptor + index);
    forget_secrets(program, secrets);
}

static _Noreturn void start(const struct program *program, struct secret secrets[], int directory, pid_t keeper) {
    setpgid(0, 0);
    if (directory >= 0 && program->enters_directory && fchdir(directory) != 0) fail("go to", program->directory);
    if (directory >= 0 && !program->enters_directory) hand_on_directory(program->directory, directory);
    if (program->user != NULL) become(program->user);
    if (program->room != NULL) isolate(program->room, program->room_user);
    hand_on_secrets(program, secrets);
    // After the user changed, which clears it. Should the keeper be killed, the program goes too.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != keeper) _exit(cannot_start);

    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv(program->words[0], program->words);
    fail("run", program->words[0]);
}

// MARK: While it runs

/// Reaps whatever ended. True once the program itself has, with its wait status.
static bool reap(pid_t child, int *status) {
    for (pid_t ended; (ended = wait_for_any(status)) != 0;) {
        if (ended == child) return true;
        // While it is there, there is a child to wait for. Its own end kills it.
        if (ended < 0) fail("wait for", "the program");
    }
    return false;
}

/// Once the program is in no group of its own making, whether it was left there or left it, the group's signal does not reach it.
static void signal_program(pid_t child, int signal) {
    send_signal(-child, signal);
    if (getpgid(child) != child) send_signal(child, signal);
}

/// Sets `was_stopped` once it asks the program to end.
static int stay_with(pid_t child, int signals, int parent, int grace, bool *was_stopped) {
    long long kill_at = -1;
    for (;;) {
        // Once the program is asked to stop, neither end of the parent nor a second request changes anything.
        struct pollfd watched[] = {{.fd = signals, .events = POLLIN}, {.fd = kill_at < 0 ? parent : -1, .events = POLLIN}};
        long long wait = kill_at < 0 ? -1 : kill_at - now_milliseconds();
        int ready = poll(watched, 2, kill_at < 0 ? -1 : (int)(wait > 0 ? wait : 0));
        if (ready < 0 && errno != EINTR) fail("wait for", "the program");

        bool stop = ready > 0 && (watched[1].revents & POLLIN);
        struct signalfd_siginfo signal;
        if (ready > 0 && (watched[0].revents & POLLIN) && read(signals, &signal, sizeof signal) == sizeof signal)
            stop = stop || signal.ssi_signo != SIGCHLD;

        int status;
        if (reap(child, &status)) return status;
        if (stop && kill_at < 0) {
            signal_program(child, SIGTERM);
            *was_stopped = true;
            kill_at = now_milliseconds() + grace;
        }
        if (kill_at >= 0 && now_milliseconds() >= kill_at) {
            signal_program(child, SIGKILL);
            kill_children();
            kill_at = now_milliseconds() + 1000;
        }
    }
}

/// Ends this process as the program ended, so that our parent sees the program's own status.
static int end_alike(int status) {
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    signal(WTERMSIG(status), SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    raise(WTERMSIG(status));
    return 128 + WTERMSIG(status);
}

/// Gives what the program has started a moment to end. Returns a process that runs on, or 0.
static pid_t left_running(void) {
    const long long until = now_milliseconds() + 1000;
    for (pid_t ended; (ended = wait_for_any(NULL)) >= 0;) {
        if (ended > 0) continue;
        if (now_milliseconds() < until) {
            sleep_milliseconds(5);
            continue;
        }
        struct processes left = {.count = 0};
        find_descendants(&left);
        const pid_t one = living(&left);
        if (one != 0) return one;
    }
    return 0;
}

/// Whether nothing that the program has started runs on. Says what does.
static bool is_alone(const struct program *program) {
    const pid_t one = left_running();
    if (one != 0) dprintf(STDERR_FILENO, "%s ended, and left process %d running\n", program->words[0], (int)one);
    return one == 0;
}

int keep(const struct program *program) {
    static struct secret secrets[KEEPER_MOST_SECRETS];

    forbid_core_files();
    sigset_t handled;
    sigemptyset(&handled);
    sigaddset(&handled, SIGTERM);
    sigaddset(&handled, SIGINT);
    sigaddset(&handled, SIGHUP);
    sigaddset(&handled, SIGCHLD);
    // Without it the end of the program would never be noticed.
    int signals = sigprocmask(SIG_BLOCK, &handled, NULL) == 0 ? signalfd(-1, &handled, SFD_CLOEXEC) : -1;
    if (signals < 0) fail("wait for", "signals");
    // By descriptor and not by PR_SET_PDEATHSIG: that one fires when the *thread* that started us ends.
    int parent = (int)syscall(SYS_pidfd_open, program->parent, 0);
    if (parent < 0) fail("watch (by pidfd_open, since Linux 5.3, which a seccomp filter may refuse)", "muster");
    if (getppid() != program->parent) return cannot_start;
    fcntl(parent, F_SETFD, FD_CLOEXEC);
    prctl(PR_SET_CHILD_SUBREAPER, 1);

    read_secrets(program, secrets);
    int directory = -1;
    if (program->directory != NULL) {
        directory = open(program->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0) fail("open", program->directory);
        // Above the descriptors that are handed on, so that none of them is overwritten before it is copied.
        int above = fcntl(directory, F_DUPFD_CLOEXEC, above_all);
        close(directory);
        directory = above;
    }

    const pid_t keeper = getpid();
    pid_t child = fork();
    if (child < 0) fail("start", program->words[0]);
    if (child == 0) start(program, secrets, directory, keeper);
    forget_secrets(program, secrets);
    setpgid(child, child);

    bool was_stopped = false;
    int status = stay_with(child, signals, parent, program->grace_milliseconds, &was_stopped);
    // Its children were asked too, and may have something to end first: the pg_dump of pg_dumpall has the server cancel its statement.
    if (was_stopped) left_running();
    const bool was_alone = !program->ends_alone || status != 0 || is_alone(program);
    const pid_t left = end_descendants();
    if (left != 0) {
        dprintf(STDERR_FILENO, "muster: cannot end process %d, which %s has started\n", (int)left, program->words[0]);
        return cannot_start;
    }
    return was_alone ? end_alike(status) : KEEPER_LEFT_PROCESS;
}
