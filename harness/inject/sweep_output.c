#include "sweep_output.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a, 64 bits. */
#define SUM_START UINT64_C(0xcbf29ce484222325)
#define SUM_FACTOR UINT64_C(0x100000001b3)
/* What stands for a word with a digit: no byte has this value. */
#define NUMBER 0x100

static uint64_t sum(uint64_t so_far, uint64_t value)
{
        return (so_far ^ value) * SUM_FACTOR;
}

/* So that sums of lines can be added without those that differ little making up for each other. */
static uint64_t spread(uint64_t value)
{
        value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
        return value ^ (value >> 31);
}

static void keep(struct sweep_output *o, const char *bytes, size_t count)
{
        size_t wanted = o->kept + count < SWEEP_OUTPUT_KEPT ? o->kept + count : SWEEP_OUTPUT_KEPT;
        if (wanted + 1 > o->room) {
                size_t room = wanted + 1 > 2 * o->room ? wanted + 1 : 2 * o->room;
                char *grown = realloc(o->text, room);
                if (!grown)
                        return;
                o->text = grown;
                o->room = room;
        }
        memcpy(o->text + o->kept, bytes, wanted - o->kept);
        o->kept = wanted;
        o->text[o->kept] = '\0';
}

static void end_word(struct sweep_output *o)
{
        if (!o->in_word)
                return;
        uint64_t value = o->has_digit ? NUMBER : o->word;
        o->masked = sum(o->masked, value);
        o->line = sum(o->line, value);
        o->in_word = o->has_digit = false;
}

static void end_line(struct sweep_output *o)
{
        o->lines += spread(o->line);
        o->line = SUM_START;
}

static void add_masked(struct sweep_output *o, unsigned char c)
{
        if (isalnum(c) || c == '_') {
                o->word = sum(o->in_word ? o->word : SUM_START, c);
                o->in_word = true;
                o->has_digit = o->has_digit || isdigit(c);
                return;
        }
        end_word(o);
        o->masked = sum(o->masked, c);
        if (c == '\n')
                end_line(o);
        else
                o->line = sum(o->line, c);
}

static void begin(struct sweep_output *o)
{
        o->exact = o->masked = o->line = SUM_START;
}

void sweep_output_add(struct sweep_output *o, const char *bytes, size_t count)
{
        if (o->length == 0)
                begin(o);
        keep(o, bytes, count);
        o->length += count;
        for (size_t i = 0; i < count; i++) {
                o->exact = sum(o->exact, (unsigned char)bytes[i]);
                add_masked(o, (unsigned char)bytes[i]);
        }
}

void sweep_output_end(struct sweep_output *o)
{
        if (o->length == 0)
                begin(o);
        end_word(o);
        end_line(o);
}

void sweep_output_free(struct sweep_output *o)
{
        free(o->text);
        memset(o, 0, sizeof(*o));
}

enum sweep_likeness sweep_output_likeness(const struct sweep_output *a, const struct sweep_output *b)
{
        if (a->length == b->length && a->exact == b->exact)
                return SWEEP_LIKE_EXACTLY;
        if (a->masked == b->masked)
                return SWEEP_LIKE_BUT_NUMBERS;
        return a->lines == b->lines ? SWEEP_LIKE_BUT_ORDER : SWEEP_UNLIKE;
}

uint64_t sweep_line_sum(const char *line, size_t length, bool masked)
{
        struct sweep_output o = {.room = 0};
        begin(&o);
        for (size_t i = 0; i < length; i++) {
                o.exact = sum(o.exact, (unsigned char)line[i]);
                add_masked(&o, (unsigned char)line[i]);
        }
        end_word(&o);
        return masked ? o.line : o.exact;
}
