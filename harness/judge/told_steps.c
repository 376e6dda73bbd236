#include "told_steps.h"

#include <stdlib.h>
#include <string.h>

#include "value_reader.h"

#define BEGIN "{\"type\":\"steps\",\"id\":\""
#define ROUND "\",\"round\":"

bool told_steps_keep(struct told_steps *steps, struct arena *values, char *text, size_t length)
{
        const size_t begin = sizeof(BEGIN) - 1;
        const size_t round = sizeof(ROUND) - 1;
        if (length < begin || memcmp(text, BEGIN, begin) != 0)
                return false;
        size_t end = begin;
        while (end < length && text[end] > ' ' && text[end] != '"' && text[end] != '\\')
                end++;
        if (length - end <= round || memcmp(text + end, ROUND, round) != 0)
                return false;
        text[length] = '\0';
        *steps = (struct told_steps){.text = text,
                                     .length = length,
                                     .id = text + begin,
                                     .id_length = end - begin,
                                     .round = strtoll(text + end + round, NULL, 10),
                                     .values = values};
        return true;
}

bool told_steps_take(struct told_steps *steps, const struct value *object)
{
        const struct value *id = value_member(object, "id");
        const struct value *list = value_member(object, "steps");
        if (!value_text(id) || !list || list->kind != VALUE_LIST)
                return false;
        *steps = (struct told_steps){
                .id = id->text, .id_length = id->size, .round = member_integer(object, "round"), .list = list};
        return true;
}

static const struct value *unreadable(struct arena *values)
{
        static const char said[] = "[{\"n\":1,\"text\":\"(the record's steps cannot be read)\",\"ret\":\"?\"}]";
        char *text = arena_take(values, sizeof(said));
        return text ? value_read(values, memcpy(text, said, sizeof(said)), sizeof(said) - 1, NULL) : NULL;
}

const struct value *told_steps_list(struct told_steps *steps)
{
        if (!steps->text)
                return steps->list;
        const struct value *object = value_read(steps->values, steps->text, steps->length, NULL);
        steps->list = value_member(object, "steps");
        if (!steps->list || steps->list->kind != VALUE_LIST)
                steps->list = unreadable(steps->values);
        steps->text = NULL;
        return steps->list;
}
