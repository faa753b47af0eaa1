/* What the fault runner puts between a gate process and its disk (LD_PRELOAD; built at run time by shim.py).
 *
 * 1. An undo log of everything below BARIE_SHIM_ROOT that was written and not fsynced: after a SIGKILL the runner takes
 *    back what a power failure would have taken. Names of new files count as written to their folder.
 * 2. An error (ENOSPC, EIO) at the n-th write, truncation, creation or fsync after barie_fault_arm.
 *
 * 3. A disk that takes BARIE_SHIM_SYNC_US longer for every fsync, for the bench; alone, without BARIE_SHIM_ROOT.
 *
 * Not modelled: deletions (an undeleted photo is an orphan), and the -shm file, which SQLite makes anew.
 * Record: "%c %lld %lld %d %d\n" (operation, offset, size before, length of path, length of data), path, data.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -2, fault_at, fault_errno, fault_sticky, fault_count, fault_hits;

void barie_fault_arm(int at, int error, int sticky) {
    pthread_mutex_lock(&lock);
    fault_at = at, fault_errno = error, fault_sticky = sticky, fault_count = 0, fault_hits = 0;
    pthread_mutex_unlock(&lock);
}

int barie_fault_hits(void) { return fault_hits; }

static int tracked(const char *path) {
    const char *root = getenv("BARIE_SHIM_ROOT");
    size_t length = strlen(path);
    if (root == NULL || strncmp(path, root, strlen(root)) != 0) return 0;
    if (length > 4 && strcmp(path + length - 4, "-shm") == 0) return 0;
    return !(length > 5 && strcmp(path + length - 5, "/lock") == 0);
}

static int path_of(int fd, char *path) {
    char link[64];
    int saved = errno;
    if (getenv("BARIE_SHIM_ROOT") == NULL) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlink, link, path, PATH_MAX - 1);
    errno = saved;
    if (length <= 0) return 0;
    path[length] = 0;
    return tracked(path);
}

/* 1 where this operation must fail; errno is set. */
static int faulty(void) {
    if (fault_at == 0) return 0;
    fault_count++;
    if (fault_count != fault_at && !(fault_sticky && fault_count > fault_at)) return 0;
    fault_hits++;
    errno = fault_errno;
    return 1;
}

static void note(char op, const char *path, off_t offset, off_t size, const void *data, int length) {
    int saved = errno;
    if (log_fd == -2) {
        const char *name = getenv("BARIE_SHIM_LOG");
        log_fd = name ? (int)syscall(SYS_open, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    }
    if (log_fd >= 0) {
        char head[128];
        int used = snprintf(head, sizeof head, "%c %lld %lld %d %d\n", op, (long long)offset, (long long)size,
                            (int)strlen(path), length);
        struct iovec parts[3] = {{head, (size_t)used}, {(void *)path, strlen(path)}, {(void *)data, (size_t)length}};
        if (syscall(SYS_writev, log_fd, parts, length ? 3 : 2) < 0) abort();
    }
    errno = saved;
}

static off_t size_of(int fd) {
    struct stat now;
    return fstat(fd, &now) == 0 ? now.st_size : 0;
}

/* Note what stands where `count` bytes are about to be written. */
static void note_old(char op, int fd, const char *path, off_t offset, off_t count) {
    off_t size = size_of(fd), end = offset + count < size ? offset + count : size;
    int flags = fcntl(fd, F_GETFL);
    int length = end > offset ? (int)(end - offset) : 0;
    char *old = malloc(length ? (size_t)length : 1);
    if (length && old) {
        int reader = (flags & O_ACCMODE) == O_WRONLY ? (int)syscall(SYS_open, path, O_RDONLY | O_CLOEXEC, 0) : fd;
        if (syscall(SYS_pread64, reader, old, (size_t)length, offset) != length) length = 0;
        if (reader != fd) close(reader);
    }
    note(op, path, offset, size, old, length);
    free(old);
}

ssize_t pwrite64(int fd, const void *data, size_t count, off64_t offset) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return syscall(SYS_pwrite64, fd, data, count, offset);
    pthread_mutex_lock(&lock);
    ssize_t done = -1;
    if (!faulty()) {
        note_old('W', fd, path, offset, (off_t)count);
        done = syscall(SYS_pwrite64, fd, data, count, offset);
    }
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t count, off_t offset) { return pwrite64(fd, data, count, offset); }

ssize_t write(int fd, const void *data, size_t count) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return syscall(SYS_write, fd, data, count);
    pthread_mutex_lock(&lock);
    ssize_t done = -1;
    if (!faulty()) {
        note_old('W', fd, path, lseek(fd, 0, SEEK_CUR), (off_t)count);
        done = syscall(SYS_write, fd, data, count);
    }
    pthread_mutex_unlock(&lock);
    return done;
}

int ftruncate64(int fd, off64_t length) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return (int)syscall(SYS_ftruncate, fd, length);
    pthread_mutex_lock(&lock);
    int done = -1;
    if (!faulty()) {
        off_t size = size_of(fd);
        note_old('W', fd, path, length, size > length ? size - length : 0);
        done = (int)syscall(SYS_ftruncate, fd, length);
    }
    pthread_mutex_unlock(&lock);
    return done;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static void slow_down(void) {
    const char *text = getenv("BARIE_SHIM_SYNC_US");
    long us = text ? atol(text) : 0;
    struct timespec more = {us / 1000000, us % 1000000 * 1000};
    if (us > 0) nanosleep(&more, NULL);
}

/* 'S': what was written to this file is safe. 'D': the names in this folder are. */
static int synced(int fd, long number) {
    char path[PATH_MAX];
    struct stat now;
    slow_down();
    if (!path_of(fd, path)) return (int)syscall(number, fd);
    pthread_mutex_lock(&lock);
    int done = -1;
    if (!faulty() && (done = (int)syscall(number, fd)) == 0)
        note(fstat(fd, &now) == 0 && S_ISDIR(now.st_mode) ? 'D' : 'S', path, 0, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return done;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

static int opened(int folder, const char *path, int flags, mode_t mode) {
    if (!(flags & O_CREAT) || !tracked(path) || access(path, F_OK) == 0)
        return (int)syscall(SYS_openat, folder, path, flags, mode);
    pthread_mutex_lock(&lock);
    int fd = -1;
    if (!faulty()) {
        note('C', path, 0, 0, NULL, 0);
        fd = (int)syscall(SYS_openat, folder, path, flags, mode);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

#define OPEN(name, folder)                                          \
    int name {                                                      \
        va_list more;                                               \
        va_start(more, flags);                                      \
        mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;   \
        va_end(more);                                               \
        return opened(folder, path, flags, mode);                   \
    }
OPEN(open(const char *path, int flags, ...), AT_FDCWD)
OPEN(open64(const char *path, int flags, ...), AT_FDCWD)
OPEN(openat(int folder, const char *path, int flags, ...), folder)
OPEN(openat64(int folder, const char *path, int flags, ...), folder)

int rename(const char *from, const char *to) {
    if (!tracked(to)) return (int)syscall(SYS_rename, from, to);
    pthread_mutex_lock(&lock);
    int done = -1;
    if (!faulty()) {
        note('R', to, 0, access(to, F_OK) == 0, from, (int)strlen(from));
        done = (int)syscall(SYS_rename, from, to);
    }
    pthread_mutex_unlock(&lock);
    return done;
}
