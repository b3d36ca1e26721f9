// A Borg that is there at once. Python takes longer to load Borg than Borg takes for all that tests have it do, and they start thousands.
//
// Called like Borg, it hands its arguments, environment, directory, mounts and files to `serve.py`, which has Borg loaded, and has a copy of itself run
// Borg with them. From then on it stands for that Borg: it passes signals on, ends as Borg ends, and when it is killed, so is Borg. `socket` and
// `cold`, a link to the real Borg, lie beside it. Where it cannot reach the first it becomes the second.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

// The directory and the mount namespace come before the files that a program would get.
enum { most_files = 64, own_files = 2 };

// What `serve.py` reads first. The words follow: arguments, variables, and the numbers of the files, each ended by NUL.
struct __attribute__((packed)) head {
    uint32_t size, arguments, variables, umask;
    uint64_t signals;
};

static char directory[PATH_MAX];

static _Noreturn void become_cold(char **argv, const sigset_t *mask) {
    char program[PATH_MAX + 8];
    snprintf(program, sizeof program, "%s/cold", directory);
    sigprocmask(SIG_SETMASK, mask, NULL);
    execv(program, argv);
    _exit(126);
}

static int reach_server(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", directory) >= (int)sizeof address.sun_path) return -1;
    const int line = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return line >= 0 && connect(line, (struct sockaddr *)&address, sizeof address) == 0 ? line : -1;
}

static size_t add(char *place, size_t size, const char *word) {
    const size_t length = strlen(word) + 1;
    if (place != NULL) memcpy(place + size, word, length);
    return size + length;
}

/// Without a place only its size is found out.
static size_t fill(char *place, char **argv, const int *files, size_t count) {
    size_t size = sizeof(struct head);
    for (char **word = argv; *word != NULL; word++) size = add(place, size, *word);
    for (char **variable = environ; *variable != NULL; variable++) size = add(place, size, *variable);
    for (size_t index = own_files; index < count; index++) {
        char number[16];
        snprintf(number, sizeof number, "%d", files[index]);
        size = add(place, size, number);
    }
    return size;
}

static uint32_t count(char **words) {
    uint32_t number = 0;
    while (words[number] != NULL) number++;
    return number;
}

/// The directory that we are in, our mounts, and the files that a program would get from us.
static size_t find_files(int *files) {
    files[0] = open(".", O_PATH | O_CLOEXEC);
    files[1] = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    size_t found = own_files;
    for (int file = 0; file < 256 && found < most_files; file++) {
        const int flags = fcntl(file, F_GETFD);
        if (flags >= 0 && !(flags & FD_CLOEXEC)) files[found++] = file;
    }
    return found;
}

static int send_all(int line, const char *bytes, size_t size, const int *files, size_t count) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(most_files * sizeof(int))];
    } control = {.space = {0}};
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), files, count * sizeof(int));
    ssize_t sent = sendmsg(line, &message, MSG_NOSIGNAL);
    for (size_t done = 0; sent > 0; sent = send(line, bytes + done, size - done, MSG_NOSIGNAL))
        if ((done += (size_t)sent) == size) return 0;
    return -1;
}

static int hand_over(int line, char **argv, const sigset_t *mask) {
    int files[most_files];
    const size_t number = find_files(files);
    const size_t size = fill(NULL, argv, files, number);
    char *bytes = malloc(size);
    if (bytes == NULL || files[0] < 0 || files[1] < 0) return -1;
    fill(bytes, argv, files, number);
    struct head head = {.size = (uint32_t)size, .arguments = count(argv), .variables = count(environ)};
    umask((mode_t)(head.umask = umask(0)));
    for (int signal = 1; signal <= 64; signal++)
        if (sigismember(mask, signal) == 1) head.signals |= 1ULL << (signal - 1);
    memcpy(bytes, &head, sizeof head);
    return send_all(line, bytes, size, files, number);
}

static int receive(int line, int32_t *number) {
    ssize_t got;
    while ((got = recv(line, number, sizeof *number, MSG_WAITALL)) < 0 && errno == EINTR) {}
    return got == sizeof *number ? 0 : -1;
}

static _Noreturn void end(int32_t status) {
    if (!WIFSIGNALED(status)) _exit(WEXITSTATUS(status));
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    signal(WTERMSIG(status), SIG_DFL);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, WTERMSIG(status));
    sigprocmask(SIG_UNBLOCK, &one, NULL);
    raise(WTERMSIG(status));
    _exit(128 + WTERMSIG(status));
}

int main(int argc, char **argv) {
    const ssize_t length = readlink("/proc/self/exe", directory, sizeof directory - 1);
    if (argc < 1 || length <= 0) return 126;
    *strrchr(directory, '/') = 0;
    sigset_t all, mask;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &mask);
    const int line = reach_server();
    if (line < 0) become_cold(argv, &mask);
    const int signals = signalfd(-1, &all, SFD_CLOEXEC);
    int32_t pid, status;
    if (signals < 0 || hand_over(line, argv, &mask) < 0 || receive(line, &pid) < 0) return 125;
    for (;;) {
        struct pollfd watched[] = {{.fd = line, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
        if (poll(watched, 2, -1) < 0) continue;
        if (watched[0].revents != 0) {
            if (receive(line, &status) < 0) return 125;
            end(status);
        }
        struct signalfd_siginfo signal;
        if (read(signals, &signal, sizeof signal) == sizeof signal) kill(pid, (int)signal.ssi_signo);
    }
}
