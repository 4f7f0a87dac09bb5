#define _GNU_SOURCE
#include "CSpawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum order { ORDER_WATCH = 1, ORDER_FORGET, ORDER_UNTIL };

// One write of it to a pipe is whole (pipe(7)).
struct message {
    int32_t order;
    int32_t pid;
    int64_t until;
};

struct watched {
    pid_t pid;
    int pidfd;
};

// A worker has 1,000 slots at most, with two backends each.
enum { MOST = 2048 };

int64_t haul_boot_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void drop(struct watched *groups, int *count, int index) {
    if (groups[index].pidfd >= 0) close(groups[index].pidfd);
    groups[index] = groups[--*count];
}

static void kill_all(struct watched *groups, int *count) {
    while (*count > 0) {
        struct watched group = groups[*count - 1];
        // Until its leader is reaped nobody else can have its number.
        if (group.pidfd < 0 || syscall(SYS_pidfd_send_signal, group.pidfd, 0, NULL, 0) == 0) kill(-group.pid, SIGKILL);
        drop(groups, count, *count - 1);
    }
}

static void obey(const struct message *message, struct watched *groups, int *count, int timer) {
    switch (message->order) {
    case ORDER_WATCH:
        if (message->pid > 1 && *count < MOST) {
            groups[*count].pid = message->pid;
            groups[*count].pidfd = (int)syscall(SYS_pidfd_open, message->pid, 0);
            // It is over already.
            if (groups[*count].pidfd < 0 && errno == ESRCH) break;
            ++*count;
        }
        break;
    case ORDER_FORGET:
        for (int i = 0; i < *count; i++)
            if (groups[i].pid == message->pid) { drop(groups, count, i); break; }
        break;
    case ORDER_UNTIL: {
        struct itimerspec at;
        memset(&at, 0, sizeof at);
        at.it_value.tv_sec = message->until / 1000000000;
        at.it_value.tv_nsec = message->until % 1000000000;
        timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
        break;
    }
    default: break;
    }
}

// A copy of one thread of many: only async-signal-safe calls from here.
static _Noreturn void stand_guard(int orders) {
    static struct watched groups[MOST];
    int count = 0;
    setsid();
    prctl(PR_SET_NAME, "haul-guard");
    if (chdir("/") != 0) _exit(1);
    // It ends when the process does for which it stands here, and not before.
    for (int number = 1; number < NSIG; number++) signal(number, SIG_IGN);
    int null = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3; i++) dup2(null, i);
    if (orders != 3) dup2(orders, 3);
    // Whoever waits for the end of something that the process holds - a lock, a pipe - shall not wait for this one.
    if (syscall(SYS_close_range, 4U, ~0U, 0) != 0) {
        for (int fd = 4; fd < 65536; fd++) close(fd);
    }
    // Counts on while the machine is suspended, and wakes as soon as it is back.
    int timer = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK);
    struct pollfd polled[2] = {{.fd = 3, .events = POLLIN}, {.fd = timer, .events = POLLIN}};
    while (1) {
        if (poll(polled, 2, -1) < 0 && errno != EINTR) break;
        // What was ordered before counts first.
        struct message message;
        ssize_t got;
        while ((got = read(3, &message, sizeof message)) == (ssize_t)sizeof message)
            obey(&message, groups, &count, timer);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) break;
        uint64_t expired;
        if (read(timer, &expired, sizeof expired) == (ssize_t)sizeof expired) kill_all(groups, &count);
    }
    kill_all(groups, &count);
    _exit(0);
}

int haul_guard_start(void) {
    int orders[2];
    if (pipe2(orders, O_CLOEXEC | O_NONBLOCK) != 0) return -errno;
    // Twice, so that it is nobody's child: it is never waited for.
    pid_t pid = fork();
    if (pid == 0) {
        pid_t guard = fork();
        if (guard == 0) stand_guard(orders[0]);
        _exit(guard < 0 ? 1 : 0);
    }
    int error = pid < 0 ? errno : 0;
    close(orders[0]);
    int status = 0;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    if (error == 0 && status != 0) error = EAGAIN;
    if (error == 0) return orders[1];
    close(orders[1]);
    return -error;
}

static int order(int guard, enum order what, pid_t pid, int64_t until) {
    struct message message = {.order = what, .pid = pid, .until = until};
    return write(guard, &message, sizeof message) == (ssize_t)sizeof message ? 0 : -1;
}

int haul_guard_watch(int guard, pid_t group) { return order(guard, ORDER_WATCH, group, 0); }
int haul_guard_forget(int guard, pid_t group) { return order(guard, ORDER_FORGET, group, 0); }
int haul_guard_until(int guard, int64_t boot_time) { return order(guard, ORDER_UNTIL, 0, boot_time); }
