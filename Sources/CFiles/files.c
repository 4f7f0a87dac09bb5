#define _GNU_SOURCE
#include "CFiles.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

// Name by name; a link or `..` anywhere is refused, because without openat2 nothing says where it ends.
static int walk(int directory, const char *path, int flags, mode_t mode) {
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
        close(current);
        errno = error;
        if (last || next < 0) return next;
        current = next;
    }
    return -1;
}

int haul_open_beneath(int directory, const char *path, int flags, mode_t mode, bool links) {
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = (unsigned long long)(flags | O_CLOEXEC);
    how.mode = (flags & O_CREAT) ? mode : 0;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | (links ? 0 : RESOLVE_NO_SYMLINKS);
    // EAGAIN: something on the way was renamed meanwhile and the kernel could not be sure.
    for (int tries = 0; tries < 64; tries++) {
        int fd = (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
        if (fd >= 0) return fd;
        if (errno == ENOSYS || errno == EPERM) break;
        if (errno != EAGAIN && errno != EINTR) return -1;
    }
    if (errno == EAGAIN) return -1;
    return walk(directory, path, flags, mode);
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
