package server

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePages asks for huge pages below a block. It is advice: where the system gives none (transparent_hugepage/enabled says never), all
// is as it was.
func hugePages(block []byte) {
	page := uintptr(os.Getpagesize())
	before := -uintptr(unsafe.Pointer(unsafe.SliceData(block))) & (page - 1) // madvise wants whole pages
	if before+page > uintptr(len(block)) {
		return
	}
	_ = unix.Madvise(block[before:before+(uintptr(len(block))-before)&^(page-1)], unix.MADV_HUGEPAGE)
}
