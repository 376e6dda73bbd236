/* What a mutant may know of a segment and of this process's attachments; errno is left alone. */
#ifndef SEGMENT_H
#define SEGMENT_H

#include "mutant.h"

/* The segment as it really is, whatever its mode; false if there is none. */
bool shmmutant_look(int shmid, struct shmid_ds *ds);

/* Whether a segment has the key. */
bool shmmutant_key_is_taken(key_t key);

/* Makes the kernel give the next new segment of this namespace the identifier, if the caller may. */
void shmmutant_choose_next_id(int shmid);

size_t shmmutant_page(void);
/* Rounded up to whole pages. */
size_t shmmutant_in_pages(size_t size);

struct attachment {
        char *address;
        size_t length;
        int shmid;
        size_t offset; /* of its first byte in the segment */
        bool writable;
};

/* Calls visit for each mapping of a segment in this process until it returns false. */
void shmmutant_each_attachment(bool (*visit)(const struct attachment *a, void *arg), void *arg);
/* The attachment that holds the byte at address; false if none does. */
bool shmmutant_attachment_at(const void *address, struct attachment *a);
/* Any attachment of the segment in this process. */
bool shmmutant_attachment_of(int shmid, struct attachment *a);
/* How many mappings of segments this process has. */
unsigned shmmutant_attachments(void);
/* Detaches every attachment of this process. */
void shmmutant_detach_all(void);
/* Puts zeroed private memory where something may be mapped. */
void shmmutant_map_over(void *start, size_t size, int protection);
/* Whether the whole range may be read. */
bool shmmutant_is_readable(const void *start, size_t size);

/*
 * A note is one number that a mutant keeps of a segment, seen by all processes
 * of the run, in other IPC namespaces and after exec too. Only for mutants that
 * keep notes.
 */
void shmmutant_notes_open(void);
void shmmutant_note(int shmid, long number);
bool shmmutant_noted(int shmid, long *number);
/* Memory that all processes of the run share, beside the notes. */
#define SHARED_BYTES 4096
unsigned char *shmmutant_shared(void);

#endif
