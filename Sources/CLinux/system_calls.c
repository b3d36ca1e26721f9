#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

static int result(long value) { return value < 0 ? -errno : (int)value; }

int clinux_exchange(const char *one, const char *other) {
    return result(syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE));
}

int clinux_rename_new(const char *from, const char *to) {
    return result(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE));
}

int clinux_rename_new_at(int from_directory, const char *from, int to_directory, const char *to) {
    return result(syscall(SYS_renameat2, from_directory, from, to_directory, to, RENAME_NOREPLACE));
}

int clinux_exchange_at(int one_directory, const char *one, int other_directory, const char *other) {
    return result(syscall(SYS_renameat2, one_directory, one, other_directory, other, RENAME_EXCHANGE));
}

int clinux_pipe(int *ends) { return result(pipe2(ends, O_CLOEXEC)); }

int clinux_sync_filesystem(int descriptor) { return result(syncfs(descriptor)); }

int clinux_start_writeback(int descriptor) {
    return result(sync_file_range(descriptor, 0, 0, SYNC_FILE_RANGE_WRITE));
}

int clinux_write_out(int descriptor) {
    return result(sync_file_range(
        descriptor, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
}

int clinux_refresh_status(int descriptor) {
    struct statx facts;
    return result(statx(descriptor, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &facts));
}

/// The same by hand, for a kernel that does not have the call, or a container that forbids it: no step follows a link, or leads up.
static int open_by_steps(int directory, const char *path, int flags, mode_t mode) {
    int at = directory;
    while (true) {
        const char *slash = strchrnul(path, '/');
        size_t length = (size_t)(slash - path);
        while (*slash == '/') slash++;
        const bool is_last = *slash == 0;
        char name[NAME_MAX + 1];
        int opened = -1;
        if (length == 0 || (length == 2 && path[0] == '.' && path[1] == '.')) {
            errno = EXDEV;
        } else if (length > NAME_MAX) {
            errno = ENAMETOOLONG;
        } else {
            memcpy(name, path, length);
            name[length] = 0;
            const int step = is_last ? flags : O_PATH | O_DIRECTORY | O_CLOEXEC;
            opened = TEMP_FAILURE_RETRY(openat(at, name, step | O_NOFOLLOW, mode));
            // On the way, openat2(2) tells a link from anything else that is not a directory.
            struct stat found;
            if (opened < 0 && errno == ENOTDIR && !is_last)
                errno = fstatat(at, name, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(found.st_mode) ? ELOOP : ENOTDIR;
        }
        const int error = errno;
        if (at != directory) close(at);
        if (opened < 0) return -error;
        if (is_last) return opened;
        at = opened;
        path = slash;
    }
}

int clinux_open_below(int directory, const char *path, int flags, mode_t mode) {
    const struct open_how how = {
        .flags = (unsigned)flags, .mode = mode, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    const long opened = TEMP_FAILURE_RETRY(syscall(SYS_openat2, directory, path, &how, sizeof how));
    // Some containers answer EPERM to a call that they do not know. A true one comes again.
    if (opened < 0 && (errno == ENOSYS || errno == EPERM)) return open_by_steps(directory, path, flags, mode);
    return result(opened);
}

int clinux_is_in_proc(int file) {
    struct statfs facts;
    return fstatfs(file, &facts) == 0 && facts.f_type == PROC_SUPER_MAGIC;
}

int clinux_memory_file(const char *name) { return result(memfd_create(name, 0)); }

int clinux_set_thread_effective_ids(uid_t user, gid_t group) {
    // The group first: once the user is an ordinary one, the group can no longer be set. On the way back, the user
    // first, for the same reason.
    const bool dropping = user != 0;
    if (!dropping && syscall(SYS_setresuid, -1, user, -1) != 0) return -errno;
    if (syscall(SYS_setresgid, -1, group, -1) != 0) return -errno;
    if (dropping && syscall(SYS_setresuid, -1, user, -1) != 0) return -errno;
    return 0;
}

int clinux_clone_file(int from, int to) { return result(ioctl(to, FICLONE, from)); }

int clinux_has_writer(int file) {
    // Should an open break the lease in the moment that it lasts, the signal must not be SIGIO, which ends the process.
    if (fcntl(file, F_SETSIG, SIGURG) != 0) return -errno;
    if (fcntl(file, F_SETLEASE, F_RDLCK) != 0) return errno == EAGAIN ? 1 : -errno;
    return fcntl(file, F_SETLEASE, F_UNLCK) == 0 ? 0 : -errno;
}

long clinux_file_clock(void) {
    struct timespec now;
    return clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0 ? now.tv_sec * 1000000000L + now.tv_nsec : 0;
}

off_t clinux_seek(int file, off_t offset, int hole) {
    off_t found = lseek(file, offset, hole ? SEEK_HOLE : SEEK_DATA);
    return found < 0 ? -errno : found;
}

unsigned clinux_major(dev_t device) { return major(device); }
unsigned clinux_minor(dev_t device) { return minor(device); }
dev_t clinux_device(unsigned major_number, unsigned minor_number) { return makedev(major_number, minor_number); }

void clinux_begin_batch_scheduling(void) {
    const struct sched_param none = {0};
    if (sched_getscheduler(0) == SCHED_OTHER) sched_setscheduler(0, SCHED_BATCH, &none);
}

int clinux_contains(const void *bytes, size_t count, const void *part, size_t part_count) {
    return memmem(bytes, count, part, part_count) != NULL;
}
