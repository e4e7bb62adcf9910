/*
 * Stands between a process and the data file of its store: the `.mdb` files in one folder, for a new store is made under
 * another name. Loaded with LD_PRELOAD; see shim.mjs for the settings. It writes down every write with its bytes and every
 * sync, and on demand it kills the process at a step, or fails one. Other files are left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { WRITE = 1, WRITE_DURABLE = 2, WRITE_LOST = 3, WRITE_CUT = 4, SYNC = 5, SYNCED = 6, SYNC_FAILED = 7, TRUNCATE = 8, FOLDER_SYNCED = 9, NAMED = 10 };

struct record {
  uint32_t magic, type;
  uint64_t at, step, file, offset, length;
};

/* As in shim.mjs. */
struct control {
  uint64_t steps, kill_at, kill_phase, fail_write, fail_sync, fail_durable, error, random;
  uint64_t writes, syncs, durables, failed_writes, failed_syncs, failed_durables, killed_at, failures_left, killed_in;
};

enum { BEFORE = 0, HALF = 1, AFTER = 2 };
enum { AT_WRITE = 1, AT_HEAD = 2, AT_SYNC = 3, AT_NAME = 4 };

static char folder[PATH_MAX];
static const char *boot;
static int log_fd = -1;
static struct control *control;

static void die(const char *why) {
  dprintf(2, "faults/power/shim.c: %s\n", why);
  abort();
}

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAULTS_FOLDER"), *log = getenv("FAULTS_LOG"), *ctl = getenv("FAULTS_CONTROL");
  boot = getenv("FAULTS_BOOT");
  if (!path) return;
  snprintf(folder, sizeof folder, "%s", path);
  if (log && *log && (log_fd = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)) < 0) die("cannot open the log");
  if (ctl && *ctl) {
    int fd = open(ctl, O_RDWR | O_CLOEXEC);
    if (fd < 0) die("cannot open the control file");
    control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (control == MAP_FAILED) die("cannot map the control file");
    close(fd);
  }
}

static int is_store(const char *path) {
  size_t length = strlen(folder), all = strlen(path);
  return !strncmp(path, folder, length) && path[length] == '/' && !strchr(path + length + 1, '/') && all > 4 && !strcmp(path + all - 4, ".mdb");
}

static const char *path_of(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  long length = syscall(SYS_readlink, link, path, PATH_MAX - 1);
  path[length < 0 ? 0 : length] = 0;
  return path;
}

/* The number of the file, or 0 where it is another's. */
static uint64_t ours(int fd) {
  struct stat of;
  char path[PATH_MAX];
  if (!*folder || fstat(fd, &of) || !S_ISREG(of.st_mode) || !is_store(path_of(fd, path))) return 0;
  return of.st_ino;
}

static int is_folder(int fd) {
  struct stat of;
  char path[PATH_MAX];
  return *folder && !fstat(fd, &of) && S_ISDIR(of.st_mode) && !strcmp(path_of(fd, path), folder);
}

static void note(uint32_t type, uint64_t step, uint64_t file, uint64_t offset, uint64_t length, const struct iovec *bytes, int count) {
  if (log_fd < 0) return;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  struct record record = { 0xfa017b10, type, now.tv_sec * 1000000000ull + now.tv_nsec, step, file, offset, length };
  struct iovec all[IOV_MAX];
  size_t total = sizeof record;
  all[0] = (struct iovec){ &record, sizeof record };
  if (count > IOV_MAX - 1) die("too many buffers in one write");
  for (int i = 0; i < count; i++) total += bytes[i].iov_len, all[i + 1] = bytes[i];
  /* One call, and the log is opened for appending: records of several processes do not mix. */
  if (syscall(SYS_writev, log_fd, all, count + 1) != (long)total) die("the log was cut short");
}

static uint64_t next_step(void) {
  return control ? __atomic_add_fetch(&control->steps, 1, __ATOMIC_SEQ_CST) : 0;
}

static void add(uint64_t *counter) {
  __atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
}

/* What has no middle is not begun. */
static void kill_if(uint64_t step, uint64_t phase, uint64_t in) {
  if (!control || control->kill_at != step) return;
  if (control->kill_phase != phase && (control->kill_phase != HALF || phase != BEFORE || in == AT_WRITE || in == AT_HEAD)) return;
  control->killed_at = step;
  control->killed_in = in;
  syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
  for (;;) pause();
}

static int cut_short_by_kill(uint64_t step) {
  return control && control->kill_at == step && control->kill_phase == HALF;
}

/* splitmix64 of a counter that the processes share. */
static int chance(uint64_t per_million) {
  if (!per_million) return 0;
  uint64_t z = __atomic_add_fetch(&control->random, 0x9e3779b97f4a7c15ull, __ATOMIC_SEQ_CST);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return (z ^ (z >> 31)) % 1000000 < per_million;
}

static int fails(uint64_t per_million, uint64_t *counter) {
  if (!control || !chance(per_million)) return 0;
  for (uint64_t left = control->failures_left; left > 0;) {
    if (!__atomic_compare_exchange_n(&control->failures_left, &left, left - 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) continue;
    add(counter);
    return 1;
  }
  return 0;
}

static int failed(void) {
  errno = (int)control->error;
  return -1;
}

static ssize_t put(uint64_t file, int fd, const struct iovec *bytes, int count, off64_t at) {
  size_t length = 0;
  for (int i = 0; i < count; i++) length += bytes[i].iov_len;
  int flags = (int)syscall(SYS_fcntl, fd, F_GETFL);
  int durable = (flags & O_DSYNC) == O_DSYNC;
  uint64_t step = next_step();
  if (control) add(durable ? &control->durables : &control->writes);
  kill_if(step, BEFORE, durable ? AT_HEAD : AT_WRITE);
  if (!durable && fails(control ? control->fail_write : 0, control ? &control->failed_writes : NULL)) return failed();
  note(WRITE, step, file, at, length, bytes, count);
  if (cut_short_by_kill(step)) {
    /* Within a page the system copies all or nothing, whoever is killed. */
    size_t left = length / 2 / 4096 * 4096;
    for (int i = 0; i < count && left; i++) {
      size_t part = bytes[i].iov_len < left ? bytes[i].iov_len : left;
      syscall(SYS_pwrite64, fd, bytes[i].iov_base, part, at);
      at += part, left -= part;
    }
    kill_if(step, HALF, durable ? AT_HEAD : AT_WRITE);
  }
  ssize_t done = syscall(SYS_pwritev, fd, bytes, count, at, 0);
  int error = errno;
  if (done != (ssize_t)length) note(WRITE_CUT, step, file, at, done < 0 ? 0 : done, NULL, 0);
  else if (durable && fails(control ? control->fail_durable : 0, control ? &control->failed_durables : NULL)) {
    /* As the kernel does it: the cache has the bytes, the disk may have them, the caller is told that it has not. */
    note(WRITE_LOST, step, file, at, length, NULL, 0);
    return failed();
  } else if (durable) note(WRITE_DURABLE, step, file, at, length, NULL, 0);
  kill_if(step, AFTER, durable ? AT_HEAD : AT_WRITE);
  errno = error;
  return done;
}

static ssize_t put_here(uint64_t file, int fd, const struct iovec *bytes, int count) {
  off64_t at = syscall(SYS_fcntl, fd, F_GETFL) & O_APPEND ? syscall(SYS_lseek, fd, 0, SEEK_END) : syscall(SYS_lseek, fd, 0, SEEK_CUR);
  ssize_t done = put(file, fd, bytes, count, at);
  if (done > 0) syscall(SYS_lseek, fd, at + done, SEEK_SET);
  return done;
}

ssize_t write(int fd, const void *bytes, size_t length) {
  struct iovec one = { (void *)bytes, length };
  uint64_t file = ours(fd);
  return file ? put_here(file, fd, &one, 1) : syscall(SYS_write, fd, bytes, length);
}

ssize_t writev(int fd, const struct iovec *bytes, int count) {
  uint64_t file = ours(fd);
  return file ? put_here(file, fd, bytes, count) : syscall(SYS_writev, fd, bytes, count);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
  struct iovec one = { (void *)bytes, length };
  uint64_t file = ours(fd);
  return file ? put(file, fd, &one, 1, at) : syscall(SYS_pwrite64, fd, bytes, length, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  return pwrite64(fd, bytes, length, at);
}

ssize_t pwritev64(int fd, const struct iovec *bytes, int count, off64_t at) {
  uint64_t file = ours(fd);
  return file ? put(file, fd, bytes, count, at) : syscall(SYS_pwritev, fd, bytes, count, at, 0);
}

ssize_t pwritev(int fd, const struct iovec *bytes, int count, off_t at) {
  return pwritev64(fd, bytes, count, at);
}

static int sync_by(long call, int fd) {
  uint64_t file = ours(fd);
  if (!file) {
    int done = syscall(call, fd);
    if (!done && is_folder(fd)) note(FOLDER_SYNCED, 0, 0, 0, 0, NULL, 0);
    return done;
  }
  uint64_t step = next_step();
  if (control) add(&control->syncs);
  kill_if(step, BEFORE, AT_SYNC);
  note(SYNC, step, file, 0, 0, NULL, 0);
  if (fails(control ? control->fail_sync : 0, control ? &control->failed_syncs : NULL)) {
    note(SYNC_FAILED, step, file, 0, 0, NULL, 0);
    return failed();
  }
  int done = syscall(call, fd);
  int error = errno;
  note(done ? SYNC_FAILED : SYNCED, step, file, 0, 0, NULL, 0);
  kill_if(step, AFTER, AT_SYNC);
  errno = error;
  return done;
}

int fsync(int fd) {
  return sync_by(SYS_fsync, fd);
}

int fdatasync(int fd) {
  return sync_by(SYS_fdatasync, fd);
}

int ftruncate64(int fd, off64_t length) {
  uint64_t file = ours(fd);
  if (!file) return syscall(SYS_ftruncate, fd, length);
  uint64_t step = next_step();
  kill_if(step, BEFORE, AT_WRITE);
  note(TRUNCATE, step, file, length, 0, NULL, 0);
  int done = syscall(SYS_ftruncate, fd, length);
  kill_if(step, AFTER, AT_WRITE);
  return done;
}

int ftruncate(int fd, off_t length) {
  return ftruncate64(fd, length);
}

/* Writes through a map, or ones that the kernel moves from file to file, would go unseen: better no answer than a wrong one. */
void *mmap64(void *near, size_t length, int protection, int flags, int fd, off64_t at) {
  if (fd >= 0 && (protection & PROT_WRITE) && (flags & MAP_TYPE) != MAP_PRIVATE && ours(fd)) die("the file is mapped for writing, which this does not see");
  return (void *)syscall(SYS_mmap, near, length, protection, flags, fd, at);
}

void *mmap(void *near, size_t length, int protection, int flags, int fd, off_t at) {
  return mmap64(near, length, protection, flags, fd, at);
}

int fallocate64(int fd, int mode, off64_t at, off64_t length) {
  if (ours(fd)) die("fallocate, which this does not see");
  return syscall(SYS_fallocate, fd, mode, at, length);
}

/* A name for a file that was made under another one. A step, for it is where a new store begins. */
int link(const char *from, const char *to) {
  struct stat of;
  if (!*folder || !is_store(to) || stat(from, &of)) return syscall(SYS_link, from, to);
  uint64_t step = next_step();
  kill_if(step, BEFORE, AT_NAME);
  int done = syscall(SYS_link, from, to);
  int error = errno;
  if (!done) note(NAMED, step, of.st_ino, 0, 0, NULL, 0);
  kill_if(step, AFTER, AT_NAME);
  errno = error;
  return done;
}

/* The host of the workload is another one than that of the check: what a power loss does to the boot id. */
static int opened(const char *path, int flags, mode_t mode) {
  if (boot && !strcmp(path, "/proc/sys/kernel/random/boot_id")) path = boot;
  return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
  va_end(more);
  return opened(path, flags, mode);
}

int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
  va_end(more);
  return opened(path, flags, mode);
}
