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

#endif
