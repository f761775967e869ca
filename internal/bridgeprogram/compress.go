//go:build ignore

// Compress writes the gzip of its first argument, a file, to its second. It is
// a program of its own so that a build needs nothing but Go, and so that equal
// files always give equal bytes.
package main

import (
	"bytes"
	"compress/gzip"
	"log"
	"os"
)

func main() {
	in, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(in)
	}
	if err == nil {
		err = z.Close()
	}
	if err == nil {
		err = os.WriteFile(os.Args[2], out.Bytes(), 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
}
