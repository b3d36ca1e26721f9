// Btrfs by descriptors and numbers: a name may lead elsewhere by the time that it is looked up.
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/mount.h>
#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int result(long value) { return value < 0 ? -errno : (int)value; }

static int set_option(int context, const char *name, const char *value) {
    return (int)syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, name, value, 0);
}

int clinux_open_subvolume(const char *device, unsigned long long number) {
    char id[32];
    snprintf(id, sizeof id, "%llu", number);
    const int context = (int)syscall(SYS_fsopen, "btrfs", FSOPEN_CLOEXEC);
    if (context < 0) return -errno;
    int mounted = -1, opened = -1;
    if (set_option(context, "source", device) == 0 && set_option(context, "subvolid", id) == 0 &&
        syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        mounted = (int)syscall(
            SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME);
    if (mounted >= 0) opened = openat(mounted, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int error = errno;
    // What was opened keeps the mount, to which no path ever leads.
    if (mounted >= 0) close(mounted);
    close(context);
    return opened < 0 ? -error : opened;
}

int clinux_btrfs_id(int directory, unsigned char id[16]) {
    struct btrfs_ioctl_fs_info_args facts = {0};
    const int answer = result(ioctl(directory, BTRFS_IOC_FS_INFO, &facts));
    memcpy(id, facts.fsid, sizeof facts.fsid);
    return answer;
}

int clinux_subvolume_facts(int directory, struct clinux_subvolume *found) {
    struct btrfs_ioctl_get_subvol_info_args facts = {0};
    const int answer = result(ioctl(directory, BTRFS_IOC_GET_SUBVOL_INFO, &facts));
    if (answer < 0) return answer;
    found->number = facts.treeid;
    found->created = facts.otransid;
    found->is_read_only = (facts.flags & BTRFS_ROOT_SUBVOL_RDONLY) != 0;
    memcpy(found->id, facts.uuid, sizeof found->id);
    memcpy(found->parent, facts.parent_uuid, sizeof found->parent);
    return 0;
}

int clinux_take_snapshot(int subvolume, int directory, const char *name) {
    struct btrfs_ioctl_vol_args_v2 arguments = {.fd = subvolume, .flags = BTRFS_SUBVOL_RDONLY};
    if (strlen(name) > BTRFS_SUBVOL_NAME_MAX) return -ENAMETOOLONG;
    memcpy(arguments.name, name, strlen(name));
    return result(ioctl(directory, BTRFS_IOC_SNAP_CREATE_V2, &arguments));
}

int clinux_delete_subvolume(int directory, unsigned long long number) {
    struct btrfs_ioctl_vol_args_v2 arguments = {.flags = BTRFS_SUBVOL_SPEC_BY_ID, .subvolid = number};
    return result(ioctl(directory, BTRFS_IOC_SNAP_DESTROY_V2, &arguments));
}

int clinux_find_subvolumes(int directory, const char *name, unsigned long long *numbers, int room) {
    int found = 0;
    struct btrfs_ioctl_search_args search = {
        .key = {.tree_id = BTRFS_ROOT_TREE_OBJECTID,
                .min_objectid = BTRFS_FIRST_FREE_OBJECTID,
                .max_objectid = BTRFS_LAST_FREE_OBJECTID,
                .min_type = BTRFS_ROOT_BACKREF_KEY,
                .max_type = BTRFS_ROOT_BACKREF_KEY,
                .max_offset = ~0ULL,
                .max_transid = ~0ULL}};
    for (;;) {
        search.key.nr_items = 4096;
        if (ioctl(directory, BTRFS_IOC_TREE_SEARCH, &search) != 0) return -errno;
        if (search.key.nr_items == 0) return found;
        const char *place = search.buf;
        for (unsigned index = 0; index < search.key.nr_items; index++) {
            struct btrfs_ioctl_search_header head;
            memcpy(&head, place, sizeof head);
            const char *reference = place + sizeof head, *text = reference + sizeof(struct btrfs_root_ref);
            __le16 length;
            memcpy(&length, reference + offsetof(struct btrfs_root_ref, name_len), sizeof length);
            const bool matches = head.type == BTRFS_ROOT_BACKREF_KEY && le16toh(length) == strlen(name) &&
                                 memcmp(text, name, strlen(name)) == 0;
            if (matches && found < room) numbers[found++] = head.objectid;
            place = reference + head.len;
            // All between the two ends comes, of whatever type. A subvolume has one place, so the next one has another number.
            search.key.min_objectid = head.objectid + (head.type >= BTRFS_ROOT_BACKREF_KEY);
        }
    }
}
