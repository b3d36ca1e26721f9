#define _GNU_SOURCE
#include "CFaults.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// No check of the architecture: the process under test makes the system calls of its own one only.
static int install_with(unsigned flags, struct sock_filter *code, unsigned short length) {
    struct sock_fprog program = {.len = length, .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) == 0 ? 0 : errno;
}

// For all threads, those that are there and those to come.
static int install(struct sock_filter *code, unsigned short length) {
    return install_with(SECCOMP_FILTER_FLAG_TSYNC, code, length);
}

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define SKIP_UNLESS(value, steps) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, steps)
#define FAIL(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((error) & SECCOMP_RET_DATA))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

int cfaults_fail_rename_with_flags(int error) {
    // The flags are the low word of the fifth argument, which comes first on the little-endian machines Swift runs on.
    struct sock_filter code[] = {
        LOAD(nr),      SKIP_UNLESS(SYS_renameat2, 3),
        LOAD(args[4]), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
        FAIL(error),   ALLOW,
    };
    return install(code, sizeof code / sizeof *code);
}

int cfaults_fail_link(int error) {
    struct sock_filter code[] = {
        LOAD(nr),
#ifdef SYS_link
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_link, 1, 0),
#endif
        SKIP_UNLESS(SYS_linkat, 1),
        FAIL(error),
        ALLOW,
    };
    return install(code, sizeof code / sizeof *code);
}

int cfaults_fail_sync(int error) {
    struct sock_filter code[] = {LOAD(nr), SKIP_UNLESS(SYS_syncfs, 1), FAIL(error), ALLOW};
    return install(code, sizeof code / sizeof *code);
}

int cfaults_fail_openat2_on_this_thread(int error) {
    struct sock_filter code[] = {LOAD(nr), SKIP_UNLESS(SYS_openat2, 1), FAIL(error), ALLOW};
    return install_with(0, code, sizeof code / sizeof *code);
}

int cfaults_fail_lease(int error) {
    struct sock_filter code[] = {
        LOAD(nr), SKIP_UNLESS(SYS_fcntl, 3), LOAD(args[1]), SKIP_UNLESS(F_SETLEASE, 1), FAIL(error), ALLOW,
    };
    return install(code, sizeof code / sizeof *code);
}

int cfaults_fail_fsync(int error) {
    struct sock_filter code[] = {LOAD(nr), SKIP_UNLESS(SYS_fsync, 1), FAIL(error), ALLOW};
    return install(code, sizeof code / sizeof *code);
}

int cfaults_fail_plain_rename(int error) {
    struct sock_filter code[] = {
        LOAD(nr),
#ifdef SYS_rename
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rename, 4, 0),
#endif
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat, 3, 0),
        SKIP_UNLESS(SYS_renameat2, 3),
        LOAD(args[4]), SKIP_UNLESS(0, 1),
        FAIL(error),   ALLOW,
    };
    return install(code, sizeof code / sizeof *code);
}
