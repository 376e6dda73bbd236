<?php
// Keeps variables in shared memory; a child process changes them.

const ITEMS = 1;
const TOTAL = 2;

function attach(int $key): SysvSharedMemory
{
    $shm = shm_attach($key, 10000, 0600);
    if ($shm === false) {
        throw new RuntimeException("no shared memory");
    }
    return $shm;
}

function put(SysvSharedMemory $shm, array $items, int $total): void
{
    if (!shm_put_var($shm, ITEMS, $items) || !shm_put_var($shm, TOTAL, $total)) {
        throw new RuntimeException("it does not fit");
    }
}

function main(): int
{
    $key = ftok(__FILE__, "b");
    if ($key === -1) {
        throw new RuntimeException("no key");
    }
    $shm = attach($key);
    try {
        put($shm, ["bread"], 3);
        $child = pcntl_fork();
        if ($child === -1) {
            throw new RuntimeException("no process");
        }
        if ($child === 0) {
            $mine = attach($key);
            put($mine, [...shm_get_var($mine, ITEMS), "cheese"], shm_get_var($mine, TOTAL) + 7);
            shm_detach($mine);
            return 0;
        }
        pcntl_waitpid($child, $status);
        echo implode(", ", shm_get_var($shm, ITEMS)), ": ", shm_get_var($shm, TOTAL), "\n";
    } finally {
        if (($child ?? 1) !== 0 && !shm_remove($shm)) {
            throw new RuntimeException("it stays");
        }
    }
    shm_detach($shm);
    return $status === 0 ? 0 : 1;
}

exit(main());
