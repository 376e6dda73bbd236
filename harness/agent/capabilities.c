/* Which capabilities a process of a case has. */
#include "case.h"

#include <grp.h>
#include <stdio.h>
#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

void shmc_make_only_capabilities(unsigned long long mask)
{
#ifdef __linux__
        struct {
                uint32_t version;
                int pid;
        } header = {0x20080522, 0};
        struct {
                uint32_t effective, permitted, inheritable;
        } data[2];
        memset(data, 0, sizeof(data));
        make_sure(syscall(SYS_capget, &header, data) == 0, "capget: %s", strerror(errno));
        for (int word = 0; word < 2; word++) {
                uint32_t kept = data[word].permitted & (uint32_t)(mask >> (32 * word));
                data[word].effective = data[word].permitted = kept;
                data[word].inheritable = 0;
        }
        make_sure(syscall(SYS_capset, &header, data) == 0, "capset: %s", strerror(errno));
        char text[64];
        snprintf(text, sizeof(text), "capset(0x%llx)", mask);
        try_other(text, 0, false, 0);
#else
        (void)mask;
        shmc_skip("capabilities are Linux'");
#endif
}

void shmc_become_user_with_capabilities(uid_t uid, gid_t gid, unsigned long long mask)
{
#ifdef __linux__
        make_sure(setgroups(0, NULL) == 0 && setgid(gid) == 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 &&
                          setuid(uid) == 0 && geteuid() == uid,
                  "becoming uid %lu with capabilities: %s", (unsigned long)uid, strerror(errno));
        shmc_make_only_capabilities(mask);
#else
        (void)uid, (void)gid, (void)mask;
        shmc_skip("capabilities are Linux'");
#endif
}
