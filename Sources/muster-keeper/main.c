// muster-keeper [--as USER] [--directory PATH] [--secret path|descriptor VARIABLE] --parent PID --grace MILLISECONDS -- PROGRAM [ARGUMENT…]
//
// Stands between Muster and every program it runs: runs it as a child and stays with it to the end, forwards SIGTERM, SIGINT and
// SIGHUP as SIGTERM, stops the program when the parent ends, lets no descendant outlive it, and ends as the program ended.
// A parent-death signal alone would stop the program but not what the program started (pg_dumpall's pg_dump, Borg's ssh), and
// would stop Borg by SIGKILL, which leaves its lock behind.
//
//   --as         the user to become, with its groups, HOME, USER and LOGNAME
//   --directory  opened before the user changes, and handed on as descriptor 3
//   --secret     read from standard input and handed on in memory as descriptor 4, which only this program may read; the
//                environment variable tells where it is: /proc/self/fd/4 (path) or the number 4 (descriptor)
//   --parent     who we work for
//   --grace      between SIGTERM and SIGKILL
//
// muster-keeper --thaw-after MILLISECONDS --parent PID -- COMMAND [ARGUMENT…]
//
// The watchdog of an application that Muster froze: runs the command that thaws it when the time is up, and at once when Muster ends or
// whoever stops services wants this one to end. Outlives Muster, in a session of its own. Standard input is a socket: a byte is
// written there once all is watched, so that nothing is frozen before; 'f' means that the command that freezes has ended, 't' that Muster has
// thawed, and an end that it cannot. Exits with 0 when nothing was left to do, 10 when the time was up, 11 when it thawed for any other reason,
// and 12 when the command does not succeed, however often.
//
// A program of its own and in C, because there is one for every program that Muster runs: it starts in a tenth of the time
// that muster and its libraries take. Processes/Keeper.swift writes the command line.
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { not_needed = 0, time_was_up = 10, thawed = 11, not_thawed = 12 }; // Processes/FreezeWatchdog.swift reads them
enum { directory_descriptor = 3, secret_descriptor = 4, usage = 64, cannot_start = 127 };

struct job {
    char *const *program; // argv: the absolute path and the arguments
    const char *user;
    const char *directory;
    const char *secret_variable;
    bool secret_as_path;
    pid_t parent;
    int grace_milliseconds;
    int thaw_milliseconds; // -1 unless this is a watchdog
};

struct secret {
    char bytes[64 * 1024];
    size_t count;
};

static _Noreturn void fail(const char *doing, const char *object) {
    dprintf(STDERR_FILENO, "muster: cannot %s %s: %s\n", doing, object, strerror(errno));
    _exit(cannot_start);
}

// MARK: Before the program

static void read_secret(struct secret *secret) {
    for (;;) {
        ssize_t count = read(STDIN_FILENO, secret->bytes + secret->count, sizeof secret->bytes - secret->count);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail("read the secret from", "standard input");
        if (count == 0) return;
        secret->count += (size_t)count;
        if (secret->count == sizeof secret->bytes) {
            errno = EFBIG;
            fail("read the secret from", "standard input");
        }
    }
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
    setenv("HOME", entry->pw_dir, 1);
    setenv("USER", entry->pw_name, 1);
    setenv("LOGNAME", entry->pw_name, 1);
}

static void hand_on_directory(const char *path, int opened) {
    if (dup2(opened, directory_descriptor) < 0) fail("hand on", path);
}

/// Called as the final user: the memory file then belongs to it, so that it may open it again by its path.
static void hand_on_secret(const struct job *job, struct secret *secret) {
    int memory = memfd_create("secret", 0);
    if (memory < 0 || fchmod(memory, S_IRUSR | S_IWUSR) != 0) fail("create memory for", job->secret_variable);
    for (size_t written = 0; written < secret->count;) {
        ssize_t count = write(memory, secret->bytes + written, secret->count - written);
        if (count <= 0) fail("write memory for", job->secret_variable);
        written += (size_t)count;
    }
    explicit_bzero(secret, sizeof *secret);
    if (lseek(memory, 0, SEEK_SET) != 0) fail("rewind memory for", job->secret_variable);
    if (memory != secret_descriptor) {
        if (dup2(memory, secret_descriptor) < 0) fail("hand on", job->secret_variable);
        close(memory);
    }
    setenv(job->secret_variable, job->secret_as_path ? "/proc/self/fd/4" : "4", 1);
}

static _Noreturn void start(const struct job *job, struct secret *secret, int directory, pid_t keeper) {
    setpgid(0, 0);
    if (directory >= 0) hand_on_directory(job->directory, directory);
    if (job->user != NULL) become(job->user);
    if (job->secret_variable != NULL) {
        hand_on_secret(job, secret);
        int null = open("/dev/null", O_RDONLY);
        if (null < 0 || dup2(null, STDIN_FILENO) < 0) fail("open", "/dev/null");
        close(null);
    }
    // After the user changed, which clears it. Should the keeper be killed, the program goes too.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != keeper) _exit(cannot_start);

    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv(job->program[0], job->program);
    fail("run", job->program[0]);
}

// MARK: While it runs

/// What /proc has in a file on a process, as text. -1 if it is gone.
static ssize_t read_of(const char *process, const char *file, char *text, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%.20s/%s", process, file);
    int opened = open(path, O_RDONLY | O_CLOEXEC);
    if (opened < 0) return -1;
    ssize_t count = read(opened, text, size - 1);
    close(opened);
    text[count > 0 ? count : 0] = 0;
    return count;
}

/// The parent of a process, from the fourth field of /proc/PID/stat; the second may hold spaces and brackets. 0 if it is gone.
static pid_t parent_of(const char *pid) {
    char line[512];
    if (read_of(pid, "stat", line, sizeof line) <= 0) return 0;
    const char *after_name = strrchr(line, ')');
    int parent = 0;
    if (after_name == NULL || sscanf(after_name, ") %*c %d", &parent) != 1) return 0;
    return parent;
}

/// Kills every child of this process. /proc/self/task/*/children would say it at once, but not every kernel has it.
static void kill_children(void) {
    DIR *processes = opendir("/proc");
    if (processes == NULL) return;
    for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
        if (!isdigit((unsigned char)entry->d_name[0])) continue;
        if (parent_of(entry->d_name) == getpid()) kill((pid_t)atoi(entry->d_name), SIGKILL);
    }
    closedir(processes);
}

static void sleep_milliseconds(long milliseconds) {
    const struct timespec pause = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

/// Ends what the program left behind. Orphans become our children (PR_SET_CHILD_SUBREAPER), and theirs when they end.
static void end_descendants(void) {
    for (int rounds = 0; rounds < 1000; rounds++) {
        kill_children();
        pid_t ended;
        do ended = waitpid(-1, NULL, WNOHANG);
        while (ended > 0);
        if (ended < 0 && errno == ECHILD) return;
        sleep_milliseconds(2);
    }
}

static long long now_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/// Reaps whatever ended. True once the program itself has, with its wait status.
static bool reap(pid_t child, int *status) {
    for (pid_t ended; (ended = waitpid(-1, status, WNOHANG)) > 0;)
        if (ended == child) return true;
    return false;
}

static int stay_with(pid_t child, int signals, int parent, int grace) {
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
            kill(-child, SIGTERM);
            kill_at = now_milliseconds() + grace;
        }
        if (kill_at >= 0 && now_milliseconds() >= kill_at) {
            kill(-child, SIGKILL);
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

static int keep(const struct job *job) {
    static struct secret secret;

    sigset_t handled;
    sigemptyset(&handled);
    sigaddset(&handled, SIGTERM);
    sigaddset(&handled, SIGINT);
    sigaddset(&handled, SIGHUP);
    sigaddset(&handled, SIGCHLD);
    sigprocmask(SIG_BLOCK, &handled, NULL);
    int signals = signalfd(-1, &handled, SFD_CLOEXEC);
    // By descriptor and not by PR_SET_PDEATHSIG: that one fires when the *thread* that started us ends.
    int parent = (int)syscall(SYS_pidfd_open, job->parent, 0);
    if (parent < 0 || getppid() != job->parent) return cannot_start;
    fcntl(parent, F_SETFD, FD_CLOEXEC);
    prctl(PR_SET_CHILD_SUBREAPER, 1);

    if (job->secret_variable != NULL) read_secret(&secret);
    int directory = -1;
    if (job->directory != NULL) {
        directory = open(job->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0) fail("open", job->directory);
        // Above the descriptors that are handed on, so that none of them is overwritten before it is copied.
        int above = fcntl(directory, F_DUPFD_CLOEXEC, 16);
        close(directory);
        directory = above;
    }

    const pid_t keeper = getpid();
    pid_t child = fork();
    if (child < 0) fail("start", job->program[0]);
    if (child == 0) start(job, &secret, directory, keeper);
    explicit_bzero(&secret, sizeof secret);
    setpgid(child, child);

    int status = stay_with(child, signals, parent, job->grace_milliseconds);
    end_descendants();
    return end_alike(status);
}

// MARK: The watchdog of a freeze

/// Waits for a child until a time. False if it has not ended by then.
static bool ends(pid_t child, int *status, long long until) {
    for (;;) {
        pid_t ended = waitpid(child, status, WNOHANG);
        if (ended == child) return true;
        if ((ended < 0 && errno != EINTR) || now_milliseconds() >= until) return false;
        sleep_milliseconds(10);
    }
}

/// Runs a command, and kills it, with all of its process group, when it takes longer than `limit`.
static bool succeeds(char *const *command, int limit) {
    pid_t child = fork();
    if (child < 0) return false;
    if (child == 0) {
        setpgid(0, 0);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        // The socket is between Muster and us.
        const int null = open("/dev/null", O_RDONLY);
        if (null >= 0) dup2(null, STDIN_FILENO);
        execv(command[0], command);
        _exit(cannot_start);
    }
    setpgid(child, child);
    int status;
    if (ends(child, &status, now_milliseconds() + limit)) return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    kill(-child, SIGKILL);
    // One that waits for the kernel cannot even be killed.
    ends(child, &status, now_milliseconds() + 1000);
    return false;
}

/// Every second: each time for as long as the application may be frozen at all, and five times as long together. Nobody else is left who would.
static int thaw(const struct job *job, int outcome) {
    const long long end = now_milliseconds() + 5LL * job->thaw_milliseconds;
    do {
        if (succeeds(job->program, job->thaw_milliseconds)) return outcome;
        sleep_milliseconds(1000);
    } while (now_milliseconds() < end);
    return not_thawed;
}

/// Whether a process is the keeper of a program that `parent` had run: its command line says so.
static bool keeps_for(const char *process, const char *keeper, pid_t parent) {
    // The name first: to read the command line of a program that waits for what is frozen would be to wait with it.
    char words[4096];
    const char *name = strrchr(keeper, '/');
    ssize_t count = read_of(process, "comm", words, sizeof words);
    if (count <= 0 || strncmp(words, name ? name + 1 : keeper, (size_t)count - 1) != 0) return false;
    count = read_of(process, "cmdline", words, sizeof words);
    if (count <= 0 || strcmp(words, keeper) != 0) return false;
    bool is_his = false;
    for (char *word = words, *next; word < words + count && strcmp(word, "--") != 0; word = next) {
        next = word + strlen(word) + 1;
        // A watchdog, such as this one.
        if (strcmp(word, "--thaw-after") == 0) return false;
        if (strcmp(word, "--parent") == 0 && next < words + count) is_his = atoi(next) == parent;
    }
    return is_his;
}

/// Waits until what Muster had run is gone, now that Muster is: the command that freezes might come to its end after we had thawed.
/// Its keeper kills it. Ten seconds at most.
static void wait_for_freeze(const char *keeper, pid_t parent) {
    for (int rounds = 0; rounds < 1000; rounds++) {
        bool found = false;
        DIR *processes = opendir("/proc");
        if (processes == NULL) return;
        for (struct dirent *entry; !found && (entry = readdir(processes)) != NULL;)
            found = isdigit((unsigned char)entry->d_name[0]) && keeps_for(entry->d_name, keeper, parent);
        closedir(processes);
        if (!found) return;
        sleep_milliseconds(10);
    }
}

static int watch(const struct job *job, const char *keeper) {
    // Whatever file of Muster's came here would stay open, maybe on what is frozen.
    syscall(SYS_close_range, 3, ~0U, 0);
    setsid();
    if (chdir("/") != 0) return cannot_start;
    sigset_t handled;
    sigemptyset(&handled);
    sigaddset(&handled, SIGTERM);
    sigaddset(&handled, SIGINT);
    sigaddset(&handled, SIGHUP);
    sigprocmask(SIG_BLOCK, &handled, NULL);
    int signals = signalfd(-1, &handled, SFD_CLOEXEC);
    int parent = (int)syscall(SYS_pidfd_open, job->parent, 0);
    if (signals < 0 || parent < 0 || getppid() != job->parent) return cannot_start;
    fcntl(parent, F_SETFD, FD_CLOEXEC);

    const long long end = now_milliseconds() + job->thaw_milliseconds;
    if (write(STDIN_FILENO, "", 1) != 1) return cannot_start;
    bool may_freeze = true; // whether the command that freezes may still be at work
    int outcome = thawed;
    for (;;) {
        struct pollfd watched[] = {
            {.fd = STDIN_FILENO, .events = POLLIN}, {.fd = parent, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
        const long long left = outcome == time_was_up ? 1000 : end - now_milliseconds();
        const int ready = left > 0 ? poll(watched, 3, (int)left) : 0;
        if (ready < 0) continue;
        if (ready == 0) {
            // Again and again while it may be frozen after that.
            outcome = time_was_up;
            if (!may_freeze) return thaw(job, outcome);
            if (thaw(job, outcome) == not_thawed) return not_thawed;
            continue;
        }
        char byte;
        if (watched[0].revents != 0 && read(STDIN_FILENO, &byte, 1) == 1) {
            if (byte == 't') return outcome == time_was_up ? outcome : not_needed;
            may_freeze = false;
            if (outcome == time_was_up) return thaw(job, outcome);
            continue;
        }
        // An end of the socket may be seen a moment before that of the process.
        if (may_freeze && watched[2].revents == 0) wait_for_freeze(keeper, job->parent);
        return thaw(job, outcome);
    }
}

// MARK: The command line

static _Noreturn void misused(const char *word) {
    dprintf(STDERR_FILENO, "muster-keeper: '%s' was not expected here. Only muster of the same build runs this program.\n", word);
    _exit(usage);
}

int main(int count, char *words[]) {
    struct job job = {.grace_milliseconds = -1, .thaw_milliseconds = -1};
    int next = 1;
    for (; next < count && strcmp(words[next], "--") != 0; next++) {
        const char *option = words[next];
        if (next + 1 == count) misused(option);
        const char *value = words[++next];
        if (strcmp(option, "--as") == 0) {
            job.user = value;
        } else if (strcmp(option, "--directory") == 0) {
            job.directory = value;
        } else if (strcmp(option, "--parent") == 0) {
            job.parent = (pid_t)atoi(value);
        } else if (strcmp(option, "--grace") == 0) {
            job.grace_milliseconds = atoi(value);
        } else if (strcmp(option, "--thaw-after") == 0) {
            job.thaw_milliseconds = atoi(value);
        } else if (strcmp(option, "--secret") == 0 && next + 1 < count) {
            job.secret_as_path = strcmp(value, "path") == 0;
            job.secret_variable = words[++next];
        } else {
            misused(option);
        }
    }
    const bool is_watchdog = job.thaw_milliseconds >= 0;
    if (next + 1 >= count || job.parent <= 0 || is_watchdog == (job.grace_milliseconds >= 0)) misused(words[count - 1]);
    job.program = words + next + 1;
    return is_watchdog ? watch(&job, words[0]) : keep(&job);
}
