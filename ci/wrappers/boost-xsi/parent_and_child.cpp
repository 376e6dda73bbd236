// Two processes share a segment, after the example in the documentation of Boost.Interprocess ("XSI shared memory"):
// the parent makes it and starts the child, which opens it and looks at what it holds.
#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/xsi_shared_memory.hpp>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

using namespace boost::interprocess;

static void remove_old_shared_memory(const xsi_key &key)
{
        try {
                xsi_shared_memory xsi(open_only, key);
                xsi_shared_memory::remove(xsi.get_shmid());
        } catch (interprocess_exception &e) {
                if (e.get_error_code() != not_found_error)
                        throw;
        }
}

static int parent(const char *name)
{
        xsi_key key(name, 1);
        remove_old_shared_memory(key);
        xsi_shared_memory shm(create_only, key, 1000);
        struct shm_remove {
                int shmid_;
                shm_remove(int shmid) : shmid_(shmid)
                {
                }
                ~shm_remove()
                {
                        xsi_shared_memory::remove(shmid_);
                }
        } remover(shm.get_shmid());

        mapped_region region(shm, read_write);
        std::memset(region.get_address(), 1, region.get_size());
        return std::system((std::string(name) + " child").c_str()) == 0 ? 0 : 1;
}

static int child(const char *name)
{
        xsi_key key(name, 1);
        xsi_shared_memory shm(open_only, key);
        mapped_region region(shm, read_only);
        const char *bytes = static_cast<const char *>(region.get_address());
        for (std::size_t i = 0; i < region.get_size(); i++) {
                if (bytes[i] != 1) {
                        std::cerr << "child: the segment does not hold what the parent wrote\n";
                        return 1;
                }
        }
        std::cout << "child: " << region.get_size() << " bytes are as they must be\n";
        return 0;
}

int main(int argc, char **argv)
{
        try {
                return argc == 1 ? parent(argv[0]) : child(argv[0]);
        } catch (interprocess_exception &e) {
                std::cerr << (argc == 1 ? "parent: " : "child: ") << e.what() << "\n";
                return 1;
        }
}
