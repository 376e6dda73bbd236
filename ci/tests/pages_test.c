/* The pages of sweep and trace, made from real runs and used in a browser. */
#include <criterion/criterion.h>

#include "command.h"
#include "page_browser.h"
#include "shm_programs.h"

/* An argument that ends what it could stand in, and turns text round. */
#define HOSTILE "\"$(printf '</script><img src=x onerror=console.error(1)>\\342\\200\\256\\001x')\""

static void set_up(void)
{
        enter_own_ipc_namespace();
        make_shm_programs();
}

Test(pages, each_cell_of_a_sweep_opens_its_runs, .init = set_up, .fini = remove_shm_programs, .timeout = 120)
{
        expect_command("cc -std=c11 -D_GNU_SOURCE -g -O0 ci/tests/wrappers/crashes.c -o $D/crashes", 0, NULL, NULL);
        expect_command("$B/shmcheck sweep --html $D/page.html -- $D/crashes " HOSTILE, 1, NULL, NULL);
        use_page("sweep_page.js", "$D/page.html");
}

Test(pages, each_mark_of_a_timeline_tells_its_call, .init = set_up, .fini = remove_shm_programs, .timeout = 120)
{
        expect_command("$B/shmcheck trace --html $D/page.html -- $Q leak", 0, NULL, NULL);
        use_page("trace_page.js", "$D/page.html");
}
