/* A rule while it is read: where the reader stands in the text, and how it says what is wrong there. */
#ifndef FAULT_READING_H
#define FAULT_READING_H

#include "fault_plan.h"
#include "fault_values.h"

enum fault_part {
        PART_ERROR,
        PART_RETVAL,
        PART_SIGNAL,
        PART_SIGNAL_ENTER,
        PART_SIGNAL_EXIT,
        PART_DELAY,
        PART_DELAY_ENTER,
        PART_DELAY_EXIT,
        PART_CORRUPT,
        PART_SHORT,
        PART_WHEN,
        PART_KEY,
        PART_SIZE,
        PART_UID,
        PART_CALLER,
        PART_THREAD,
        PART_PROB,
        PART_SEED,
        PARTS
};

struct fault_reading {
        struct fault_rule *rule;
        struct fault_mistake *mistake;
        bool any_error;
        const char *text;
        const char *next;         /* what is to be read, or NULL if no colon stands before it */
        struct fault_span calls;  /* CALL, as it is written */
        const char *given[PARTS]; /* where the part stands, or NULL */
};

/* Whether the text is short enough, UTF-8 and free of control characters, so that it can be told to people. */
bool fault_text_is_sound(struct fault_reading *r);

/* Takes what stands before the next colon (one behind a \ does not count); false if nothing is left. */
bool fault_take_part(struct fault_reading *r, struct fault_span *part);

/* Puts the word into the mistake, cut if it is long; returns it for use in the message. */
const char *fault_word(struct fault_reading *r, struct fault_span word);

/* Notes what is wrong at this place of the text. Returns false, always. */
bool fault_mistaken(struct fault_reading *r, const char *at, const char *const *nearest_of, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/* Reads one part behind CALL; false if it is a mistake. */
bool fault_part_read(struct fault_reading *r, struct fault_span part);

#endif
