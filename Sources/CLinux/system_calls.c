#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int result(long value) { return value < 0 ? -errno : (int)value; }

int clinux_exchange(const char *one, const char *other) {
    return result(syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE));
}

int clinux_rename_new(const char *from, const char *to) {
    return result(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE));
}

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

int clinux_open_below(int directory, const char *path, int flags, mode_t mode) {
    struct open_how how = {.flags = (unsigned)flags, .mode = mode, .resolve = RESOLVE_NO_SYMLINKS};
    long opened = TEMP_FAILURE_RETRY(syscall(SYS_openat2, directory, path, &how, sizeof how));
    if (opened < 0 && errno == ENOSYS) opened = TEMP_FAILURE_RETRY(openat(directory, path, flags, mode));
    return result(opened);
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
