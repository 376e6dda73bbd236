/*
 * What a platform did in a case, as far as another platform, or another run of
 * the same, could rightly have done something else: what tells stories apart.
 */
#ifndef STORY_H
#define STORY_H

#include "verdict.h"

/*
 * Whether what an observation saw tells platforms apart: it is not allowed, or
 * one of several results that are, or a word of a case that is not judged.
 * allowed is what the profile expects, or NULL.
 */
bool observation_tells_apart(const struct judged_case *c, const struct value *observation, const struct value *allowed);

/*
 * What makes stories the same, as text: the verdict, the reason, and what each
 * check that tells apart saw; addresses, identifiers and times aside. The
 * caller frees it; NULL when memory is short.
 */
char *story_key(const struct judgement *judgement, const struct judged_case *c);

#endif
