// What Swift's Glibc does not show, because its headers are read without _GNU_SOURCE.
// Every function returns 0 or a descriptor on success and a negated errno on failure, unless it says otherwise.
#ifndef CLINUX_H
#define CLINUX_H

#include <stdbool.h>
#include <sys/types.h>

/// renameat2(2) with RENAME_EXCHANGE: both names exist before and after, with their contents swapped at one instant.
int clinux_exchange(const char *one, const char *other);

/// renameat2(2) with RENAME_NOREPLACE: -EEXIST when `to` is there.
int clinux_rename_new(const char *from, const char *to);

/// syncfs(2): flushes everything of the file system that `descriptor` lies on.
int clinux_sync_filesystem(int descriptor);

/// sync_file_range(2) with SYNC_FILE_RANGE_WRITE: begins to write a file's dirty pages to disk, and waits for nothing.
int clinux_start_writeback(int descriptor);

/// Sets the effective user and group of the calling thread alone, by system calls that bypass glibc's
/// all-threads wrappers. Peer authentication of PostgreSQL looks at the connecting thread (SO_PEERCRED).
int clinux_set_thread_effective_ids(uid_t user, gid_t group);

/// A program to run under a keeper, see clinux_keep.
struct clinux_program {
    const char *path;            ///< absolute path of the executable
    char *const *arguments;      ///< argv, NULL-terminated, [0] included
    const char *user;            ///< the user to become, or NULL to stay who we are
    const char *directory;       ///< opened before the user changes and handed on as descriptor 3, or NULL
    const char *secret_variable; ///< environment variable that tells the program where its secret is, or NULL
    bool secret_as_path;         ///< the variable holds /proc/self/fd/4 (true) or the number 4 (false)
    pid_t parent;                ///< who we work for; when it ends, the program is stopped
    int grace_milliseconds;      ///< between SIGTERM and SIGKILL
};

/// Runs a program as a child of this process and stays with it to the end: forwards SIGTERM, SIGINT and SIGHUP as
/// SIGTERM, stops the program when `parent` ends, and lets no descendant outlive it. Must be called while the process has a single
/// thread. The secret is read from standard input and handed on in memory (memfd_create), readable by that program only.
///
/// Returns the exit status for this process to end with; a program ended by a signal ends this process by the same.
int clinux_keep(const struct clinux_program *program);

#endif
