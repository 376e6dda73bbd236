/* Uses a page in a browser, as one of the programs *_page.js beside this file does. */
#ifndef PAGE_BROWSER_H
#define PAGE_BROWSER_H

/*
 * Runs the program with the words (a page, mostly; $D, a folder of the test's own, is its home), and expects that it
 * finds nothing wrong. Skips the test with a line where a browser, node or playwright-core is not installed.
 */
void use_page(const char *program, const char *words);

#endif
