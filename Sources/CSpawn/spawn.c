#define _GNU_SOURCE
#include "CSpawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

// What the child tells through the pipe when it cannot become its program.
struct failure {
    int error;
    int step;
};

enum step { STEP_DIRECTORY, STEP_DESCRIPTORS, STEP_PARENT, STEP_EXEC };
static const char *const step_names[] = {"chdir", "descriptors", "parent", "exec"};

static _Noreturn void fail(int report, enum step step) {
    struct failure failure = {.error = errno, .step = step};
    ssize_t ignored = write(report, &failure, sizeof failure);
    (void)ignored;
    _exit(127);
}

// Only async-signal-safe calls from here: the child is a copy of one thread of many.
static _Noreturn void become(const struct haul_spawn_request *request, int report, pid_t parent) {
    if (request->new_group) setpgid(0, 0);
    if (request->dies_with_parent) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        // It may have died before the line above.
        if (getppid() != parent) { errno = ESRCH; fail(report, STEP_PARENT); }
    }

    // Handlers are ours, not the program's; an ignored signal would stay ignored over exec.
    struct sigaction usual = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) sigaction(number, &usual, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    if (request->directory && chdir(request->directory) != 0) fail(report, STEP_DIRECTORY);

    // Out of the way first: the descriptors given may themselves be 0, 1 or 2, in any order.
    int copies[3];
    for (int i = 0; i < 3; i++) {
        int from = request->descriptors[i];
        if (from < 0) from = open("/dev/null", O_RDWR);
        copies[i] = from < 0 ? -1 : fcntl(from, F_DUPFD_CLOEXEC, 3);
        if (copies[i] < 0) fail(report, STEP_DESCRIPTORS);
    }
    for (int i = 0; i < 3; i++)
        if (dup2(copies[i], i) < 0) fail(report, STEP_DESCRIPTORS);
    if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
        long most = sysconf(_SC_OPEN_MAX);
        for (int fd = 3; fd < (most > 0 ? most : 65536); fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
    }

    execve(request->path, (char *const *)request->argv, (char *const *)request->envp);
    fail(report, STEP_EXEC);
}

static pid_t fork_with_pidfd(int *pidfd) {
    struct clone_args args;
    memset(&args, 0, sizeof args);
    args.flags = CLONE_PIDFD;
    args.pidfd = (uint64_t)(uintptr_t)pidfd;
    args.exit_signal = SIGCHLD;
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    if (pid >= 0 || (errno != ENOSYS && errno != EPERM && errno != EINVAL)) return pid;

    // A sandbox without clone3. Nobody but us reaps the child, so its pid stays its own.
    pid = fork();
    if (pid > 0) {
        *pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (*pidfd < 0) {
            int error = errno;
            kill(pid, SIGKILL);
            while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
            errno = error;
            return -1;
        }
    }
    return pid;
}

static struct haul_spawn_result spawn_here(const struct haul_spawn_request *request) {
    struct haul_spawn_result result = {.pid = -1, .pidfd = -1, .error = 0, .step = ""};
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) {
        result.error = errno;
        result.step = "pipe";
        return result;
    }
    // The child's copy of the write end must not be one of the three that are replaced.
    if (report[1] < 3) {
        int higher = fcntl(report[1], F_DUPFD_CLOEXEC, 3);
        if (higher >= 0) { close(report[1]); report[1] = higher; }
    }

    pid_t parent = getpid();
    pid_t pid = fork_with_pidfd(&result.pidfd);
    if (pid == 0) become(request, report[1], parent);
    int error = errno;
    close(report[1]);
    if (pid < 0) {
        close(report[0]);
        result.error = error;
        result.step = "fork";
        return result;
    }

    struct failure failure;
    ssize_t count;
    do count = read(report[0], &failure, sizeof failure);
    while (count < 0 && errno == EINTR);
    close(report[0]);
    if (count == 0) {
        result.pid = pid;
        return result;
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
    close(result.pidfd);
    result.pidfd = -1;
    result.error = count == sizeof failure ? failure.error : EIO;
    result.step = count == sizeof failure ? step_names[failure.step] : "exec";
    return result;
}

// One thread serves all requests, one after the other, and never ends.
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t asked = PTHREAD_COND_INITIALIZER;
static pthread_cond_t answered = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static const struct haul_spawn_request *current;
static struct haul_spawn_result answer;
static int start_error;

static void *serve(void *unused) {
    (void)unused;
    // No handler of this process may run in the child before the child has reset them.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    pthread_mutex_lock(&lock);
    for (;;) {
        while (!current) pthread_cond_wait(&asked, &lock);
        const struct haul_spawn_request *request = current;
        pthread_mutex_unlock(&lock);
        struct haul_spawn_result result = spawn_here(request);
        pthread_mutex_lock(&lock);
        answer = result;
        current = NULL;
        pthread_cond_signal(&answered);
    }
    return NULL;
}

static void start_thread(void) {
    pthread_t thread;
    start_error = pthread_create(&thread, NULL, serve, NULL);
    if (start_error == 0) pthread_detach(thread);
}

struct haul_spawn_result haul_spawn(const struct haul_spawn_request *request) {
    pthread_once(&once, start_thread);
    if (start_error != 0) {
        return (struct haul_spawn_result){.pid = -1, .pidfd = -1, .error = start_error, .step = "thread"};
    }
    pthread_mutex_lock(&one_at_a_time);
    pthread_mutex_lock(&lock);
    current = request;
    pthread_cond_signal(&asked);
    while (current) pthread_cond_wait(&answered, &lock);
    struct haul_spawn_result result = answer;
    pthread_mutex_unlock(&lock);
    pthread_mutex_unlock(&one_at_a_time);
    return result;
}

int haul_reap(int pidfd, bool nohang, int *code, int *status) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    int flags = WEXITED | (nohang ? WNOHANG : 0);
    while (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, flags) != 0)
        if (errno != EINTR) return -1;
    if (info.si_pid == 0) return 1;
    *code = info.si_code;
    *status = info.si_status;
    return 0;
}

int haul_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    (void)fcntl(ends[0], F_SETPIPE_SZ, 1 << 18);
    return 0;
}
