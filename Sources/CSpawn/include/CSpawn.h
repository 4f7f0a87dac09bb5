#pragma once
#include <stdbool.h>
#include <stdint.h>
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

/// Asks for a child's end without waiting, and without its being able to be another's by then.
/// @param keep leave it a zombie: its numbers stay its own.
/// @return 0 and how it ended (`waitid`'s code and status), 1 while it runs, or -1 with errno.
int haul_reap(int pidfd, bool keep, int *_Nonnull code, int *_Nonnull status);

/// A pipe that no other child inherits, its buffer 256 KiB where the system allows it. 0, or -1 with errno.
int haul_pipe(int ends[_Nonnull 2]);

/// epoll(7), which Swift does not see: a set, closed on exec; -1 with errno.
int haul_ready_set(void);
/// Asks once for a descriptor's being readable or writable; `ticket` comes back from `haul_ready_wait`.
int haul_ready_once(int set, int descriptor, bool write, uint64_t ticket);
/// Waits for tickets; how many, or -1 with errno.
int haul_ready_wait(int set, uint64_t *_Nonnull tickets, int most);

/// Starts a process that stands beside this one, and ends process groups by force when a time has come or this process
/// has ended: also while this one is stopped, and can do neither.
/// @return the descriptor that takes its orders, closed on exec, the caller's to close; or -errno.
int haul_guard_start(void);
/// Watches the group that this child leads.
int haul_guard_watch(int guard, pid_t group);
/// Does not watch a group any more; to be told before the number can be another's.
int haul_guard_forget(int guard, pid_t group);
/// All groups are ended at that time, unless another one is told before.
/// @param boot_time nanoseconds, as `haul_boot_time` counts them.
int haul_guard_until(int guard, int64_t boot_time);
/// CLOCK_BOOTTIME in nanoseconds: goes on while the machine is suspended.
int64_t haul_boot_time(void);
