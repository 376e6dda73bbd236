/* A counter that processes share, in a segment that a file names: as small as a wrapper of shm can be. */
#ifndef COUNTER_H
#define COUNTER_H

struct counter;

enum counter_error {
        COUNTER_OK,
        COUNTER_NO_NAME,  /* the file is not there, or cannot be looked at */
        COUNTER_NO_ROOM,  /* no memory, or as many segments as may be */
        COUNTER_DENIED,   /* it is another user's */
        COUNTER_NOT_OURS, /* the key is taken by something that is no counter */
        COUNTER_BROKEN    /* anything else */
};

/* Opens the counter that the file names, and makes it if it is not there. */
enum counter_error counter_open(const char *file, struct counter **counter);

/* Adds to the counter and returns its new value. */
long counter_add(struct counter *counter, long value);

/* Lets go of the counter; whoever is the last one removes it. */
enum counter_error counter_close(struct counter *counter);

#endif
