#define _GNU_SOURCE
#include "CFiles.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

// Whether both are of one mount; -1 with errno where nobody knows.
static int same_mount(int one, int other) {
    struct statx a, b;
    if (statx(one, "", AT_EMPTY_PATH, STATX_MNT_ID, &a) != 0 || statx(other, "", AT_EMPTY_PATH, STATX_MNT_ID, &b) != 0)
        return -1;
    if (!(a.stx_mask & b.stx_mask & STATX_MNT_ID)) { errno = ENOSYS; return -1; }
    return a.stx_mnt_id == b.stx_mnt_id;
}

// Name by name; a link or `..` anywhere is refused, because without openat2 nothing says where it ends.
static int walk(int directory, const char *path, int flags, mode_t mode, bool mounts) {
    int current = fcntl(directory, F_DUPFD_CLOEXEC, 3);
    while (current >= 0) {
        while (*path == '/') path++;
        size_t length = strcspn(path, "/");
        char name[256];
        if (length >= sizeof name) { close(current); errno = ENAMETOOLONG; return -1; }
        memcpy(name, path, length);
        name[length] = 0;
        path += length;
        bool last = path[strspn(path, "/")] == 0;
        if (strcmp(name, "..") == 0) { close(current); errno = EXDEV; return -1; }
        int next = last ? openat(current, length ? name : ".", flags | O_NOFOLLOW | O_CLOEXEC, mode)
                        : openat(current, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int error = errno;
        int same = next < 0 || mounts ? 1 : same_mount(current, next);
        if (same != 1) {
            error = same == 0 ? EXDEV : errno;
            close(next);
            next = -1;
        }
        close(current);
        errno = error;
        if (last || next < 0) return next;
        current = next;
    }
    return -1;
}

int haul_open_beneath(int directory, const char *path, int flags, mode_t mode, bool links, bool mounts) {
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = (unsigned long long)(flags | O_CLOEXEC);
    how.mode = (flags & O_CREAT) ? mode : 0;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | (links ? 0 : RESOLVE_NO_SYMLINKS)
        | (mounts ? 0 : RESOLVE_NO_XDEV);
    // EAGAIN: something on the way was renamed meanwhile and the kernel could not be sure.
    for (int tries = 0; tries < 64; tries++) {
        int fd = (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
        if (fd >= 0) return fd;
        if (errno == ENOSYS || errno == EPERM) break;
        if (errno != EAGAIN && errno != EINTR) return -1;
    }
    if (errno == EAGAIN) return -1;
    return walk(directory, path, flags, mode, mounts);
}

int haul_rename_noreplace(int from_directory, const char *from, int to_directory, const char *to) {
    if (renameat2(from_directory, from, to_directory, to, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
    int why = errno;
    if (linkat(from_directory, from, to_directory, to, 0) != 0) {
        // A directory has no hard links: it was the rename itself that made no sense, or cannot be made safe.
        if (errno == EPERM) errno = why;
        return -1;
    }
    return unlinkat(from_directory, from, 0);
}

ssize_t haul_copy_range(int from, int to, size_t count) {
    return copy_file_range(from, NULL, to, NULL, count, 0);
}

const void *haul_find(const void *text, size_t count, const void *wanted, size_t length) {
    return memmem(text, count, wanted, length);
}
