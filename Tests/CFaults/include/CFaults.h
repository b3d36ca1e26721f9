// Makes system calls of this process fail for real, for tests that run in a process of their own (exit tests).
#ifndef CFAULTS_H
#define CFAULTS_H

/// From now on, the kernel answers every renameat2(2) of this process that has flags with this errno, as a file system
/// that knows no flags does.
int cfaults_fail_rename_with_flags(int error);

/// From now on, the kernel answers every link(2) and linkat(2) of this process with this errno.
int cfaults_fail_link(int error);

/// From now on, the kernel answers every syncfs(2) of this process with this errno.
int cfaults_fail_sync(int error);

/// From now on, the kernel answers every openat2(2) of the calling thread, and of those that it starts, with this errno: ENOSYS as before
/// Linux 5.6, EPERM as some containers do.
int cfaults_fail_openat2_on_this_thread(int error);

/// From now on, the kernel answers every fcntl(2) of this process that takes a lease with this errno.
int cfaults_fail_lease(int error);

/// From now on, the kernel answers every fsync(2) of this process with this errno.
int cfaults_fail_fsync(int error);

/// From now on, the kernel answers every rename of this process that has no flags with this errno.
int cfaults_fail_plain_rename(int error);

#endif
