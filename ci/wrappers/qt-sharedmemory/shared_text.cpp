// A text in shared memory, after the documentation of QSharedMemory and its example "Shared Memory": one object creates
// the segment and writes, another attaches it and reads, each under the lock.
#include <QSharedMemory>
#include <QTextStream>
#include <cstring>

static const char KEY[] = "shmcheck shared text";
static const char TEXT[] = "hello";

static int complain(const char *what, const QSharedMemory &memory)
{
        QTextStream(stderr) << "shared_text: " << what << ": " << memory.errorString() << "\n";
        return 1;
}

// On Unix the segment of a process that crashed survives; who detaches it last removes it.
static bool create(QSharedMemory &memory)
{
        if (memory.create(sizeof(TEXT)))
                return true;
        if (memory.error() != QSharedMemory::AlreadyExists || !memory.attach() || !memory.detach())
                return false;
        return memory.create(sizeof(TEXT));
}

static int read_text()
{
        QSharedMemory memory(KEY);
        if (!memory.attach(QSharedMemory::ReadOnly))
                return complain("cannot attach", memory);
        if (!memory.lock())
                return complain("cannot lock", memory);
        QTextStream(stdout) << memory.size() << " bytes: " << static_cast<const char *>(memory.constData()) << "\n";
        if (!memory.unlock())
                return complain("cannot unlock", memory);
        if (!memory.detach())
                return complain("cannot detach", memory);
        return 0;
}

int main()
{
        QSharedMemory memory(KEY);
        if (!create(memory))
                return complain("cannot create", memory);
        if (!memory.lock())
                return complain("cannot lock", memory);
        std::memcpy(memory.data(), TEXT, sizeof(TEXT));
        if (!memory.unlock())
                return complain("cannot unlock", memory);
        int status = read_text();
        if (!memory.detach())
                return complain("cannot detach", memory);
        return status;
}
