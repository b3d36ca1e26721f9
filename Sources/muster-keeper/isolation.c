// A program that may do anything: a server that restores a dump runs what the dump brings along.
//
// It gets a network without a way out, and a root with the system's own directories and its room in it, and nothing else: neither data nor
// the sockets of other servers, which no network namespace hides. In its user database is its user, whom no account of the host need be:
// initdb looks up whose process it is.
#include "isolation.h"
#include "program.h"

#include "CKeeper.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/// What programs and their libraries are made of, on distributions that know a `/usr` and on those that do not.
static const char *const system_directories[] = {"bin", "etc", "gnu", "lib", "lib32", "lib64", "libx32", "nix", "opt", "sbin", "usr"};
static const char *const devices[] = {"full", "null", "random", "urandom", "zero"};

static int open_directory(const char *path) {
    int directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) fail("open", path);
    return directory;
}

static void enter(int directory, const char *path) {
    if (fchdir(directory) != 0) fail("go to", path);
}

static void make_directory(const char *path) {
    if (mkdir(path, 0755) != 0) fail("create", path);
}

static void make_memory(const char *path, const char *options) {
    if (mount("muster", path, "tmpfs", MS_NOSUID | MS_NODEV, options) != 0) fail("mount memory at", path);
}

static void show(const char *source, const char *target, unsigned long recursive) {
    if (mount(source, target, NULL, MS_BIND | recursive, NULL) != 0) fail("show the program", source);
}

static void forbid_writing(const char *path) {
    if (mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID, NULL) != 0) fail("forbid writing to", path);
}

/// A directory of the old root in the new one, which is the working directory. A link stays one: it leads to another of them.
static void show_system_directory(const char *name) {
    char path[PATH_MAX], target[PATH_MAX];
    snprintf(path, sizeof path, "/%s", name);
    struct stat found;
    if (lstat(path, &found) != 0) return;
    if (S_ISLNK(found.st_mode)) {
        ssize_t length = readlink(path, target, sizeof target - 1);
        if (length < 0) fail("read", path);
        target[length] = 0;
        if (symlink(target, name) != 0) fail("create", path);
    } else if (S_ISDIR(found.st_mode)) {
        make_directory(name);
        show(path, name, MS_REC);
        forbid_writing(name);
    }
}

static void show_device(const char *name) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "/dev/%s", name);
    int file = open(path + 1, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    if (file < 0) fail("create", path);
    close(file);
    show(path, path + 1, 0);
}

static void show_users(unsigned int user) {
    int users = open("users", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    if (users < 0) fail("create", "users");
    if (dprintf(users, "root:x:0:0::/:/bin/sh\ndrill:x:%u:%u::" KEEPER_ROOM_PATH ":/bin/sh\n", user, user) < 0) fail("write", "users");
    close(users);
    show("users", "etc/passwd", 0);
}

/// The program's own processes, and no others: libraries that lie beside a program (`$ORIGIN`) are found by `/proc/self/exe`. Kernels before
/// 5.8 cannot show so little, and show nothing.
static void show_own_processes(void) {
    make_directory("proc");
    if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=invisible,subset=pid") != 0 && errno != EINVAL)
        fail("show the program", "its own processes");
}

/// Built over the room's own path, in memory: no place that is always there is hidden by it, and nothing of it is left afterwards.
static void change_root(const char *path, unsigned int user) {
    const int room = open_directory(path);
    make_memory(path, "mode=0755,size=1m");
    const int root = open_directory(path);
    enter(root, path);
    for (size_t each = 0; each < sizeof system_directories / sizeof *system_directories; each++)
        show_system_directory(system_directories[each]);
    make_directory("dev");
    for (size_t each = 0; each < sizeof devices / sizeof *devices; each++) show_device(devices[each]);
    make_directory("dev/shm");
    make_memory("dev/shm", "mode=1777");
    make_directory("tmp");
    make_memory("tmp", "mode=1777,size=64m");
    show_users(user);
    show_own_processes();
    make_directory(&KEEPER_ROOM_PATH[1]);

    char target[PATH_MAX];
    snprintf(target, sizeof target, "%s" KEEPER_ROOM_PATH, path);
    // By where it is, and not by its path, which is the new root's now.
    enter(room, path);
    show(".", target, 0);
    enter(root, path);
    // The old root comes to lie over the new one, and goes: pivot_root(2).
    if (syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0) fail("change to", "another root");
    forbid_writing("/");
    if (chdir(KEEPER_ROOM_PATH) != 0) fail("go to", KEEPER_ROOM_PATH);
}

static void become_number(unsigned int user) {
    if (setgroups(0, NULL) != 0 || setresgid(user, user, user) != 0 || setresuid(user, user, user) != 0)
        fail("become", "another user");
    drop_privileges();
    setenv("HOME", KEEPER_ROOM_PATH, 1);
    setenv("USER", "drill", 1);
    setenv("LOGNAME", "drill", 1);
}

void isolate(const char *room, unsigned int user) {
    if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC) != 0) fail("have namespaces for", "the program");
    // What is mounted here is nowhere else.
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) fail("keep mounts from", "other namespaces");
    // The program's user reads what is made here, whatever the program's own files are to be.
    const mode_t before = umask(022);
    change_root(room, user);
    umask(before);
    become_number(user);
}
