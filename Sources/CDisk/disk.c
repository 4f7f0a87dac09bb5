#define _GNU_SOURCE
#include "CDisk.h"
#include <unistd.h>

int haul_syncfs(int descriptor) { return syncfs(descriptor); }
