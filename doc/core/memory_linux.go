//go:build cgo && linux && (amd64 || arm64)

package core

/*
#include <malloc.h>
#include <stdint.h>

// In-use bytes over all arenas, those in mappings of their own included; -1 where the C library cannot tell.
static int64_t in_use(void) {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
	struct mallinfo2 m = mallinfo2();
	return (int64_t)(m.uordblks + m.hblkhd);
#else
	return -1;
#endif
}

static void give_back(void) {
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
*/
import "C"

// CBytes is the C heap in use by the whole process, in bytes, as the C library counts it; false where it cannot tell. It costs
// microseconds to milliseconds, growing with the heap. Safe for concurrent use.
func CBytes() (int64, bool) {
	n := int64(C.in_use())
	return max(0, n), n >= 0
}

// trim hands freed C memory back to the system.
func trim() { C.give_back() }
