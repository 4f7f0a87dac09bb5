#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/// Opens a path below a directory so that nothing (no `..`, no symbolic link, no /proc link) leads out of it:
/// openat2(2) with RESOLVE_BENEATH. Where the kernel has no openat2, it walks and refuses every link and `..`.
/// @param flags O_NOFOLLOW is of use for a last name that may be a link.
/// @param path relative; "." is the directory itself.
/// @param links whether symbolic links that stay below are followed.
/// @param mounts whether the way may pass into what is mounted below, be it of the same file system (RESOLVE_NO_XDEV).
/// @return a close-on-exec descriptor, or -1 with errno: EXDEV where the path leads out, or into a mount; ENOSYS where a
/// kernel before Linux 5.8 cannot tell mounts.
int haul_open_beneath(int directory, const char *_Nonnull path, int flags, mode_t mode, bool links, bool mounts);

/// renameat2(2) with RENAME_NOREPLACE: EEXIST where the new name is taken. Where the file system cannot, a hard link
/// and an unlink do the same for what is no directory.
int haul_rename_noreplace(int from_directory, const char *_Nonnull from, int to_directory, const char *_Nonnull to);

/// copy_file_range(2) at both files' own offsets.
ssize_t haul_copy_range(int from, int to, size_t count);

/// Bytes that a pipe or a socket has to be read; 0 at its end, -1 while there are none.
ssize_t haul_there(int descriptor);

/// splice(2) without waiting: bytes move that this process does not see. One of both is a pipe.
/// @param offset where in a file they begin; -1 for what has no places.
/// @return how many, 0 at the end, or -1 with errno: EAGAIN, EINVAL where these two cannot ...
ssize_t haul_splice(int from, int64_t offset, int to, size_t count);

/// memmem(3): where the one first stands in the other, in time as both are long; NULL for nowhere.
const void *_Nullable haul_find(const void *_Nonnull text, size_t count, const void *_Nonnull wanted, size_t length);

/// O_PATH, which Swift does not see.
static const int HAUL_O_PATH = 010000000;
