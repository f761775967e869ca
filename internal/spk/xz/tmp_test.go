package xz

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"testing"
	"time"
)

func TestTmp(t *testing.T) {
	f, _ := os.Open(os.Getenv("XZF"))
	st := time.Now()
	r, err := NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(bufio.NewWriter(io.Discard), r)
	fmt.Println(n, err, time.Since(st), float64(n)/1e6/time.Since(st).Seconds(), "MB/s")
}
