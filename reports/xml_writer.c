#include "xml_writer.h"

#include <dlfcn.h>
#include <errno.h>
#include <libxml/xmlwriter.h>
#include <stdlib.h>

#include "plain_text.h"

/* Of the ABI that the headers are of. */
#define LIBRARY "libxml2.so.2"

/*
 * Loaded by who writes XML alone: with the libraries that it needs itself it
 * makes up more than half of the time that the tool takes to start.
 */
static struct {
        __typeof__(xmlSetStructuredErrorFunc) *set_error_function;
        __typeof__(xmlOutputBufferCreateFile) *create_buffer;
        __typeof__(xmlOutputBufferClose) *close_buffer;
        __typeof__(xmlNewTextWriter) *create;
        __typeof__(xmlFreeTextWriter) *destroy;
        __typeof__(xmlTextWriterSetIndent) *set_indent;
        __typeof__(xmlTextWriterSetIndentString) *set_indent_string;
        __typeof__(xmlTextWriterStartDocument) *start_document;
        __typeof__(xmlTextWriterEndDocument) *end_document;
        __typeof__(xmlTextWriterStartElement) *start_element;
        __typeof__(xmlTextWriterEndElement) *end_element;
        __typeof__(xmlTextWriterWriteAttribute) *write_attribute;
        __typeof__(xmlTextWriterWriteString) *write_string;
} library;

struct xml_writer {
        xmlTextWriterPtr writer;
        bool failed;
};

static bool find_functions(void *handle)
{
        const struct {
                void *at;
                const char *name;
        } functions[] = {
                {&library.set_error_function, "xmlSetStructuredErrorFunc"},
                {&library.create_buffer, "xmlOutputBufferCreateFile"},
                {&library.close_buffer, "xmlOutputBufferClose"},
                {&library.create, "xmlNewTextWriter"},
                {&library.destroy, "xmlFreeTextWriter"},
                {&library.set_indent, "xmlTextWriterSetIndent"},
                {&library.set_indent_string, "xmlTextWriterSetIndentString"},
                {&library.start_document, "xmlTextWriterStartDocument"},
                {&library.end_document, "xmlTextWriterEndDocument"},
                {&library.start_element, "xmlTextWriterStartElement"},
                {&library.end_element, "xmlTextWriterEndElement"},
                {&library.write_attribute, "xmlTextWriterWriteAttribute"},
                {&library.write_string, "xmlTextWriterWriteString"},
        };
        for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
                /* POSIX (dlsym) has a function's address be taken so. */
                if (!(*(void **)functions[i].at = dlsym(handle, functions[i].name)))
                        return false;
        }
        return true;
}

static bool load_library(void)
{
        static bool loaded;
        void *handle = loaded ? NULL : dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
        loaded = loaded || (handle && find_functions(handle));
        if (!loaded)
                errno = ELIBACC;
        return loaded;
}

/* The library would tell the user of a full disk in its own way, beside the line that says so. */
static void say_nothing(void *state, xmlErrorPtr error)
{
        (void)state, (void)error;
}

struct xml_writer *xml_writer_begin(FILE *out)
{
        if (!load_library())
                return NULL;
        struct xml_writer *x = calloc(1, sizeof(*x));
        library.set_error_function(NULL, say_nothing);
        xmlOutputBufferPtr buffer = x ? library.create_buffer(out, NULL) : NULL;
        if (buffer)
                x->writer = library.create(buffer);
        if (!buffer || !x->writer) {
                library.close_buffer(buffer);
                free(x);
                errno = ENOMEM;
                return NULL;
        }
        library.set_indent(x->writer, 1);
        library.set_indent_string(x->writer, BAD_CAST " ");
        x->failed = library.start_document(x->writer, NULL, "UTF-8", NULL) < 0;
        return x;
}

void xml_start(struct xml_writer *x, const char *element)
{
        x->failed |= library.start_element(x->writer, BAD_CAST element) < 0;
}

void xml_finish(struct xml_writer *x)
{
        x->failed |= library.end_element(x->writer) < 0;
}

void xml_attribute(struct xml_writer *x, const char *name, const char *text, size_t limit)
{
        char *plain = plain_text(text, limit, ONE_LINE);
        x->failed |= !plain || library.write_attribute(x->writer, BAD_CAST name, BAD_CAST plain) < 0;
        free(plain);
}

void xml_count(struct xml_writer *x, const char *name, size_t n)
{
        char digits[32];
        snprintf(digits, sizeof(digits), "%zu", n);
        xml_attribute(x, name, digits, sizeof(digits));
}

void xml_seconds(struct xml_writer *x, const char *name, double seconds)
{
        char text[64];
        snprintf(text, sizeof(text), "%.6f", seconds);
        xml_attribute(x, name, text, sizeof(text));
}

void xml_content(struct xml_writer *x, const char *text, size_t limit)
{
        char *plain = plain_text(text, limit, KEEP_NEWLINES);
        x->failed |= !plain || library.write_string(x->writer, BAD_CAST plain) < 0;
        free(plain);
}

bool xml_writer_end(struct xml_writer *x)
{
        bool written = library.end_document(x->writer) >= 0 && !x->failed;
        library.destroy(x->writer);
        free(x);
        return written;
}
