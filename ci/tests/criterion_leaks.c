/*
 * Criterion 2.4.1 loses a record of its own for some of the tests that it runs
 * side by side; what this project loses is still told.
 */
const char *__lsan_default_suppressions(void); // NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

/* The name is LeakSanitizer's (sanitizer/lsan_interface.h); without it nobody calls this. */
const char *__lsan_default_suppressions(void) // NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
{
        return "leak:libcriterion.so\n";
}
