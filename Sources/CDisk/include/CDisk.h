#pragma once
// What glibc declares for _GNU_SOURCE alone, and Swift therefore does not see.

/// syncfs(2): all that was written to the file system of `descriptor` is durable after it. 0, or -1 with errno.
int haul_syncfs(int descriptor);
