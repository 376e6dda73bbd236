#include "fault_values.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct unit {
        const char *name;
        uint64_t factor;
};

static const struct unit size_units[] = {
        {"", 1},          {"k", 1 << 10}, {"K", 1 << 10},   {"KiB", 1 << 10}, {"M", 1 << 20},
        {"MiB", 1 << 20}, {"G", 1 << 30}, {"GiB", 1 << 30}, {NULL, 0},
};
static const struct unit time_units[] = {
        {"", 1000}, {"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {NULL, 0},
};
#define LONGEST_TIME (UINT64_C(1000000000) * 1000000000)

static bool is_empty(const struct fault_span *rest)
{
        return rest->from == rest->to;
}

/* What is not understood begins here; NULL if nothing is left. */
static const char *end_of(const struct fault_span *rest)
{
        return is_empty(rest) ? NULL : rest->from;
}

/* Takes the word off the front. */
static bool take(struct fault_span *rest, const char *word)
{
        size_t length = strlen(word);
        if ((size_t)(rest->to - rest->from) < length || memcmp(rest->from, word, length) != 0)
                return false;
        rest->from += length;
        return true;
}

/* The digit's value, or base if there is none. */
static unsigned digit_here(const struct fault_span *rest, unsigned base)
{
        static const char digits[] = "0123456789abcdef";
        if (is_empty(rest) || !*rest->from)
                return base;
        char c = *rest->from;
        const char *digit = strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
        return digit && digit - digits < (ptrdiff_t)base ? (unsigned)(digit - digits) : base;
}

/* Takes all digits off the front; leaves them there if there are none, or if they are more than max. */
static bool take_digits(struct fault_span *rest, unsigned base, uint64_t max, uint64_t *number)
{
        struct fault_span digits = *rest;
        uint64_t n = 0;
        for (unsigned digit = 0; (digit = digit_here(&digits, base)) < base; digits.from++) {
                if (n > max / base || digit > max - n * base)
                        return false;
                n = n * base + digit;
        }
        if (digits.from == rest->from)
                return false;
        *rest = digits;
        *number = n;
        return true;
}

static bool take_number(struct fault_span *rest, uint64_t max, uint64_t *number)
{
        struct fault_span digits = *rest;
        if (!take(&digits, "0x") && !take(&digits, "0X"))
                return take_digits(rest, 10, max, number);
        if (!take_digits(&digits, 16, max, number))
                return false;
        *rest = digits;
        return true;
}

/* Reads the rest as a unit and multiplies; false if there is no such unit, or the product is more than max. */
static bool scale(const struct fault_span *rest, const struct unit *units, uint64_t max, uint64_t *number)
{
        size_t length = (size_t)(rest->to - rest->from);
        while (units->name && (strlen(units->name) != length || memcmp(units->name, rest->from, length) != 0))
                units++;
        if (!units->name || *number > max / units->factor)
                return false;
        *number *= units->factor;
        return true;
}

const char *fault_read_number(struct fault_span text, uint64_t max, uint64_t *number)
{
        return take_number(&text, max, number) ? end_of(&text) : text.from;
}

const char *fault_read_octal_number(struct fault_span text, uint64_t max, uint64_t *number)
{
        struct fault_span digits = text;
        if (take(&digits, "0") && digit_here(&digits, 10) < 10)
                return take_digits(&digits, 8, max, number) ? end_of(&digits) : text.from;
        return fault_read_number(text, max, number);
}

const char *fault_read_signed(struct fault_span text, int64_t *number)
{
        struct fault_span digits = text;
        bool negative = take(&digits, "-");
        bool hexadecimal = !negative && digits.to - digits.from > 1 && (digits.from[1] | 0x20) == 'x';
        uint64_t max = hexadecimal ? UINT64_MAX : (uint64_t)INT64_MAX + negative;
        uint64_t n = 0;
        if (!take_number(&digits, max, &n))
                return text.from;
        *number = (int64_t)(negative ? 0 - n : n);
        return end_of(&digits);
}

const char *fault_read_size(struct fault_span text, uint64_t *bytes)
{
        struct fault_span rest = text;
        if (!take_number(&rest, UINT64_MAX, bytes))
                return text.from;
        return scale(&rest, size_units, UINT64_MAX, bytes) ? NULL : rest.from;
}

const char *fault_read_sizes(struct fault_span text, uint64_t *low, uint64_t *high)
{
        struct fault_span rest = text;
        bool below = take(&rest, "<");
        bool above = !below && take(&rest, ">");
        bool strictly = (below || above) && !take(&rest, "=");
        uint64_t bytes = 0;
        const char *wrong = fault_read_size(rest, &bytes);
        if (wrong)
                return wrong;
        if (strictly && bytes == (below ? 0 : UINT64_MAX))
                return text.from;
        *low = below ? 0 : bytes + (above && strictly);
        *high = above ? UINT64_MAX : bytes - (below && strictly);
        return NULL;
}

const char *fault_read_time(struct fault_span text, uint64_t *nanoseconds)
{
        struct fault_span rest = text;
        if (!take_number(&rest, UINT64_MAX, nanoseconds))
                return text.from;
        return scale(&rest, time_units, LONGEST_TIME, nanoseconds) ? NULL : is_empty(&rest) ? text.from : rest.from;
}

/* Takes digits with or without a point; however many they are, they are never out of double's range. */
static bool take_decimal(struct fault_span *rest, double *value)
{
        struct fault_span digits = *rest;
        bool any = false;
        double v = 0;
        unsigned digit = 0;
        for (; (digit = digit_here(&digits, 10)) < 10; digits.from++, any = true)
                v = v < 1e9 ? v * 10 + digit : v;
        if (take(&digits, ".")) {
                double place = 1;
                for (; (digit = digit_here(&digits, 10)) < 10; digits.from++, any = true) {
                        place /= 10;
                        v += place * digit;
                }
        }
        if (!any)
                return false;
        *rest = digits;
        *value = v;
        return true;
}

const char *fault_read_chance(struct fault_span text, uint64_t *chance)
{
        struct fault_span rest = text;
        double value = 0;
        if (!take_decimal(&rest, &value))
                return text.from;
        if (take(&rest, "%"))
                value /= 100;
        if (!is_empty(&rest))
                return rest.from;
        if (value > 1)
                return text.from;
        *chance = (uint64_t)(value * 4294967296.0 + 0.5);
        if (value > 0 && *chance == 0)
                *chance = 1;
        return NULL;
}

/* Takes a number from min on. */
static bool take_count(struct fault_span *rest, uint64_t min, uint64_t *number)
{
        struct fault_span digits = *rest;
        if (!take_number(&digits, UINT64_MAX, number) || *number < min)
                return false;
        *rest = digits;
        return true;
}

const char *fault_read_when(struct fault_span text, uint64_t *first, uint64_t *last, uint64_t *step)
{
        struct fault_span rest = text;
        if (!take_count(&rest, 1, first))
                return rest.from;
        *step = 1;
        *last = *first;
        if (take(&rest, "..")) {
                if (!take_count(&rest, *first, last))
                        return rest.from;
        } else if (!is_empty(&rest) && *rest.from == '+') {
                *last = UINT64_MAX;
        }
        if (take(&rest, "+") && !is_empty(&rest) && !take_count(&rest, 1, step))
                return rest.from;
        return end_of(&rest);
}
