#pragma once
#include <stdbool.h>
#include <sys/types.h>

/// A child to start.
struct haul_spawn_request {
    /// The executable's path; nothing is looked up in PATH.
    const char *_Nonnull path;
    /// NULL-terminated; the first is the child's name of itself.
    const char *_Nullable const *_Nonnull argv;
    /// NULL-terminated `NAME=VALUE`; the child has no other environment.
    const char *_Nullable const *_Nonnull envp;
    /// The working directory; NULL keeps ours.
    const char *_Nullable directory;
    /// What becomes the child's descriptors 0, 1 and 2; -1 is /dev/null. Nothing else is inherited.
    int descriptors[3];
    /// The child leads a process group of its own, so that all below it can be signalled.
    bool new_group;
    /// SIGKILL the child when this process ends, however it ends.
    bool dies_with_parent;
};

struct haul_spawn_result {
    pid_t pid;
    /// Becomes readable when the child ends; the caller's to close.
    int pidfd;
    /// 0, or the errno of the step that failed; no child is left then.
    int error;
    /// Which step failed: "fork", "chdir", "exec" ...; a constant.
    const char *_Nonnull step;
};

/// Starts a child from one thread that lives as long as this process: the kernel ties "dies with its parent" to
/// the thread that forked. Blocks until the child has become its program, or failed to.
struct haul_spawn_result haul_spawn(const struct haul_spawn_request *_Nonnull request);

/// Waits for a child without its being able to be another's by then.
/// @return 0 and the wait status (as `waitid`: code and status), or -1 with errno; with `nohang`, 1 while it runs.
int haul_reap(int pidfd, bool nohang, int *_Nonnull code, int *_Nonnull status);

/// A pipe that no other child inherits, its buffer 256 KiB where the system allows it. 0, or -1 with errno.
int haul_pipe(int ends[_Nonnull 2]);
