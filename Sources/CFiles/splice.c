#define _GNU_SOURCE
#include "CFiles.h"

#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>

ssize_t haul_there(int descriptor) {
    struct pollfd ready = {.fd = descriptor, .events = POLLIN};
    // Asked in this order: what comes between the two is there, and no end.
    if (poll(&ready, 1, 0) != 1) return -1;
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) == 0 && count > 0 ? count : 0;
}

ssize_t haul_splice(int from, int64_t offset, int to, size_t count) {
    loff_t place = offset;
    return splice(from, offset < 0 ? NULL : &place, to, NULL, count, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}
