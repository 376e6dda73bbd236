/* ci/setup where all is there, and where it is not and cannot be installed. */
#include <criterion/criterion.h>

#include "command.h"

Test(setup, says_nothing_when_all_is_there)
{
        struct finished f = run_as_nobody("ci/setup");
        cr_expect_eq(f.status, 0, "%s", f.err);
        cr_expect_str_empty(f.out);
        cr_expect_str_empty(f.err);
        finished_free(&f);
}

Test(setup, names_what_is_missing_when_it_may_not_install)
{
        /* A dpkg-query that knows no package, and no sudo within reach. */
        struct finished f =
                run_command("d=$(mktemp -d) && chmod 755 $d && printf '#!/bin/sh\\nexit 1\\n' >$d/dpkg-query && "
                            "chmod 755 $d/dpkg-query && for t in id tr printf mktemp rm; do "
                            "ln -s $(command -v $t) $d/; done; "
                            "if [ $(id -u) -eq 0 ]; then su nobody -s /bin/sh -c \"PATH=$d /bin/sh ci/setup\"; "
                            "else PATH=$d /bin/sh ci/setup; fi; echo $?; rm -r $d");
        cr_expect_str_eq(f.out, "1\n", "%s%s", f.out, f.err);
        cr_expect(has(f.err, "ci/setup: not root, and there is no sudo; these packages are missing: "), "%s", f.err);
        cr_expect(has(f.err, " libcriterion-dev ") && has(f.err, " libjansson-dev "), "%s", f.err);
        cr_expect_eq(count_lines(f.err), 1);
        finished_free(&f);
}
