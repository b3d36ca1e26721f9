// An application, held frozen while Muster takes its snapshots.
//
// Everything that freezes or thaws it is done here, by one process that outlives Muster, so that no two of them get into each other's way: before the
// freeze it takes a lock of the job's, and keeps it until it ends. What the freeze command leaves running, such as the session that holds a database's
// lock, lives until after the thaw, or has held nothing.
//
// Standard input is a socket that keeps messages apart, see CKeeper.h. The keeper first reports how the freeze has come out, and in the end why the
// application could not be thawed, if so. The exit status says what the freeze was worth.
//
// Once it has the lock it needs nothing that may be frozen: it reads /dev/null and /proc only, and Processes/ChildProcess.swift starts it at the root
// directory with no file of Muster's open.
#include "freeze.h"

#include "CKeeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum event { child_ended, told_to_thaw, told_to_end, time_is_up };

struct holder {
    const struct application *application;
    int signals;
    int parent;
};

static void tell(enum freeze_report report, int number, int output) {
    char message[4096] = {(char)report};
    memcpy(message + 1, &number, sizeof number);
    const size_t head = 1 + sizeof number;
    ssize_t count = 0;
    if (output >= 0) {
        const off_t end = lseek(output, 0, SEEK_END);
        const off_t size = (off_t)(sizeof message - head);
        count = pread(output, message + head, sizeof message - head, end > size ? end - size : 0);
    }
    send(STDIN_FILENO, message, head + (size_t)(count > 0 ? count : 0), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/// Waits until a child has ended (-1 for none), or one of the others. Whatever of the freeze has ended besides is reaped.
static enum event wait_for(const struct holder *holder, pid_t child, int *status, long long until) {
    for (;;) {
        for (pid_t ended; (ended = wait_for_any(status)) > 0;)
            if (ended == child) return child_ended;
        struct pollfd watched[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                   {.fd = holder->parent, .events = POLLIN},
                                   {.fd = holder->signals, .events = POLLIN}};
        const long long left = until - now_milliseconds();
        if (poll(watched, 3, (int)(left > 0 ? left : 0)) < 0) continue;
        // First: what Muster has taken when it says so was frozen, however late it is.
        char word;
        if (watched[0].revents != 0) return read(STDIN_FILENO, &word, 1) == 1 ? told_to_thaw : told_to_end;
        struct signalfd_siginfo signal;
        if (watched[2].revents != 0 && read(holder->signals, &signal, sizeof signal) == sizeof signal && signal.ssi_signo != SIGCHLD)
            return told_to_end;
        if (watched[1].revents != 0) return told_to_end;
        if (left <= 0) return time_is_up;
    }
}

/// Starts a command in a process group of its own. It reads nothing.
///
/// - Parameter output: where it writes its errors; -1 for nowhere.
static pid_t start(char *const *command, int output, bool dies_with_us) {
    const pid_t ourselves = getpid();
    const pid_t child = fork();
    if (child != 0) {
        if (child > 0) setpgid(child, child);
        return child;
    }
    setpgid(0, 0);
    if (dies_with_us) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != ourselves) _exit(cannot_start);
    }
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0) _exit(cannot_start);
    if (output >= 0 && dup2(output, STDERR_FILENO) < 0) _exit(cannot_start);
    signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv(command[0], command);
    _exit(cannot_start);
}

/// False when another freeze of the job goes on for longer than it may, when there is no such lock, and when this one is stopped. It has reported that.
static bool take_lock(const struct holder *holder, long long until) {
    const int lock = open(holder->application->lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0) {
        tell(freeze_report_no_lock, errno, -1);
        return false;
    }
    // Kept open until the end.
    while (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        const long long now = now_milliseconds();
        if (now >= until) {
            tell(freeze_report_lock_held, 0, -1);
            return false;
        }
        if (wait_for(holder, -1, NULL, now + 50) != time_is_up) {
            tell(freeze_report_stopped, 0, -1);
            return false;
        }
    }
    return true;
}

/// Whether the application is frozen. It has reported that.
static bool freeze(const struct holder *holder, long long until) {
    // In memory: what it leaves running may go on writing there until it ends.
    const int output = memfd_create("errors", MFD_CLOEXEC);
    const pid_t child = start(holder->application->freeze, output, true);
    int status = cannot_start << 8;
    const enum event event = child < 0 ? child_ended : wait_for(holder, child, &status, until);
    switch (event) {
    case child_ended: tell(freeze_report_command_ended, status, output); break;
    case time_is_up: tell(freeze_report_command_too_long, 0, output); break;
    default: tell(freeze_report_stopped, 0, -1);
    }
    if (output >= 0) close(output);
    return event == child_ended && status == 0;
}

/// Runs the command that thaws once, for as long as the application may be frozen at all. Then it is killed. What it leaves running, such as a service,
/// stays, and may write for years: so it writes its errors nowhere.
static bool thaws(const struct holder *holder, bool is_last) {
    const pid_t child = start(holder->application->thaw, -1, false);
    const long long until = now_milliseconds() + holder->application->milliseconds;
    int status = cannot_start << 8;
    pid_t ended = child < 0 ? child : 0;
    while (ended == 0 && now_milliseconds() < until) {
        ended = waitpid(child, &status, WNOHANG);
        if (ended == 0) sleep_milliseconds(5);
    }
    if (ended == 0) {
        kill(-child, SIGKILL);
        // One that waits for the kernel cannot even be killed.
        for (int rounds = 0; rounds < 200 && waitpid(child, NULL, WNOHANG) == 0; rounds++) sleep_milliseconds(5);
    }
    const bool succeeded = ended > 0 && status == 0;
    if (!succeeded && is_last) tell(ended == 0 ? freeze_report_command_too_long : freeze_report_command_ended, status, -1);
    return succeeded;
}

/// Thaws again and again, every second, for five times as long as the application may be frozen: no other process would. Only once where it
/// was not frozen here.
///
/// - Parameter killed: what may still freeze it, because it cannot be killed, after the thaw.
static bool thaw(const struct holder *holder, const struct processes *killed) {
    const long long end = now_milliseconds() + (holder->application->freeze ? 5LL * holder->application->milliseconds : 0);
    for (;;) {
        const bool is_last = now_milliseconds() + 1000 >= end;
        const pid_t survivor = end_processes(killed, 0);
        const bool succeeded = thaws(holder, is_last);
        if (succeeded && survivor == 0) return true;
        if (succeeded && is_last) tell(freeze_report_goes_on, survivor, -1);
        if (is_last) return false;
        sleep_milliseconds(1000);
    }
}

/// Waits until all is taken, or for whatever comes before. What the freeze command has left running, and has not ended a moment after it, is taken for
/// what holds the application frozen: when none of it is left, it is unknown since when it was not.
static enum freeze_outcome hold_frozen(const struct holder *holder, long long end) {
    struct processes session = {.count = 0};
    const long long settled = now_milliseconds() + 200;
    enum event event = wait_for(holder, -1, NULL, settled < end ? settled : end);
    if (event == time_is_up) {
        find_descendants(&session);
        event = wait_for(holder, -1, NULL, end);
    }
    switch (event) {
    case time_is_up: return freeze_outcome_time_was_up;
    case told_to_end: return freeze_outcome_ended_early;
    default: return session.count > 0 && living(&session) == 0 ? freeze_outcome_session_ended : freeze_outcome_held;
    }
}

int hold(const struct application *application) {
    sigset_t handled;
    sigemptyset(&handled);
    const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++) sigaddset(&handled, numbers[index]);
    sigprocmask(SIG_BLOCK, &handled, NULL);
    const struct holder holder = {
        .application = application,
        .signals = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK),
        .parent = (int)syscall(SYS_pidfd_open, application->parent, 0),
    };
    if (holder.signals < 0 || holder.parent < 0 || getppid() != application->parent) return cannot_start;
    fcntl(holder.parent, F_SETFD, FD_CLOEXEC);
    prctl(PR_SET_CHILD_SUBREAPER, 1);

    // As long as another one may take to thaw, and a moment.
    if (!take_lock(&holder, now_milliseconds() + 7LL * application->milliseconds + 5000)) return freeze_outcome_held;
    const long long end = now_milliseconds() + application->milliseconds;
    enum freeze_outcome outcome = freeze_outcome_held;
    struct processes remains = {.count = 0}, none = {.count = 0};
    const bool is_frozen = application->freeze != NULL && freeze(&holder, end);
    if (is_frozen) outcome = hold_frozen(&holder, end);
    // Before the thaw starts any of its own.
    find_descendants(&remains);
    if (!thaw(&holder, is_frozen ? &none : &remains)) return freeze_outcome_not_thawed;
    // The thaw has ended what held the application frozen, which may need a moment for that.
    end_processes(&remains, 1000);
    return outcome;
}
