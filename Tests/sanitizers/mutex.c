/* Tells ThreadSanitizer of Swift's Mutex. Its contended paths lie in libswiftSynchronization, which is not instrumented, and the
 * kernel hands the lock over (FUTEX_LOCK_PI): without a word from here every contended Mutex looks like a race. Preloaded by
 * contrib/test-long; x86-64 only, where Swift passes `self` in r13.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

__attribute__((visibility("hidden"))) void *postern_real_lock, *postern_real_unlock;

__attribute__((constructor)) static void find(void) {
    postern_real_lock = dlsym(RTLD_NEXT, LOCK);
    postern_real_unlock = dlsym(RTLD_NEXT, UNLOCK);
}

/* In programs without the sanitizer (the build's own tools inherit the preload) these do nothing. */
__attribute__((weak)) void __tsan_acquire(void *address) { (void)address; }
__attribute__((weak)) void __tsan_release(void *address) { (void)address; }

__asm__(
    ".text\n"
    ".globl \"" LOCK "\"\n.type \"" LOCK "\", @function\n\"" LOCK "\":\n"
    "    push %r13\n"
    "    call *postern_real_lock(%rip)\n"
    "    mov (%rsp), %rdi\n"
    "    call __tsan_acquire@PLT\n"
    "    pop %r13\n"
    "    ret\n"
    ".globl \"" UNLOCK "\"\n.type \"" UNLOCK "\", @function\n\"" UNLOCK "\":\n"
    "    push %r13\n"
    "    mov %r13, %rdi\n"
    "    call __tsan_release@PLT\n"
    "    mov (%rsp), %r13\n"
    "    call *postern_real_unlock(%rip)\n"
    "    pop %r13\n"
    "    ret\n");
