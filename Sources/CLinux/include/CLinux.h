// What Swift's Glibc does not show, because its headers are read without _GNU_SOURCE.
// Every function returns 0 or a descriptor on success and a negated errno on failure, unless it says otherwise.
#ifndef CLINUX_H
#define CLINUX_H

#include <sys/types.h>
#include <sys/xattr.h>

/// The arguments of this process, its own name first, as the kernel handed them over.
int clinux_argument_count(void);
const char *clinux_argument(int index);

/// 1 for a descriptor of 0 to 2 that was closed when this process began. It leads to /dev/null now.
int clinux_was_closed(int descriptor);

/// prctl(2) with PR_SET_DUMPABLE 0, until the next execve(2): no core file, also where the kernel hands them to a program, and no other process of our
/// user reads our memory.
void clinux_forbid_looking_inside(void);

/// posix_spawn(3) of the program words[0], with these descriptors, of which none is below their count, as 0 and on, and no other, in a session of its own, with every
/// signal as it is by default. The process.
int clinux_spawn(char *const words[], char *const variables[], const char *directory, const int descriptors[], int count);

/// pidfd_open(2), since Linux 5.3: a descriptor, closed on exec, that can be read once the process has ended.
int clinux_pidfd_open(pid_t process);

/// eventfd(2), closed on exec, that never makes anyone wait: can be read once eight bytes were written.
int clinux_event(void);

/// How many bytes of a pipe no reader has read, asked of either end.
int clinux_unread_bytes(int pipe);

/// renameat2(2) with RENAME_EXCHANGE: both names exist before and after, with their contents swapped at one instant.
int clinux_exchange(const char *one, const char *other);

/// The same, with each name in a directory that is open.
int clinux_exchange_at(int one_directory, const char *one, int other_directory, const char *other);

/// renameat2(2) with RENAME_NOREPLACE: -EEXIST when `to` is there.
int clinux_rename_new(const char *from, const char *to);

/// The same, with each name in a directory that is open.
int clinux_rename_new_at(int from_directory, const char *from, int to_directory, const char *to);

/// pipe2(2) with O_CLOEXEC: the end to read from, then the end to write to.
int clinux_pipe(int *ends);

/// syncfs(2): flushes everything of the file system that `descriptor` is on.
int clinux_sync_filesystem(int descriptor);

/// sync_file_range(2) with SYNC_FILE_RANGE_WRITE: begins to write a file's dirty pages to disk, and waits for nothing.
int clinux_start_writeback(int descriptor);

/// sync_file_range(2) with SYNC_FILE_RANGE_WRITE_AND_WAIT: writes a file's dirty pages to disk, and nothing else.
int clinux_write_out(int descriptor);

/// statx(2) with AT_STATX_FORCE_SYNC: has a network file system ask its server for a file's status, which fstat(2) shows then.
int clinux_refresh_status(int descriptor);

/// O_PATH of open(2): a file that is opened for its place alone.
static const int clinux_path_only = 010000000;

/// openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS: -ELOOP for a path with a symbolic link in it, -EXDEV for one that leads out of
/// the directory. Step by step before Linux 5.6, as strict. A directory that is already open as O_PATH will do.
int clinux_open_below(int directory, const char *path, int flags, mode_t mode);

/// 1 for what is open and is in a file system of the kind `proc`.
int clinux_is_in_proc(int file);

/// memfd_create(2), without a flag: a file in memory, whose descriptor stays open across execve(2).
int clinux_memory_file(const char *name);

/// Sets the effective user and group of the calling thread alone, by system calls that bypass glibc's
/// all-threads wrappers. Peer authentication of PostgreSQL looks at the connecting thread (SO_PEERCRED).
int clinux_set_thread_effective_ids(uid_t user, gid_t group);

/// ioctl(2) with FICLONE: the empty file `to` shares the bytes of `from` until one of them is changed.
int clinux_clone_file(int from, int to);

/// Whether any process has the file open for writing, a shared mapping included: 1 if one has, 0 if none, a negated errno where the
/// file system cannot say. By a read lease, see F_SETLEASE in fcntl(2): the file must be ours, and `file` open for reading only.
int clinux_has_writer(int file);

/// The time that the kernel would date a change of a file with now, in nanoseconds: CLOCK_REALTIME_COARSE.
long clinux_file_clock(void);

/// lseek(2) with SEEK_DATA (`hole` 0) or SEEK_HOLE: where the next data, or the next hole, at or after `offset` begins.
off_t clinux_seek(int file, off_t offset, int hole);

/// The parts of a device number, and the number of parts: makedev(3).
unsigned clinux_major(dev_t device);
unsigned clinux_minor(dev_t device);
dev_t clinux_device(unsigned major_number, unsigned minor_number);

/// sched_setscheduler(2) with SCHED_BATCH for the calling thread, unless its policy is not SCHED_OTHER. A failure changes nothing.
void clinux_begin_batch_scheduling(void);

/// Whether `bytes` have `part` in them: memmem(3), which Swift does not see.
int clinux_contains(const void *bytes, size_t count, const void *part, size_t part_count);

/// What Btrfs records about a subvolume, see BTRFS_IOC_GET_SUBVOL_INFO.
struct clinux_subvolume {
    unsigned long long number;
    /// The transaction that made it.
    unsigned long long created;
    int is_read_only;
    unsigned char id[16];
    /// The subvolume that it is a snapshot of; zeros for none.
    unsigned char parent[16];
};

/// Opens the root of a subvolume of the Btrfs on `device`, by a mount that no path leads to and that ends when it is closed: fsopen(2),
/// since Linux 5.2. Number 5 is the top of the file system.
int clinux_open_subvolume(const char *device, unsigned long long number);

/// The UUID of the Btrfs that a directory is on; -ENOTTY for any other file system.
int clinux_btrfs_id(int directory, unsigned char id[16]);

/// The subvolume that begins at an open directory, or holds it.
int clinux_subvolume_facts(int directory, struct clinux_subvolume *found);

/// A read-only snapshot of the subvolume that begins at one open directory, as a new name in another one.
int clinux_take_snapshot(int subvolume, int directory, const char *name);

/// Deletes the subvolume of that number, on the file system of the directory, wherever it is: since Linux 5.7.
int clinux_delete_subvolume(int directory, unsigned long long number);

/// The numbers of all subvolumes that have this name, wherever they lie on the file system of the directory. How many were found.
int clinux_find_subvolumes(int directory, const char *name, unsigned long long *numbers, int room);

#endif
