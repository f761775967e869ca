package main

import "unsafe"

// pointer is the address of b's first byte, for a raw system call.
func pointer(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }
