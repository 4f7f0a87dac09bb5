#pragma once
int haul_spawn_placeholder(void);
