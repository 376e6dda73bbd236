#include "json_writer.h"

#include <string.h>

/* Files of many megabytes are written in pieces of a few bytes, by one thread: nothing is locked for each. */
static void put_bytes(FILE *out, const char *bytes, size_t size)
{
        fwrite_unlocked(bytes, 1, size, out);
}

static void put_sign(FILE *out, char sign)
{
        fputc_unlocked(sign, out);
}

static void put_break(const struct json_writer *w)
{
        put_sign(w->out, '\n');
        for (int i = 0; i < w->depth; i++)
                put_sign(w->out, ' ');
}

/* Control characters, the quotation mark and the backslash are all that must not stand for themselves. */
static bool is_plain(char c)
{
        return (unsigned char)c >= 0x20 && c != '"' && c != '\\';
}

static void put_escape(FILE *out, char c)
{
        static const char signs[] = "\"\\\b\f\n\r\t";
        static const char names[] = "\"\\bfnrt";
        const char *sign = memchr(signs, c, sizeof(signs) - 1);
        if (sign)
                fprintf(out, "\\%c", names[sign - signs]);
        else
                fprintf(out, "\\u%04X", (unsigned)(unsigned char)c);
}

static void put_text(FILE *out, const char *text)
{
        put_sign(out, '"');
        while (*text) {
                const char *end = text;
                while (is_plain(*end))
                        end++;
                put_bytes(out, text, (size_t)(end - text));
                text = end;
                if (*text)
                        put_escape(out, *text++);
        }
        put_sign(out, '"');
}

/* Puts all that stands in front of a value. */
static void begin_value(struct json_writer *w, const char *name)
{
        if (w->filled)
                put_sign(w->out, ',');
        if (w->depth > 0)
                put_break(w);
        w->filled = true;
        if (!name)
                return;
        put_text(w->out, name);
        put_bytes(w->out, ": ", 2);
}

static void begin_holder(struct json_writer *w, const char *name, char sign)
{
        begin_value(w, name);
        put_sign(w->out, sign);
        w->depth++;
        w->filled = false;
}

static void end_holder(struct json_writer *w, char sign)
{
        w->depth--;
        if (w->filled)
                put_break(w);
        put_sign(w->out, sign);
        w->filled = true;
}

void json_begin_object(struct json_writer *w, const char *name)
{
        begin_holder(w, name, '{');
}

void json_begin_list(struct json_writer *w, const char *name)
{
        begin_holder(w, name, '[');
}

void json_end_object(struct json_writer *w)
{
        end_holder(w, '}');
}

void json_end_list(struct json_writer *w)
{
        end_holder(w, ']');
}

void json_write_text(struct json_writer *w, const char *name, const char *text)
{
        begin_value(w, name);
        put_text(w->out, text);
}

void json_write_number(struct json_writer *w, const char *name, long long number)
{
        char digits[32];
        char *const end = digits + sizeof(digits);
        char *at = end;
        unsigned long long rest = number < 0 ? -(unsigned long long)number : (unsigned long long)number;
        begin_value(w, name);
        /* Every second value of a report is a number: printf would take twice the time of all that is here. */
        do
                *--at = (char)('0' + rest % 10);
        while ((rest /= 10) > 0);
        if (number < 0)
                *--at = '-';
        put_bytes(w->out, at, (size_t)(end - at));
}

void json_write_flag(struct json_writer *w, const char *name, bool flag)
{
        begin_value(w, name);
        fputs(flag ? "true" : "false", w->out);
}
