/* inject and trace on what people run: a database's start-up, a C++ library, and a library that makes no such call. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "command.h"
#include "shm_programs.h"
#include "test_folder.h"

#define POSTGRES                                                                                                       \
        "setpriv --reuid=postgres --regid=postgres --clear-groups $(echo /usr/lib/postgresql/*/bin)/postgres "         \
        "--single -D $D/cluster template1 </dev/null"

static void need(const char *test, const char *what)
{
        struct finished f = run_command(test);
        bool there = f.status == 0;
        finished_free(&f);
        if (!there)
                cr_skip_test("%s is not installed", what);
}

TestSuite(real_programs, .init = make_folder, .fini = remove_folder, .timeout = 60);

static void make_cluster(void)
{
        need("test -x \"$(echo /usr/lib/postgresql/*/bin)/initdb\" && id postgres", "PostgreSQL");
        if (geteuid() != 0)
                cr_skip_test("only root can become the user of PostgreSQL");
        expect_command("chmod 755 $D && install -d -o postgres $D/cluster && "
                       "unshare -i setpriv --reuid=postgres --regid=postgres --clear-groups "
                       "$(echo /usr/lib/postgresql/*/bin)/initdb -N -A trust -D $D/cluster >/dev/null 2>&1",
                       0, NULL, NULL);
}

Test(real_programs, postgresql_starts_and_leaves_nothing)
{
        make_cluster();
        struct finished f = run_command("$B/shmcheck trace --leaks=error -- " POSTGRES);
        cr_expect_eq(f.status, 0, "%d: %s", f.status, f.err);
        cr_expect(has(f.err, "PGSharedMemoryCreate (postgres)"), "%s", f.err);
        cr_expect(has(f.err, "IPC_CREAT|IPC_EXCL|0600"), "%s", f.err);
        cr_expect(has(f.err, "left behind: nothing"), "%s", f.err);
        finished_free(&f);
}

Test(real_programs, postgresql_reports_a_refused_segment)
{
        make_cluster();
        struct finished f = run_command("$B/shmcheck inject --inject shmget:error=ENOSPC -- " POSTGRES);
        cr_expect_eq(f.status, 1, "%d: %s", f.status, f.err);
        cr_expect(has(f.err, "could not create shared memory segment: No space left on device"), "%s", f.err);
        finished_free(&f);
}

static void make_boost_program(void)
{
        need("command -v g++ && test -e /usr/include/boost/interprocess/xsi_shared_memory.hpp", "Boost.Interprocess");
        write_file("boost.cpp", "#include <boost/interprocess/mapped_region.hpp>\n"
                                "#include <boost/interprocess/xsi_shared_memory.hpp>\n"
                                "#include <iostream>\n"
                                "using namespace boost::interprocess;\n"
                                "int main(int, char **argv)\n"
                                "{\n"
                                "        try {\n"
                                "                xsi_shared_memory shm(create_only, xsi_key(argv[0], 1), 1000);\n"
                                "                mapped_region region(shm, read_write);\n"
                                "                xsi_shared_memory::remove(shm.get_shmid());\n"
                                "        } catch (interprocess_exception &e) {\n"
                                "                std::cerr << \"boost: \" << e.what() << \"\\n\";\n"
                                "                return 1;\n"
                                "        }\n"
                                "}\n");
        expect_command("g++ -o $D/boost $D/boost.cpp", 0, NULL, NULL);
}

Test(real_programs, boost_is_traced_by_the_names_people_write)
{
        make_boost_program();
        struct finished f = run_command("$B/shmcheck trace --leaks=error -- $D/boost");
        cr_expect_eq(f.status, 0, "%d: %s", f.status, f.err);
        cr_expect(has(f.err, "boost::interprocess::xsi_key::xsi_key"), "%s", f.err);
        cr_expect(has(f.err, "left behind: nothing"), "%s", f.err);
        finished_free(&f);
}

Test(real_programs, boost_throws_what_an_attach_fails_with)
{
        make_boost_program();
        expect_command("$B/shmcheck inject --inject shmat:error=ENOMEM -- $D/boost", 1, "",
                       "boost: Cannot allocate memory\n");
}

/* As Debian builds it, APR's shared memory is mmap's. */
Test(real_programs, apr_makes_no_call_and_that_is_no_success)
{
        need("command -v apr-1-config && command -v gcc", "APR");
        write_file("apr.c", "#include <apr_general.h>\n"
                            "#include <apr_shm.h>\n"
                            "int main(void)\n"
                            "{\n"
                            "        apr_pool_t *pool;\n"
                            "        apr_shm_t *shm;\n"
                            "        if (apr_initialize() || apr_pool_create(&pool, NULL) ||\n"
                            "            apr_shm_create(&shm, 1000, NULL, pool))\n"
                            "                return 1;\n"
                            "        return apr_shm_destroy(shm);\n"
                            "}\n");
        expect_command("gcc -o $D/apr $D/apr.c $(apr-1-config --cflags --cppflags --includes --link-ld)", 0, NULL,
                       NULL);
        struct finished f = run_command("$B/shmcheck inject --inject shm:error=ENOSYS -- $D/apr");
        cr_expect_eq(f.status, 3, "%d: %s", f.status, f.err);
        cr_expect(has(f.err, "no System V shared memory call of"), "%s", f.err);
        cr_expect(has(f.err, "--via kernel"), "%s", f.err);
        finished_free(&f);
}
