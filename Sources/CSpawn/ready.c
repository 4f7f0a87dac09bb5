#include "CSpawn.h"

#include <sys/epoll.h>

enum { MOST = 64 };

int haul_ready_set(void) { return epoll_create1(EPOLL_CLOEXEC); }

int haul_ready_once(int set, int descriptor, bool write, uint64_t ticket) {
    struct epoll_event event = {.events = (write ? EPOLLOUT : EPOLLIN) | EPOLLONESHOT, .data.u64 = ticket};
    if (epoll_ctl(set, EPOLL_CTL_MOD, descriptor, &event) == 0) return 0;
    return epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &event);
}

int haul_ready_wait(int set, uint64_t *tickets, int most) {
    struct epoll_event events[MOST];
    int count = epoll_wait(set, events, most < MOST ? most : MOST, -1);
    for (int i = 0; i < count; i++) tickets[i] = events[i].data.u64;
    return count;
}
