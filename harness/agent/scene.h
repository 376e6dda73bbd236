/* The part of scene.c that the worker uses. */
#ifndef SHMC_SCENE_H
#define SHMC_SCENE_H

/* Draws new keys for KEY, OTHER_KEY, ...: at random, and none of them in use. For the host's own namespace. */
void shmc_choose_free_keys(void);

#endif
