#include "CSpawn.h"
int haul_spawn_placeholder(void) { return 0; }
