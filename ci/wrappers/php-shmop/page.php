<?php
// Keeps a page in shared memory, where a reader with the key finds it.

const PAGE = "<h1>What is shared</h1>\n";

function read_page(int $key): string
{
    $shm = shmop_open($key, "a", 0, 0);
    if ($shm === false) {
        throw new RuntimeException("no page to read");
    }
    return rtrim(shmop_read($shm, 0, shmop_size($shm)), "\0");
}

function main(): void
{
    $key = ftok(__FILE__, "p");
    if ($key === -1) {
        throw new RuntimeException("no key");
    }
    $shm = shmop_open($key, "c", 0644, 4096);
    if ($shm === false) {
        throw new RuntimeException("no shared memory");
    }
    try {
        if (shmop_write($shm, PAGE, 0) !== strlen(PAGE)) {
            throw new RuntimeException("the page does not fit");
        }
        echo read_page($key);
    } finally {
        if (!shmop_delete($shm)) {
            throw new RuntimeException("the page stays");
        }
    }
}

main();
